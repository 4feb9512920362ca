"""Actions: their name, their config, their secrets."""

import json
from typing import Any

import pytest
from pydantic import Field, SecretBytes, SecretStr, ValidationError, model_validator

from mediahost import (
    Action,
    Analyzer,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaKind,
    MediaProcessingResult,
    Processor,
)
from mediahost.errors import InvalidConfig


class Looks(Analyzer, name="test.looks", version=3, accepts={"audio"}, timeout_s=5, pool="gpu"):
    """Look."""

    at: float = Field(0.5, gt=0, lt=1)
    count: int = 1
    words: tuple[str, ...] = ()

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


class Asks(Analyzer, name="test.asks"):
    """Ask somebody who wants a password."""

    model: str = "small"
    key: SecretStr | None = Field(None, min_length=8)
    keys: dict[str, SecretStr] = Field(default_factory=dict)
    token: SecretBytes = SecretBytes(b"hush")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


def test_an_action_knows_what_it_was_made_with() -> None:
    assert Looks.info.name == "test.looks"
    assert Looks.info.version == 3
    assert Looks.info.kind == "analyzer"
    assert Looks.info.accepts == {MediaKind.AUDIO}
    assert Looks.info.timeout_s == 5
    assert Looks.info.pool == "gpu"


def test_an_action_that_says_nothing_takes_every_kind_of_file_on_a_cpu() -> None:
    assert Asks.info.accepts == set(MediaKind)
    assert (Asks.info.version, Asks.info.timeout_s, Asks.info.pool) == (1, None, "cpu")


@pytest.mark.parametrize(
    "name", ["", "halves", "Hello.halves", "hello.", ".halves", "hello halves", "hello.1x", "a.b\n"]
)
def test_a_name_that_is_no_plugin_and_verb_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is no action name; write it like 'hello\.halves'"):
        type("Bad", (Looks,), {"__module__": __name__}, name=name)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"version": 0}, "version of test.bad must be 1 or more, not 0"),
        ({"accepts": {"smell"}}, "'smell' is not a valid MediaKind"),
        ({"pool": "gpus"}, "pool of test.bad must be one of cpu, gpu, network, not 'gpus'"),
    ],
)
def test_nonsense_about_an_action_is_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        type("Bad", (Looks,), {"__module__": __name__}, name="test.bad", **given)


def test_an_action_is_an_analyzer_or_a_processor() -> None:
    with pytest.raises(TypeError, match=r"test\.neither must be an Analyzer or a Processor"):
        type("Neither", (Action,), {"__module__": __name__}, name="test.neither")


def test_a_processor_says_that_it_is_one() -> None:
    class Makes(Processor, name="test.makes"):
        """Make."""

        def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
            raise NotImplementedError

    assert Makes.info.kind == "processor"


def test_text_becomes_what_the_field_is() -> None:
    assert Looks.configured({"at": "0.25", "count": "3"}) == Looks(at=0.25, count=3)


def test_an_unknown_field_is_refused_with_a_suggestion() -> None:
    with pytest.raises(InvalidConfig) as caught:
        Looks.configured({"cuont": 3})
    assert caught.value.message == "test.looks: No field named 'cuont'; did you mean count?"
    assert caught.value.hint == "There are: at, count, words."


def test_every_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(InvalidConfig) as caught:
        Looks.configured({"at": 2, "count": "many"})
    assert caught.value.message.startswith("The config of test.looks doesn't fit: ")
    assert "at: input should be less than 1, not 2" in caught.value.message
    assert "count: input should be a valid integer" in caught.value.message
    assert caught.value.message.endswith("not 'many'")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_no_key_can_be_made_of_is_refused(number: float) -> None:
    with pytest.raises(InvalidConfig):
        Looks.configured({"at": number})


def test_a_config_does_not_change() -> None:
    with pytest.raises(ValidationError):
        setattr(Looks(), "at", 0.1)  # noqa: B010 - mypy knows that it is read-only


def test_the_public_config_is_whole_and_plain() -> None:
    config = Looks(at=0.25, words=("a",)).public_config()
    assert config == {"at": 0.25, "count": 1, "words": ["a"]}
    assert Looks.configured(json.loads(json.dumps(config))) == Looks(at=0.25, words=("a",))


def test_secrets_are_never_in_the_public_config_nor_whether_there_is_one() -> None:
    secretive = Asks(key=SecretStr("hunter2hunter2"), keys={"a": SecretStr("x")})
    assert secretive.public_config() == Asks().public_config() == {"model": "small"}


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(Asks(key=SecretStr("hunter2hunter2")))


@pytest.mark.parametrize("config", [{"key": "hunter2"}, {"keys": {"a": ["hunter2"]}}])
def test_a_secret_that_does_not_fit_is_not_in_the_error(config: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfig) as caught:
        Asks.configured(config)
    assert "hunter2" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_complaint_about_the_whole_config_shows_none_of_its_secrets() -> None:
    class Picky(Asks, name="test.picky"):
        """Be picky."""

        @model_validator(mode="before")
        @classmethod
        def _is_never_content(cls, data: Any) -> Any:
            raise ValueError("it can't be")

    with pytest.raises(InvalidConfig) as caught:
        Picky.configured({"key": "hunter2hunter2"})
    message = caught.value.message
    assert message == "The config of test.picky doesn't fit: it can't be"
