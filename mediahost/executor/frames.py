"""Frames: how the host and a worker talk, a 4-byte big-endian length and so much JSON."""

import json
import struct
from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

_LENGTH = struct.Struct(">I")

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
    body = _spelled(message)
    if len(body) > MAX_BYTES:
        raise BadFrame(f"{len(body) >> 20} MiB are too many; {MAX_BYTES >> 20} MiB are the limit")
    return _LENGTH.pack(len(body)) + body


def _spelled(message: Any) -> bytes:
    try:
        body = to_json(message)
    except PydanticSerializationError:
        # A lone surrogate in a text: not UTF-8, but JSON can spell it.
        pass
    else:
        if b"NaN" not in body and b"Infinity" not in body:
            return body
        # Words, or numbers that JSON has no word for: the next one can tell.
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()


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
            messages.append(_parsed(bytes(self._pending[begin + _LENGTH.size : end])))
            begin = end
        del self._pending[:begin]
        return messages


def _parsed(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        pass
    try:
        # It knows lone surrogates.
        return json.loads(body.decode())
    except (ValueError, RecursionError):
        raise BadFrame("A frame held no JSON") from None
