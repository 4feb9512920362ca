"""A plugin whose action takes its host along, as the kernel does that runs out of memory."""

import os
import signal
import time

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


class Kill(Analyzer, name="deadly.kill", version=1):
    """Kill what started this worker."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
        return MediaAnalysisResult()


class Nap(Analyzer, name="deadly.nap", version=1):
    """Take as long as is asked for."""

    seconds: float = 0.0

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        time.sleep(self.seconds)
        return MediaAnalysisResult(metadata={"napped": self.seconds})


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the actions."""
    return [Kill, Nap]
