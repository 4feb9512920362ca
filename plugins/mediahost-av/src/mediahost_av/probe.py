"""What is in a media file, by its header."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame

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
from mediahost_av.upright import display_doubt, orientation_of

IMAGE_FORMATS = frozenset({"image2", "gif", "apng", "webp_anim"})
STREAM_TYPES = frozenset({"video", "audio", "subtitle", "data", "attachment"})
FRAMES_FOR_ROTATION = 50  # packets to look at for the first frame


def probe(media: MediaFile, context: Context) -> MediaAnalysisResult:
    """The file's `MediaInfo` as metadata, its chapters as ranges labelled `chapter`.

    Further keys of the metadata: `has_video` and `has_audio` (a cover picture is no video),
    `display_width` and `display_height` (pixels, after rotation, of the first picture stream).

    Raises:
        InvalidMedia: FFmpeg can't read the file.
    """
    context.checkpoint()
    with Source(media.path) as source:
        doubts: list[str] = []
        info = info_of(source, doubts)
        picture = source.picture()
        metadata: dict[str, Any] = {
            **info.model_dump(mode="json"),
            "has_video": picture is not None,
            "has_audio": source.sound() is not None,
            **_display_size(info, picture),
        }
        ranges = tuple(_chapters(source))
    for doubt in doubts:
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


def info_of(source: Source, doubts: list[str] | None = None) -> MediaInfo:
    """What is in the opened file; what is wrong with it is added to `doubts`.

    Raises:
        InvalidMedia: The header makes no sense.
    """
    container = source.container
    with source.blamed():
        still = _is_still(container)
        first = _first_frame(source)
        if first is not None and doubts is not None:
            doubts += display_doubt(first[1])
        info = MediaInfo(
            container="image" if still else short_name(container.format.name),
            duration=None if still else source.duration,
            size=_positive(container.size),
            bit_rate=None if still else _positive(container.bit_rate),
            streams=tuple(_stream(stream, first, still=still) for stream in container.streams),
            tags=_tags(container.metadata),
        )
    if _is_empty_shell(info):
        raise InvalidMedia(
            f"There is neither sound nor picture in {shown(source.path)}",
            "It is damaged, or something else under this name.",
        )
    return info


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


def _stream(stream: Stream, first: tuple[int, VideoFrame] | None, *, still: bool) -> MediaStream:
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
        duration=None if still else _stream_seconds(stream),
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


def _display_size(info: MediaInfo, picture: Stream | None) -> dict[str, int | None]:
    stream = next((one for one in info.streams if picture and one.index == picture.index), None)
    if stream is None:
        return {"display_width": None, "display_height": None}
    upright = (stream.rotation or 0) % 180 == 0
    width, height = stream.width, stream.height
    return {
        "display_width": width if upright else height,
        "display_height": height if upright else width,
    }


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
