"""How long a recording is meant to be, where its header knows it and the decoder does not guess."""

from typing import Literal

from mediahost.plugin.media_reader import MediaReader

# FFmpeg's names of formats without a header: their duration is a guess by size and bit rate, or
# by the first and the last time in the file, which is wrong where files were joined.
_HEADERLESS = frozenset(
    {
        *("aac", "ac3", "adx", "amr", "amrnb", "amrwb", "dts", "dtshd", "eac3", "g722", "g729"),
        *("gsm", "h261", "h263", "h264", "hevc", "latm", "loas", "m4v", "mlp", "mpeg", "mpegts"),
        *("mpegvideo", "truehd", "vc1"),
    }
)
_RIFF_HEADER = 8  # bytes before those that the header counts
_RIFF: dict[bytes, Literal["little", "big"]] = {b"RIFF": "little", b"RIFX": "big", b"FORM": "big"}
_UNKNOWN = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFF7})  # what live recorders write
_ID3_HEADER = 10
_FIRST_FRAME = 4096  # bytes in which the table of the first frame is, if there is one
_TABLES = (b"Xing", b"Info", b"VBRI")


def promised_duration(
    format_name: str, reader: MediaReader, duration_s: float | None
) -> float | None:
    """How long the recording is by its header, in seconds; None: the header doesn't know.

    Args:
        format_name: FFmpeg's name of the format, such as `mp3`.
        reader: The file; afterwards it stands where it stood.
        duration_s: The duration that FFmpeg tells: without a header it is a guess, and that of a
            WAV file goes by the bytes that are there.
    """
    if duration_s is None or duration_s <= 0 or _is_estimate(format_name, reader):
        return None
    return duration_s * _promised_bytes(reader) / reader.size


def _promised_bytes(reader: MediaReader) -> int:
    """How long the file is by its own header; its true size where that says nothing else."""
    head = _read_at(reader, 0, _RIFF_HEADER)
    order = _RIFF.get(head[:4])
    if order is None:
        return reader.size
    counted = int.from_bytes(head[4:], order)
    return reader.size if counted in _UNKNOWN else max(counted + _RIFF_HEADER, reader.size)


def _read_at(reader: MediaReader, at: int, size: int) -> bytes:
    before = reader.tell()
    try:
        reader.seek(at)
        return reader.read(size)
    finally:
        reader.seek(before)


def _is_estimate(format_name: str, reader: MediaReader) -> bool:
    """Whether the duration that a decoder tells is a guess."""
    if format_name in _HEADERLESS:
        return True
    return format_name == "mp3" and not _has_table(reader)


def _has_table(reader: MediaReader) -> bool:
    """Whether an MP3 file counts its frames in its first one (Xing, Info or VBRI)."""
    head = _read_at(reader, 0, _ID3_HEADER)
    start = _after_id3(head) if head.startswith(b"ID3") else 0
    first = _read_at(reader, min(start, reader.size), _FIRST_FRAME)
    return any(table in first for table in _TABLES)


def _after_id3(head: bytes) -> int:
    """Where the sound begins, in bytes: ID3 counts with 7 bits to a byte."""
    size = 0
    for byte in head[6:_ID3_HEADER]:
        size = size << 7 | byte & 0x7F
    return size + _ID3_HEADER
