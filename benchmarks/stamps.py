"""An action that notes when it was started: BENCH_STAMPS names the file that lines go to."""

import os
import time

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


class Stamp(Analyzer, name="bench.stamp", version=1):
    """Note the time."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:  # noqa: ARG002
        """Append a line: the file's name, and Unix seconds."""
        line = f"{media.path.name} {time.time()}\n".encode()
        stamps = os.open(os.environ["BENCH_STAMPS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(stamps, line)
        os.close(stamps)
        return MediaAnalysisResult(metadata={"size": media.path.stat().st_size})


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the one action."""
    return [Stamp]
