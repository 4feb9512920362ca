"""Actions that misbehave; a note in the workdir says when."""

import ctypes
import os
import signal
import subprocess
import time

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


class Die(Analyzer, name="wreck.die", version=1):
    """Die, and leave the time of it."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:  # noqa: ARG002
        """Never returns."""
        (context.workdir.parent / "died").write_text(str(time.monotonic()))
        os.kill(os.getpid(), signal.SIGKILL)
        return MediaAnalysisResult()


class Hang(Analyzer, name="wreck.hang", version=1):
    """Hang in C code with the interpreter's lock held, a program and its daemon beside it."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:  # noqa: ARG002
        """Never returns."""
        beside = subprocess.Popen(["sleep", "600"])
        daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
        note = context.workdir.parent / "hangs"
        note.with_suffix(".part").write_text(f"{os.getpid()} {beside.pid} {daemon.pid}")
        note.with_suffix(".part").replace(note)
        ctypes.PyDLL(None).pause()
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the actions."""
    return [Die, Hang]
