"""A plugin whose actions need a file named `model` beside the media folder."""

import os
from pathlib import Path

from mediahost import (
    Action,
    Analyzer,
    Context,
    MediaAnalysisResult,
    MediaFile,
    Unavailable,
    hookimpl,
)


def check() -> None:
    if not Path(os.environ["OPEN"]).with_name("model").exists():
        raise Unavailable("The model is not here", "Get the model.")


class Early(Analyzer, name="lacking.early", version=1):
    """Say before the first job that it lacks something."""

    def preflight(self) -> None:
        check()

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        check()
        return MediaAnalysisResult()


class Late(Analyzer, name="lacking.late", version=1):
    """Say so in the attempt."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        check()
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    return [Early, Late]
