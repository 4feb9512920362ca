"""The smallest mediahost plugin: it cuts a recording in two."""

from pydantic import Field

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, TimeRange, hookimpl


class Halves(Analyzer, name="hello.halves", version=1, accepts={"audio", "video"}):
    """Cut a recording in two."""

    at: float = Field(0.5, gt=0, lt=1, description="Where to cut, as a share of the duration")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Say where the two parts begin and end."""
        context.progress(0, "Asking for the duration")
        duration = context.probe(media).duration or 0.0
        cut = duration * self.at
        return MediaAnalysisResult(
            ranges=(
                TimeRange(start=0, end=cut, label="first half"),
                TimeRange(start=cut, end=duration, label="second half"),
            ),
            metadata={"duration": duration},
        )


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the one action."""
    return [Halves]
