"""The subtitles that a film carries."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Discard, Stream
from av.subtitles.subtitle import AssSubtitle

from mediahost import (
    Context,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    TimeRange,
    Transcription,
)
from mediahost_subtitles.actions import Read

# Formats that point at other files or at the network, or that show any text as a picture.
_NOT_MEDIA = frozenset(
    {"concat", "dash", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "smil", "tty"}
)
_MICROSECONDS = 1_000_000  # FFmpeg's unit for the times of a container
_PICTURES = frozenset({"dvb_subtitle", "dvd_subtitle", "hdmv_pgs_subtitle", "xsub"})
_INDEXED = "mp4"  # its index tells where packets are, so that no others need be read
_COMMAND = re.compile(r"\{\\[^}]*\}")
_FIELDS_BEFORE_TEXT = 8  # ReadOrder, Layer, Style, Name, three margins, Effect


def read(action: Read, media: MediaFile, context: Context) -> MediaAnalysisResult:
    """Read one track of text."""
    name = repr(media.path.name)[1:-1]
    with opened(media.path, name) as container:
        with blamed(name):
            tracks = [one for one in container.streams.subtitles if _codec(one) not in _PICTURES]
        languages = [_language(track) for track in tracks]
        wanted = action.language or (languages[0] if languages else None)
        track = next((one for one in tracks if _language(one) == wanted), None)
        if track is None:
            kinds = ", ".join(sorted({language or "unknown" for language in languages}))
            raise InvalidMedia(
                f"{name} has no subtitles of text" + (f" in {wanted}" if wanted else ""),
                f"It has some in: {kinds}." if kinds else None,
            )
        codec = _codec(track)
        ranges = tuple(_ranges(container, track, name, context))
    return MediaAnalysisResult(
        ranges=ranges,
        metadata={
            "subtitles": len(ranges),
            "language": wanted,
            "codec": codec,
            "tracks": [*languages],
        },
        transcription=Transcription(
            provider="subtitles",
            text=" ".join(str(found.payload["text"]).replace("\n", " ") for found in ranges),
            language=wanted,
        ),
    )


def _ranges(
    container: InputContainer, track: Stream, name: str, context: Context
) -> Iterator[TimeRange]:
    begin = (container.start_time or 0) / _MICROSECONDS
    for packet in _packets(container, track, name, context):
        with blamed(name):
            shown = [one for one in packet.decode() if isinstance(one, AssSubtitle)]
            text = "\n".join(filter(None, (_text(one.ass) for one in shown)))
        if not text or packet.pts is None:
            continue
        start = max(float(packet.pts * packet.time_base) - begin, 0.0)
        length = float((packet.duration or 0) * packet.time_base)
        if container.duration:
            context.progress(start * _MICROSECONDS / container.duration, "reading")
        yield TimeRange(
            start=round(start, 3),
            end=round(start + length, 3),
            label="subtitle",
            payload={"text": text},
        )


def _packets(
    container: InputContainer, track: Stream, name: str, context: Context
) -> Iterator[Any]:
    """The track's packets. In most formats the whole film is read for them, minute by minute."""
    wanted: list[Stream] = [*container.streams]
    if _INDEXED in container.format.name:
        wanted = [track]
        for other in container.streams:
            other.discard = Discard.default if other.index == track.index else Discard.all
    packets = container.demux(wanted)
    while True:
        context.checkpoint()
        with blamed(name):
            packet: Any = next(packets, None)
        if packet is None:
            return
        if packet.stream_index == track.index:
            yield packet


def _text(event: bytes) -> str:
    """An ASS event without its fields and commands."""
    fields = event.decode(errors="replace").split(",", _FIELDS_BEFORE_TEXT)
    text = _COMMAND.sub("", fields[-1]).replace("\\N", "\n").replace("\\n", "\n")
    return "\n".join(line.strip() for line in text.replace("\\h", " ").splitlines()).strip()


def _codec(stream: Stream) -> str:
    # PyAV's types don't say so, but it is None for codecs that FFmpeg can't decode.
    context: Any = stream.codec_context
    return str(context.name) if context is not None else next(iter(_PICTURES))


def _language(stream: Stream) -> str | None:
    return None if stream.language in {None, "", "und"} else stream.language


@contextmanager
def opened(path: Path, name: str) -> Iterator[InputContainer]:
    """A film, opened for reading.

    Raises:
        InvalidMedia: It is damaged, or no film.
    """
    status = os.stat(path)  # noqa: PTH116 - follows links, raises plainly
    # FFmpeg would wait for ever for somebody to write to a FIFO.
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        raise InvalidMedia(f"{name} is empty" if not status.st_size else f"{name} is no file")
    with blamed(name):
        container = av.open(
            # Without `file:`, a name such as `concat:a|b` is an instruction to FFmpeg.
            f"file:{path.absolute()}",
            container_options={
                "format_whitelist": _trusted_formats(),
                "protocol_whitelist": "file",
            },
            metadata_errors="replace",
        )
    with container:
        yield container


@contextmanager
def blamed(name: str) -> Iterator[None]:
    """Whatever goes wrong in here is the file's fault: PyAV raises anything on damaged files."""
    try:
        yield
    except InvalidMedia:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InvalidMedia(
            f"{name} can't be read: {reason}", "It is damaged, cut off, or no film."
        ) from error


@cache
def _trusted_formats() -> str:
    return ",".join(sorted(av.formats_available - _NOT_MEDIA))
