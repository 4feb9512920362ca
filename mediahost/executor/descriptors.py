"""Descriptors: the sockets and the output that a worker was started with."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mediahost.executor.frames import FrameReader

RECEIVE_BYTES = 1 << 16


def private(descriptor: int) -> socket.socket:
    """The socket of this number, closed in every fork."""
    own = socket.socket(fileno=descriptor)
    os.register_at_fork(after_in_child=own.close)
    return own


def messages(own: socket.socket) -> Iterator[Any]:
    """What comes in, until no more is to come."""
    reader = FrameReader()
    with suppress(OSError):
        while data := own.recv(RECEIVE_BYTES):
            yield from reader.feed(data)


def output() -> list[int]:
    """What descriptors 1 and 2 stand for.

    A plugin may close or redirect them. Then what it prints would go into the next file that
    somebody opens, so the worker is of no more use.
    """
    with suppress(OSError):
        return [os.fstat(1).st_ino, os.fstat(2).st_ino]
    return []
