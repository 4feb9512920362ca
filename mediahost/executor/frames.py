"""Frames: how the host and a worker talk, a 4-byte big-endian length and so much JSON."""

import json
import struct
from typing import Any

_LENGTH = struct.Struct(">I")

# Made once: `json.dumps` makes an encoder for each call with such arguments.
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

# A frame is held in memory twice on each side; no result that a person looks at is this long.
MAX_BYTES = 64 << 20


class BadFrame(ValueError):
    """The other side sent something that is no frame, or one that is too long."""


def pack(message: Any) -> bytes:
    """A message as one frame.

    Raises:
        BadFrame: It takes more than `MAX_BYTES`.
        ValueError: It holds something that JSON has no word for.
        TypeError: The same.
    """
    body = _ENCODER.encode(message).encode()
    if len(body) > MAX_BYTES:
        raise BadFrame(f"{len(body) >> 20} MiB are too many; {MAX_BYTES >> 20} MiB are the limit")
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Makes messages out of bytes as they come in."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages that are complete now.

        Raises:
            BadFrame: That was no frame; nothing that follows can be trusted.
        """
        self._pending += data
        messages = []
        begin = 0
        while len(self._pending) - begin >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending, begin)
            if length > MAX_BYTES:
                raise BadFrame(f"A frame of {length} bytes was announced")
            end = begin + _LENGTH.size + length
            if len(self._pending) < end:
                break
            messages.append(_parsed(self._pending[begin + _LENGTH.size : end]))
            begin = end
        del self._pending[:begin]
        return messages


def _parsed(body: bytearray) -> Any:
    try:
        return json.loads(body.decode())
    except ValueError:
        raise BadFrame("A frame held no JSON") from None
