"""The subtitles that a film carries."""

import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
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
    MediaReader,
    TimeRange,
    Transcription,
    trusted_formats,
)
from mediahost_subtitles.actions import Read

_BUFFER_BYTES = 1 << 17  # for each read of the file
_MICROSECONDS = 1_000_000  # FFmpeg's unit for the times of a container
_PICTURES = frozenset({"dvb_subtitle", "dvd_subtitle", "hdmv_pgs_subtitle", "xsub"})
_INDEXED = "mp4"  # its index tells where packets are, so that no others need be read
_COMMAND = re.compile(r"\{\\[^}]*\}")
_FIELDS_BEFORE_TEXT = 8  # ReadOrder, Layer, Style, Name, three margins, Effect


def read(action: Read, media: MediaFile, context: Context) -> MediaAnalysisResult:
    """Read one track of text."""
    name = repr(media.path.name)[1:-1]
    with closing(MediaReader(media.path)) as reader, opened(reader) as container:
        with reader.guarded():
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
        ranges = tuple(_ranges(reader, container, track, context))
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
    reader: MediaReader, container: InputContainer, track: Stream, context: Context
) -> Iterator[TimeRange]:
    begin = (container.start_time or 0) / _MICROSECONDS
    for packet in _packets(reader, container, track, context):
        with reader.guarded():
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
    reader: MediaReader, container: InputContainer, track: Stream, context: Context
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
        with reader.guarded():
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


def opened(reader: MediaReader) -> InputContainer:
    """A film as PyAV opens it, without following pointers to other files.

    Raises:
        InvalidMedia: It is damaged, or no film.
        TransientError: The disk or the network failed.
    """
    with reader.guarded():
        return av.open(
            reader,
            "r",
            container_options={"format_whitelist": _trusted_formats(), "protocol_whitelist": ""},
            metadata_errors="replace",
            buffer_size=_BUFFER_BYTES,
        )


@cache
def _trusted_formats() -> str:
    return trusted_formats(av.formats_available)
