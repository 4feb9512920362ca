"""What is in a media file, by its header."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mediahost import (
    Context,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    MediaInfo,
    MediaStream,
    TimeRange,
    TransientError,
)
from mediahost_av.container import Source, decoder_of, shown
from mediahost_av.picture_facts import picture_facts
from mediahost_av.upright import display_doubt, orientation_of

IMAGE_FORMATS = frozenset({"image2", "gif", "apng", "webp_anim"})
STREAM_TYPES = frozenset({"video", "audio", "subtitle", "data", "attachment"})
FILM_STREAMS = frozenset({"mpegts", "mpeg"})  # they may be hours of television
FRAMES_FOR_ROTATION = 50  # packets to look at for the first frame


def probe(media: MediaFile, context: Context) -> MediaAnalysisResult:
    """The file's `MediaInfo` as metadata, its chapters as ranges labelled `chapter`.

    Further keys of the metadata: `duration_is_estimate`, whether nothing in the file tells its
    duration, so that it is guessed by size and bit rate or by its first and last time; `has_video`
    and `has_audio` (a cover picture is no video); `display_width` and `display_height` of the
    first picture stream, in square pixels, as it is shown; `pixel_aspect`, width of a stored pixel
    by its height, such as `64:45`; `interlaced`; and, where the film says so, `color_primaries`,
    `color_transfer`, `color_matrix` and `color_range`, in FFmpeg's words.

    Raises:
        InvalidMedia: FFmpeg can't read the file.
    """
    context.checkpoint()
    with Source(media.path) as source:
        seen: list[VideoFrame] = []
        info = info_of(source, seen)
        picture = source.picture()
        metadata: dict[str, Any] = {
            **info.model_dump(mode="json"),
            "has_video": picture is not None,
            "has_audio": source.sound() is not None,
            "duration_is_estimate": _is_estimate(source, info),
            **_shown(info, picture, seen),
        }
        ranges = tuple(_chapters(source))
    for doubt in (doubt for frame in seen for doubt in display_doubt(frame)):
        context.log.warning(doubt)
    context.progress(1.0)
    return MediaAnalysisResult(ranges=ranges, metadata=metadata)


def info_or_none(path: Path) -> MediaInfo | None:
    """What is in the file, or None if FFmpeg can't read it."""
    try:
        with Source(path) as source:
            return info_of(source)
    except (InvalidMedia, TransientError):
        return None


def info_of(source: Source, seen: list[VideoFrame] | None = None) -> MediaInfo:
    """What is in the opened file; its first frame is added to `seen`.

    Raises:
        InvalidMedia: The header makes no sense.
    """
    with source.blamed():
        counted = _counted_duration(source)
        container = source.container
        still = _is_still(container)
        first = _first_frame(source)
        if first is not None and seen is not None:
            seen.append(first[1])
        info = MediaInfo(
            container="image" if still else short_name(container.format.name),
            duration=None if still else counted or source.duration,
            size=_positive(container.size),
            bit_rate=None if still else _positive(container.bit_rate),
            streams=tuple(
                _stream(stream, first, counted, still=still) for stream in container.streams
            ),
            tags=_tags(container.metadata),
        )
    if _is_empty_shell(info):
        raise InvalidMedia(
            f"There is neither sound nor picture in {shown(source.path)}",
            "It is damaged, or something else under this name.",
        )
    return info


def _is_estimate(source: Source, info: MediaInfo) -> bool:
    guessed = source.duration is not None and source.promised_s([]) is None
    return guessed and info.duration == source.duration


def _counted_duration(source: Source) -> float | None:
    """How long the sound is by its packets, in seconds, where the header can only guess.

    The source is opened anew after that. None: the header knows, or to count would mean to read
    whole films.
    """
    sound = source.sound()
    guessed = source.duration is not None and source.promised_s([]) is None
    if not guessed or sound is None or source.picture() is not None:
        return None
    if source.container.format.name in FILM_STREAMS:
        return None
    ticks = sum(packet.duration or 0 for packet in source.packets(sound))
    seconds = source.length(sound, ticks)
    source.rewind()
    return seconds or None


def _is_empty_shell(info: MediaInfo) -> bool:
    """Whether FFmpeg has only believed the name: of any bytes in x.flac it makes a stream."""
    watched = [stream for stream in info.streams if stream.type in {"audio", "video"}]
    return (
        bool(watched)
        and info.duration is None
        and not any(stream.width or stream.sample_rate for stream in watched)
    )


def _is_still(container: InputContainer) -> bool:
    name = container.format.name
    return name in IMAGE_FORMATS or name.endswith("_pipe")


def short_name(name: str) -> str:
    """FFmpeg calls a demuxer by all that it reads: mov,mp4,m4a,3gp,3g2,mj2."""
    return "mp4" if name.startswith("mov,mp4") else name.split(",", maxsplit=1)[0]


def _stream(
    stream: Stream,
    first: tuple[int, VideoFrame] | None,
    counted: float | None,
    *,
    still: bool,
) -> MediaStream:
    codec: Any = decoder_of(stream)
    known: dict[str, Any] = {}
    if codec is not None:
        known = {"codec": codec.codec.canonical_name, "bit_rate": _positive(codec.bit_rate)}
    if codec is not None and stream.type == "video":
        known |= {
            "width": _positive(codec.width),
            "height": _positive(codec.height),
            "frame_rate": None if still else _rate(stream.average_rate),
            **_turn(first, stream),
            "pixel_format": codec.pix_fmt,
        }
    if codec is not None and stream.type == "audio":
        known |= {
            "sample_rate": _positive(codec.sample_rate),
            "channels": _positive(codec.channels),
            "channel_layout": codec.layout.name or None,
            "sample_format": codec.format.name if codec.format else None,
        }
    return MediaStream(
        index=stream.index,
        type=stream.type if stream.type in STREAM_TYPES else "data",
        duration=None if still else (counted or _stream_seconds(stream)),
        language=None if stream.language == "und" else stream.language,
        tags=_tags(stream.metadata),
        **known,
    )


def _turn(first: tuple[int, VideoFrame] | None, stream: Stream) -> dict[str, Any]:
    if first is None or first[0] != stream.index:
        return {}
    orientation = orientation_of(first[1])
    return {"rotation": orientation.rotation, "mirrored": orientation.mirrored}


def _first_frame(source: Source) -> tuple[int, VideoFrame] | None:
    """The picture's index and its first frame, with which its orientation comes."""
    picture = source.picture()
    if picture is None:
        return None
    for seen, packet in enumerate(source.packets(picture)):
        for frame in source.frames(packet):
            return picture.index, frame
        if seen == FRAMES_FOR_ROTATION:
            break
    return None


def _chapters(source: Source) -> Iterable[TimeRange]:
    with source.blamed():
        chapters = source.container.chapters()
    for chapter in chapters:
        base = chapter["time_base"]
        if base is None or not 0 <= chapter["start"] <= chapter["end"]:
            continue
        yield TimeRange(
            start=float(chapter["start"] * base),
            end=float(chapter["end"] * base),
            label="chapter",
            payload=dict(_tags(chapter["metadata"])),
        )


def _shown(info: MediaInfo, picture: VideoStream | None, seen: list[VideoFrame]) -> dict[str, Any]:
    if picture is not None and seen:
        return picture_facts(picture, seen[0])
    stream = next((one for one in info.streams if picture and one.index == picture.index), None)
    width, height = (stream.width, stream.height) if stream else (None, None)
    return {"display_width": width, "display_height": height}


def _stream_seconds(stream: Stream) -> float | None:
    if stream.duration is None or stream.time_base is None or stream.duration <= 0:
        return None
    return float(stream.duration * stream.time_base)


def _positive(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def _rate(rate: Any) -> float | None:
    return float(rate) if rate else None


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    return {str(key): str(value) for key, value in metadata.items()}
