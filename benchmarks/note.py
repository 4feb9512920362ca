"""The cheapest action that can be counted: it naps for NAP_S, notes its number in the file RAN."""

import os
import time

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl

_nap_s = float(os.environ.get("NAP_S", "0"))
_ran = (
    os.open(os.environ["RAN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    if "RAN" in os.environ
    else -1
)


class Note(Analyzer, name="bench.note", version=1):
    """Say that it ran."""

    number: int

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:  # noqa: ARG002
        """One write, so that several processes don't mix their lines."""
        if _nap_s:  # even a nap of no length takes 0.1 ms
            time.sleep(_nap_s)
        os.write(_ran, b"%d\n" % self.number)
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the one action."""
    return [Note]
