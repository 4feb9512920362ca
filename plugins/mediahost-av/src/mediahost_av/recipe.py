"""What becomes of a source's picture and sound, and the making of it."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

from mediahost import Artifact, Context, InvalidMedia, MediaProcessingResult
from mediahost_av.container import MICROSECONDS, Source, ends_before, shown
from mediahost_av.copy import Copy
from mediahost_av.formats import FORMATS, FormatName
from mediahost_av.output import Output, named_after
from mediahost_av.picture import Picture, PictureConfig
from mediahost_av.position import seek_before
from mediahost_av.sound import Sound, SoundConfig
from mediahost_av.transcode import Tracks, demand_half, nothing_decodable, transcode
from mediahost_av.upright import display_doubt
from mediahost_av.window import WHOLE, Window


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
    """

    format: FormatName
    picture: PictureConfig | Literal["copy"] | None
    sound: SoundConfig | Literal["copy"] | None
    needs_picture: bool = False
    needs_sound: bool = False
    window: Window = WHOLE


class Chosen(NamedTuple):
    """The source's streams that go into the new file."""

    picture: VideoStream | None
    sound: AudioStream | None

    @property
    def streams(self) -> list[Stream]:
        """Those that are there."""
        return [stream for stream in self if stream is not None]


def cook(recipe: Recipe, source: Source, context: Context) -> MediaProcessingResult:
    """Write the new file. The source stands at its beginning.

    Keys of the result's metadata: `format`; `picture` with codec, width, height (pixels) and
    frames, `sound` with codec, sample_rate (hertz), channels and samples, or None where there is
    none, or only the codec where it is copied; `end`, how far the source was read, in seconds;
    `dropped_streams`, how many of the source's streams are not in the new file; `warnings`, what
    was odd. What was damaged or missing is the result's completeness.

    Raises:
        InvalidMedia: The source can't be read, or has nothing of what is to be written.
    """
    samples = _samples(recipe, source, context)
    path = named_after(source.path, context.workdir, recipe.format)
    doubts = [one for frame in samples.values() for one in display_doubt(frame)]
    if recipe.window.start:
        streams = _choose(recipe, source, samples.keys()).streams
        seek_before(source, recipe.window.start, streams, context)
    chosen = _choose(recipe, source, samples.keys())
    with Output(path, recipe.format, source.path) as output:
        output.keep_tags(source.container.metadata, *(s.metadata for s in chosen.streams[-1:]))
        if recipe.window == WHOLE:
            _keep_chapters(source, output)
        tracks = _add_tracks(recipe, source, chosen, samples, output, threads=context.threads)
        transcode(source, chosen.streams, tracks, output, context, window=recipe.window)
        _demand_something(tracks, recipe, source)
        demand_half(source)
    metadata: dict[str, Any] = {
        "format": recipe.format,
        "picture": _facts(tracks, chosen.picture),
        "sound": _facts(tracks, chosen.sound),
        "end": round(min(tracks.reached, recipe.window.end or tracks.reached), 6),
        "dropped_streams": len(source.container.streams) - len(chosen.streams),
        "warnings": doubts,
    }
    completeness = source.completeness(chosen.streams, tracks.reached, until_s=recipe.window.end)
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
    kept = ((chosen.picture, recipe.picture), (chosen.sound, recipe.sound))
    return [stream for stream, how in kept if stream is not None and how != "copy"]


def _choose(recipe: Recipe, source: Source, sampled: Container[int] | None = None) -> Chosen:
    """The streams to write; those without a frame, if it is known which, are as good as missing."""
    picture = source.picture() if recipe.picture else None
    sound = source.sound() if recipe.sound else None
    if sampled is not None:
        if picture is not None and recipe.picture != "copy" and picture.index not in sampled:
            picture = None
        if sound is not None and recipe.sound != "copy" and sound.index not in sampled:
            sound = None
    name = shown(source.path)
    if picture is None and recipe.needs_picture:
        raise InvalidMedia(f"{name} has no picture")
    if sound is None and (recipe.needs_sound or not recipe.picture):
        raise InvalidMedia(f"{name} has no sound")
    if picture is None and sound is None:
        raise InvalidMedia(f"{name} has neither picture nor sound that can be read")
    return Chosen(picture, sound)


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
    picture, sound = chosen
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
    if sound is not None and recipe.sound == "copy":
        tracks.copied[sound.index] = Copy(source, sound, output)
    elif sound is not None and isinstance(recipe.sound, SoundConfig):
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
