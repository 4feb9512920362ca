"""A plugin whose actions follow from this source alone, but for those that say otherwise."""

from itertools import count

from pydantic import BaseModel, Field, SecretStr

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl

_numbers = count()


class Say(Analyzer, name="steady.say", version=1):
    """Say a word."""

    word: str = "yes"

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(metadata={"word": self.word})


class Draw(Analyzer, name="steady.draw", version=1):
    """Say a number, another one in each process but for luck."""

    number: int = Field(default_factory=lambda: next(_numbers))

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(metadata={"number": self.number})


class Hide(Analyzer, name="steady.hide", version=1):
    """Keep a secret."""

    secret: SecretStr = SecretStr("")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


class Hidden(BaseModel):
    """What a field may be."""

    secret: SecretStr = SecretStr("")


class Nest(Analyzer, name="steady.nest", version=1):
    """Keep a secret within a field."""

    hidden: tuple[Hidden, ...] = ()

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host the actions."""
    return [Say, Draw, Hide, Nest]
