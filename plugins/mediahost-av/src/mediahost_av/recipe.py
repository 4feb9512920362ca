"""What becomes of a source's picture and sound, and the making of it."""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from av.audio.stream import AudioStream
from av.stream import AttachmentStream, Disposition, Stream
from av.video.stream import VideoStream

from mediahost import Artifact, Context, InvalidMedia, MediaProcessingResult
from mediahost_av.container import MICROSECONDS, Source, decoder_of, ends_before, shown
from mediahost_av.copy import Copy
from mediahost_av.formats import FORMATS, FormatName
from mediahost_av.output import Output, named_after
from mediahost_av.picture import Picture, PictureConfig
from mediahost_av.position import seek_before
from mediahost_av.selection import NONE, named, selected
from mediahost_av.sound import Sound, SoundConfig
from mediahost_av.transcode import Tracks, demand_half, nothing_decodable, transcode
from mediahost_av.upright import display_doubt
from mediahost_av.window import WHOLE, Window

HOLDS_ATTACHMENTS: FormatName = "mkv"
# Suffix and type of a cover by its first bytes.
COVER = ("jpg", "image/jpeg")
COVERS = {b"\x89P": ("png", "image/png"), b"GI": ("gif", "image/gif"), b"BM": ("bmp", "image/bmp")}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to write.

    Attributes:
        format: Container of the new file.
        picture: How the picture is encoded, or that it is copied; None: it is left out.
        sound: How the sound is encoded, or that it is copied; None: it is left out.
        needs_picture: It was asked for, so a source without any is an error.
        needs_sound: The same of the sound.
        window: What part of the source is wanted.
        sounds: Which of them, as `selected` takes it; None: the one that a player would choose.
        subtitles: Which of them.
        extras: Whether attachments and covers come along.
    """

    format: FormatName
    picture: PictureConfig | Literal["copy"] | None
    sound: SoundConfig | Literal["copy"] | None
    needs_picture: bool = False
    needs_sound: bool = False
    window: Window = WHOLE
    sounds: str | None = None
    subtitles: str = NONE
    extras: bool = False


class Chosen(NamedTuple):
    """The source's streams that go into the new file.

    Attributes:
        picture: The film's picture, or None.
        sounds: In the source's order.
        others: Subtitles and covers, which are copied.
    """

    picture: VideoStream | None
    sounds: list[AudioStream]
    others: list[Stream]

    @property
    def streams(self) -> list[Stream]:
        """All of them."""
        return [*self.timed, *self.others]

    @property
    def timed(self) -> list[Stream]:
        """Those that last as long as the film."""
        return [*([self.picture] if self.picture else []), *self.sounds]


def cook(recipe: Recipe, source: Source, context: Context) -> MediaProcessingResult:
    """Write the new file. The source stands at its beginning.

    Keys of the result's metadata: `format`; `picture` with codec, width, height (pixels) and
    frames, `sound` with codec, sample_rate (hertz), channels and samples, or None where there is
    none, or only the codec where it is copied; `end`, how far the source was read, in seconds;
    `sounds`, the same for each; `left_out`, which of the source's
    streams are not in the new file, and `dropped_streams`, how many that are; `warnings`, what
    was odd. What was damaged or missing is the result's completeness.

    Raises:
        InvalidMedia: The source can't be read, or has nothing of what is to be written.
    """
    covers = _cover_pictures(recipe, source)
    samples = _samples(recipe, source, context)
    path = named_after(source.path, context.workdir, recipe.format)
    doubts = [one for frame in samples.values() for one in display_doubt(frame)]
    if recipe.window.start:
        streams = _choose(recipe, source, samples.keys()).streams
        seek_before(source, recipe.window.start, streams, context)
    chosen = _choose(recipe, source, samples.keys())
    with Output(path, recipe.format, source.path) as output:
        output.keep_tags(*tags_of_the_work(source, chosen.sounds))
        if recipe.window == WHOLE:
            _keep_chapters(source, output)
        tracks = _add_tracks(recipe, source, chosen, samples, output, threads=context.threads)
        left_out = _add_others(recipe, source, chosen, tracks, output, covers=covers)
        transcode(source, chosen.streams, tracks, output, context, window=recipe.window)
        _demand_something(tracks, recipe, source)
        demand_half(source)
    metadata: dict[str, Any] = {
        "format": recipe.format,
        "picture": _facts(tracks, chosen.picture),
        "sound": _facts(tracks, next(iter(chosen.sounds), None)),
        "sounds": [_facts(tracks, sound) for sound in chosen.sounds],
        "end": round(min(tracks.reached, recipe.window.end or tracks.reached), 6),
        "dropped_streams": len(left_out),
        "left_out": left_out,
        "warnings": doubts,
    }
    completeness = source.completeness(chosen.timed, tracks.reached, until_s=recipe.window.end)
    context.progress(1.0, "done")
    made = artifact(path, recipe.format, has_picture=chosen.picture is not None)
    return MediaProcessingResult(
        artifacts=(made,),
        metadata=metadata,
        completeness=completeness,
    )


def artifact(path: Path, format_name: FormatName, *, has_picture: bool) -> Artifact:
    """The new file as the host is told of it."""
    asset_type = "video" if has_picture else "audio"
    mime_type = FORMATS[format_name].mime_type
    if asset_type == "audio":
        mime_type = mime_type.replace("video/", "audio/")
    return Artifact(path=path, asset_type=asset_type, mime_type=mime_type)


def _samples(recipe: Recipe, source: Source, context: Context) -> dict[int, Any]:
    """The first frame of each stream that is to be encoded, by its index."""
    chosen = _choose(recipe, source)
    encoded = _encoded(recipe, chosen)
    samples = source.first_frames(encoded, chosen.streams, context)
    if encoded and not samples:
        # The source has been opened anew: those streams are gone.
        raise nothing_decodable(source, _encoded(recipe, _choose(recipe, source)))
    return samples


def _encoded(recipe: Recipe, chosen: Chosen) -> list[Stream]:
    kept = [(chosen.picture, recipe.picture), *((one, recipe.sound) for one in chosen.sounds)]
    return [stream for stream, how in kept if stream is not None and how != "copy"]


def _choose(recipe: Recipe, source: Source, sampled: Container[int] | None = None) -> Chosen:
    """The streams to write; those without a frame, if it is known which, are as good as missing."""
    picture = source.picture() if recipe.picture else None
    sounds = _wanted_sounds(recipe, source) if recipe.sound else []
    if sampled is not None:
        if picture is not None and recipe.picture != "copy" and picture.index not in sampled:
            picture = None
        sounds = [one for one in sounds if recipe.sound == "copy" or one.index in sampled]
    name = shown(source.path)
    if picture is None and recipe.needs_picture:
        raise InvalidMedia(f"{name} has no picture")
    if not sounds and (recipe.needs_sound or not recipe.picture):
        raise InvalidMedia(f"{name} has no sound")
    if picture is None and not sounds:
        raise InvalidMedia(f"{name} has neither picture nor sound that can be read")
    return Chosen(picture, sounds, _wanted_others(recipe, source))


def _wanted_sounds(recipe: Recipe, source: Source) -> list[AudioStream]:
    best = source.sound()
    if best is None or recipe.sounds is None:
        return [best] if best is not None else []
    known = [one for one in source.container.streams.audio if decoder_of(one) is not None]
    found = selected(known, recipe.sounds, "sound", source.path)
    if FORMATS[recipe.format].many:
        return found
    return [best] if best in found else found[:1]


def _wanted_others(recipe: Recipe, source: Source) -> list[Stream]:
    """Subtitles and covers that the format may hold."""
    written = FORMATS[recipe.format]
    others: list[Stream] = []
    if written.many:
        tracks = source.container.streams.subtitles
        others += selected(tracks, recipe.subtitles, "subtitles", source.path)
    if recipe.extras and written.covers and recipe.format != HOLDS_ATTACHMENTS:
        others += _covers_of(source)
    return others


def _covers_of(source: Source) -> list[VideoStream]:
    return [
        stream
        for stream in source.container.streams.video
        if stream.disposition & Disposition.attached_pic and decoder_of(stream) is not None
    ]


def _cover_pictures(recipe: Recipe, source: Source) -> dict[int, bytes]:
    """The covers by their streams' indexes, for a format that holds them as attachments.

    They have to be there before anything is written. The source is opened anew after that.
    """
    covers = _covers_of(source) if recipe.extras and recipe.format == HOLDS_ATTACHMENTS else []
    found: dict[int, bytes] = {}
    for packet in source.packets(*covers) if covers else ():
        if packet.size:
            found.setdefault(packet.stream_index, bytes(packet))
        if len(found) == len(covers):
            break
    if covers:
        source.rewind()
    return found


def tags_of_the_work(source: Source, sounds: Sequence[Stream]) -> list[Mapping[str, str]]:
    """Title, artist and such; in Ogg they are the stream's, elsewhere a stream has its own."""
    tags: list[Mapping[str, str]] = [source.container.metadata]
    if source.container.format.name == "ogg":
        tags += [stream.metadata for stream in sounds[:1]]
    return tags


def _add_others(
    recipe: Recipe,
    source: Source,
    chosen: Chosen,
    tracks: Tracks,
    output: Output,
    *,
    covers: dict[int, bytes],
) -> list[str]:
    """Add what is copied besides picture and sound; what of the source is left out, by name."""
    kept = {stream.index for stream in (chosen.picture, *chosen.sounds) if stream is not None}
    for stream in chosen.others:
        with suppress(InvalidMedia):  # the format can't hold it, which is told
            tracks.copied[stream.index] = Copy(source, stream, output)
            kept.add(stream.index)
    if recipe.extras and recipe.format == HOLDS_ATTACHMENTS:
        for stream in source.container.streams:
            if isinstance(stream, AttachmentStream) and stream.data:
                mime_type = stream.mimetype or "application/octet-stream"
                output.container.add_attachment(stream.name or "attachment", mime_type, stream.data)
                kept.add(stream.index)
    for index, picture in covers.items():
        suffix, mime_type = COVERS.get(picture[:2], COVER)
        output.container.add_attachment(f"cover.{suffix}", mime_type, picture)
        kept.add(index)
    return [
        f"{stream.type} {named(stream)}"
        for stream in source.container.streams
        if stream.index not in kept
    ]


def _add_tracks(
    recipe: Recipe,
    source: Source,
    chosen: Chosen,
    samples: dict[int, Any],
    output: Output,
    *,
    threads: int,
) -> Tracks:
    """Add all streams to the new file, before the first packet."""
    tracks = Tracks()
    picture = chosen.picture
    if picture is not None and recipe.picture == "copy":
        tracks.copied[picture.index] = Copy(source, picture, output)
    elif picture is not None and isinstance(recipe.picture, PictureConfig):
        tracks.encoded[picture.index] = Picture(
            source,
            picture,
            samples[picture.index],
            output,
            config=recipe.picture,
            window=recipe.window,
            threads=threads,
        )
    for sound in chosen.sounds:
        if recipe.sound == "copy":
            tracks.copied[sound.index] = Copy(source, sound, output)
        elif isinstance(recipe.sound, SoundConfig):
            tracks.encoded[sound.index] = Sound(
                source,
                sound,
                samples[sound.index],
                output,
                config=recipe.sound,
                window=recipe.window,
                threads=threads,
            )
    return tracks


def _keep_chapters(source: Source, output: Output) -> None:
    with source.blamed():
        chapters = source.container.chapters()
        for chapter in chapters:
            if chapter["time_base"] is not None:
                shift = round(source.origin / (MICROSECONDS * chapter["time_base"]))
                chapter["start"] -= shift
                chapter["end"] -= shift
        output.container.set_chapters(chapters)


def _demand_something(tracks: Tracks, recipe: Recipe, source: Source) -> None:
    # Without any packet not even a header was written.
    copied = sum(copy.count for copy in tracks.copied.values())
    if copied or any(track.count for track in tracks.encoded.values()):
        return
    if recipe.window.start:
        raise ends_before(source.path, tracks.reached, recipe.window.start)
    raise InvalidMedia(f"{shown(source.path)} holds nothing that can be decoded")


def _facts(tracks: Tracks, stream: Stream | None) -> dict[str, Any] | None:
    if stream is None:
        return None
    track = tracks.encoded.get(stream.index) or tracks.copied.get(stream.index)
    return track.facts() if track else None
