"""A plugin that speaks for its worker: it finds the worker's socket and answers as it likes."""

import json
import struct
import sys
import time
from typing import Any

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl

TRUTH: dict[str, Any] = {
    "kind": "ended",
    "warm": [],
    "spent": False,
    "outcome": "ok",
    "result": '{"kind":"analysis","metadata":{"lie":1}}',
    "result_hash": "blake3:" + "0" * 64,
    "failure": None,
    "elapsed_ms": 5,
}
LEFT_OUT = "(left out)"


class Lie(Analyzer, name="faults.lie"):
    """Send an answer in which some members are others, or bytes; then go on as if nothing was."""

    members: dict[str, Any] = {}  # noqa: RUF012 - a field
    raw: str = ""
    pause_s: float = 0.5

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Lie."""
        socket, number = _link()
        if self.raw:
            socket.sendall(bytes.fromhex(self.raw))
        else:
            told = {**TRUTH, "n": number, **self.members}
            body = json.dumps({k: v for k, v in told.items() if v != LEFT_OUT}).encode()
            socket.sendall(struct.pack(">I", len(body)) + body)
        time.sleep(self.pause_s)
        return MediaAnalysisResult()


def _link() -> tuple[Any, int]:
    """The worker's socket, and the number of this attempt, out of the frames that led here."""
    frame = sys._getframe()
    while "number" not in frame.f_locals or not hasattr(frame.f_locals["self"], "_link"):
        assert frame.f_back
        frame = frame.f_back
    return frame.f_locals["self"]._link._jobs, frame.f_locals["number"]


@hookimpl
def mediahost_register_actions() -> list[Any]:
    """The action."""
    return [Lie]
