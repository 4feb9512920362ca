"""What becomes of a source's picture and sound, and the making of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

from mediahost import Artifact, Context, InvalidMedia, MediaFile, MediaProcessingResult
from mediahost_av.container import MICROSECONDS, Source, shown
from mediahost_av.copy import Copy
from mediahost_av.formats import FORMATS, FormatName
from mediahost_av.output import Output, named_after
from mediahost_av.picture import Picture, PictureConfig
from mediahost_av.position import seek_before
from mediahost_av.sound import Sound, SoundConfig
from mediahost_av.transcode import Tracks, samples_of, transcode, warnings_of
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


def cook(recipe: Recipe, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Write the new file.

    Keys of the result's metadata: `format`; `picture` with codec, width, height (pixels) and
    frames, `sound` with codec, sample_rate (hertz), channels and samples, or None where there is
    none, or only the codec where it is copied; `end`, how far the source was read, in seconds;
    `dropped_streams`, how many of the source's streams are not in the new file; `warnings`, what
    was damaged or missing.

    Raises:
        InvalidMedia: The source can't be read, or has nothing of what is to be written.
    """
    samples = _samples(recipe, media.path, context)
    path = named_after(media.path, context.workdir, recipe.format)
    tracks = Tracks()
    with Source(media.path, context.threads) as source:
        if recipe.window.start:
            seek_before(source, recipe.window.start, _choose(recipe, source).streams, context)
        chosen = _choose(recipe, source)
        with Output(path, recipe.format) as output:
            output.keep_tags(source.container.metadata, *(s.metadata for s in chosen.streams[-1:]))
            if recipe.window == WHOLE:
                _keep_chapters(source, output)
            _add_tracks(tracks, recipe, source, chosen, samples, output, context.threads)
            transcode(source, chosen.streams, tracks, output, context, recipe.window)
            _demand_something(tracks, recipe, source)
        metadata: dict[str, Any] = {
            "format": recipe.format,
            "picture": _facts(tracks, chosen.picture),
            "sound": _facts(tracks, chosen.sound),
            "end": round(tracks.reached, 6),
            "dropped_streams": len(source.container.streams) - len(chosen.streams),
            "warnings": warnings_of(source, tracks, recipe.window),
        }
    context.progress(1.0, "done")
    return MediaProcessingResult(
        artifacts=(artifact(path, recipe.format, chosen),), metadata=metadata
    )


def artifact(path: Path, format_name: FormatName, chosen: Chosen) -> Artifact:
    """The new file as the host is told of it."""
    asset_type = "video" if chosen.picture is not None else "audio"
    mime_type = FORMATS[format_name].mime_type
    if asset_type == "audio":
        mime_type = mime_type.replace("video/", "audio/")
    return Artifact(path=path, asset_type=asset_type, mime_type=mime_type)


def _samples(recipe: Recipe, path: Path, context: Context) -> dict[int, Any]:
    with Source(path) as source:
        chosen = _choose(recipe, source)
        encoded: list[Stream] = []
        if chosen.picture is not None and recipe.picture != "copy":
            encoded.append(chosen.picture)
        if chosen.sound is not None and recipe.sound != "copy":
            encoded.append(chosen.sound)
        return samples_of(source, encoded, context)


def _choose(recipe: Recipe, source: Source) -> Chosen:
    picture = source.picture() if recipe.picture else None
    sound = source.sound() if recipe.sound else None
    name = shown(source.path)
    if picture is None and recipe.needs_picture:
        raise InvalidMedia(f"{name} has no picture")
    if sound is None and (recipe.needs_sound or not recipe.picture):
        raise InvalidMedia(f"{name} has no sound")
    if picture is None and sound is None:
        raise InvalidMedia(f"{name} has neither picture nor sound that can be read")
    return Chosen(picture, sound)


def _add_tracks(
    tracks: Tracks,
    recipe: Recipe,
    source: Source,
    chosen: Chosen,
    samples: dict[int, Any],
    output: Output,
    threads: int,
) -> None:
    """Add all streams to the new file, before the first packet."""
    picture, sound = chosen
    if picture is not None:
        if recipe.picture == "copy":
            tracks.copied[picture.index] = Copy(source, picture, output)
        elif recipe.picture is not None and picture.index in samples:
            tracks.encoded[picture.index] = Picture(
                source,
                picture,
                samples[picture.index],
                recipe.window,
                recipe.picture,
                output,
                threads,
            )
    if sound is not None:
        if recipe.sound == "copy":
            tracks.copied[sound.index] = Copy(source, sound, output)
        elif recipe.sound is not None and sound.index in samples:
            tracks.encoded[sound.index] = Sound(
                source, sound, samples[sound.index], recipe.window, recipe.sound, output, threads
            )


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
    if tracks.copied or any(track.count for track in tracks.encoded.values()):
        return
    if recipe.window.start:
        raise InvalidMedia(
            f"{shown(source.path)} ends at {tracks.reached:.2f} s,"
            f" before the segment's start at {recipe.window.start:g} s"
        )
    raise InvalidMedia(f"{shown(source.path)} holds nothing that can be decoded")


def _facts(tracks: Tracks, stream: Stream | None) -> dict[str, Any] | None:
    if stream is None:
        return None
    track = tracks.encoded.get(stream.index) or tracks.copied.get(stream.index)
    return track.facts() if track else None
