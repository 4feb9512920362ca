"""The cheapest real action: what is left of a job's cost is the host's own.

The benchmarks load this file as a plugin under development, by MEDIAHOST_PLUGINS.
"""

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


class Noop(Analyzer, name="bench.noop", version=1):
    """Find nothing."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:  # noqa: ARG002
        """Return at once."""
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the one action."""
    return [Noop]
