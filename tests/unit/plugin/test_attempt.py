"""The worker's door: what an action returns is checked before anybody keeps it."""

import errno
import math
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError
from types import ModuleType
from typing import Any

import pytest

from mediahost import (
    Analyzer,
    Artifact,
    Context,
    InvalidMedia,
    JobCancelled,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Processor,
    Result,
    TimeRange,
    TransientError,
    hookimpl,
)
from mediahost.errors import PluginError, UsageError
from mediahost.hashing import canonical, hash_bytes
from mediahost.model.job import Outcome
from mediahost.plugin.action import Action
from mediahost.plugin.attempt import SHORT_BYTES, failure_of, result_hash, run_attempt
from mediahost.plugin.registry import PluginRow, Registry


class Looks(Analyzer, name="test.looks"):
    """Give what the test says."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        given: MediaAnalysisResult = RETURNS[media.path.stem]()
        return given


class Makes(Processor, name="test.makes"):
    """Make what the test says."""

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        given: MediaProcessingResult = MAKES[media.path.stem](context.workdir)
        return given


RETURNS: dict[str, Callable[[], Any]] = {}
MAKES: dict[str, Callable[[Path], Any]] = {}

Attempt = Callable[[Action], Result]


@pytest.fixture
def attempt(registry: Registry, media: MediaFile, context: Context) -> Attempt:
    return lambda action: run_attempt(registry, action, media, context, "blake3")


def _returning(value: Any) -> Analyzer:
    RETURNS["talk"] = lambda: value
    return Looks()


def _making(make: Callable[[Path], Any]) -> Processor:
    MAKES["talk"] = make
    return Makes()


def _artifact(path: str | Path, **more: Any) -> MediaProcessingResult:
    return MediaProcessingResult(artifacts=(Artifact(path=Path(path), asset_type="audio", **more),))


def _raise(error: BaseException) -> None:
    raise error


def _unchecked(**values: Any) -> MediaAnalysisResult:
    return MediaAnalysisResult.model_construct(**{"ranges": (), "metadata": {}, **values})


def test_a_good_result_comes_through(attempt: Attempt) -> None:
    result = MediaAnalysisResult(ranges=(TimeRange(start=0, end=1),), metadata={"a": [1, None]})
    assert attempt(_returning(result)) == result


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, "done", _artifact("x"), MediaAnalysisResult, "x" * 10_000]
)
def test_what_is_no_result_is_refused_and_shown_shortly(attempt: Attempt, value: Any) -> None:
    with pytest.raises(PluginError, match="where MediaAnalysisResult was expected") as caught:
        attempt(_returning(value))
    assert caught.value.message.startswith("test.looks returned ")
    assert len(caught.value.message) < 200


class Surprising(MediaAnalysisResult):
    """Has a field that no result has."""

    surprise: int = 1


@pytest.mark.parametrize(
    "result",
    [
        _unchecked(ranges=(TimeRange.model_construct(start=2.0, end=1.0, label="x"),)),
        _unchecked(ranges=(TimeRange.model_construct(start=math.nan, end=1.0, label="x"),)),
        _unchecked(ranges=7),
        _unchecked(metadata={"level": math.nan}),
        _unchecked(metadata={"level": math.inf}),
        _unchecked(metadata={"thing": object()}),
        _unchecked(metadata={"bytes": b"\xff"}),
        Surprising(),
    ],
)
def test_a_result_that_could_not_be_kept_is_refused(
    attempt: Attempt, result: MediaAnalysisResult
) -> None:
    with pytest.raises(PluginError, match="returned a result that is not valid: "):
        attempt(_returning(result))


def test_an_artifact_gets_its_size_hash_and_type(attempt: Attempt, context: Context) -> None:
    def make(workdir: Path) -> MediaProcessingResult:
        (workdir / "sub").mkdir()
        (workdir / "sub" / "a.wav").write_bytes(b"made")
        return _artifact("sub/a.wav")

    result = attempt(_making(make))
    assert isinstance(result, MediaProcessingResult)
    assert result.artifacts == (
        Artifact(
            path=(context.workdir / "sub" / "a.wav").resolve(),
            asset_type="audio",
            mime_type="audio/wav",
            size=4,
            file_hash=hash_bytes(b"made"),
        ),
    )


def test_an_action_cant_lie_about_size_and_hash(attempt: Attempt) -> None:
    def make(workdir: Path) -> MediaProcessingResult:
        (workdir / "a.wav").write_bytes(b"made")
        return _artifact(workdir / "a.wav", size=99, file_hash="blake3:lie", mime_type="x/y")

    result = attempt(_making(make))
    assert isinstance(result, MediaProcessingResult)
    (artifact,) = result.artifacts
    assert (artifact.size, artifact.file_hash) == (4, hash_bytes(b"made"))
    assert artifact.mime_type == "x/y"


def _outside(workdir: Path) -> MediaProcessingResult:
    (workdir.parent / "outside.wav").write_bytes(b"x")
    return _artifact(workdir.parent / "outside.wav")


def _upwards(workdir: Path) -> MediaProcessingResult:
    _outside(workdir)
    return _artifact("../outside.wav")


def _by_a_link(workdir: Path) -> MediaProcessingResult:
    _outside(workdir)
    (workdir / "a.wav").symlink_to(workdir.parent / "outside.wav")
    return _artifact("a.wav")


def _by_a_linked_folder(workdir: Path) -> MediaProcessingResult:
    _outside(workdir)
    (workdir / "sub").symlink_to(workdir.parent)
    return _artifact("sub/outside.wav")


def _by_its_neighbours_name(workdir: Path) -> MediaProcessingResult:
    neighbour = workdir.with_name(workdir.name + "-2")
    neighbour.mkdir()
    (neighbour / "a.wav").write_bytes(b"x")
    return _artifact(neighbour / "a.wav")


@pytest.mark.parametrize(
    "make", [_outside, _upwards, _by_a_link, _by_a_linked_folder, _by_its_neighbours_name]
)
def test_an_artifact_outside_the_workdir_is_refused(
    attempt: Attempt, make: Callable[[Path], Any]
) -> None:
    with pytest.raises(PluginError, match="which is outside its workdir"):
        attempt(_making(make))


def _folder(workdir: Path) -> MediaProcessingResult:
    (workdir / "a.wav").mkdir()
    return _artifact("a.wav")


def _pipe(workdir: Path) -> MediaProcessingResult:
    os.mkfifo(workdir / "a.wav")
    return _artifact("a.wav")


def _dangling(workdir: Path) -> MediaProcessingResult:
    (workdir / "a.wav").symlink_to("b.wav")
    return _artifact("a.wav")


@pytest.mark.parametrize(
    "make", [lambda _: _artifact("a.wav"), lambda _: _artifact("."), _folder, _pipe, _dangling]
)
def test_an_artifact_that_is_no_file_is_refused(
    attempt: Attempt, make: Callable[[Path], Any]
) -> None:
    with pytest.raises(PluginError, match="but there is no such file"):
        attempt(_making(make))


def test_one_file_cant_be_two_artifacts(attempt: Attempt) -> None:
    def make(workdir: Path) -> MediaProcessingResult:
        (workdir / "a.wav").write_bytes(b"x")
        (workdir / "b.wav").symlink_to("a.wav")
        return MediaProcessingResult(
            artifacts=tuple(
                Artifact(path=Path(name), asset_type="audio") for name in ("a.wav", "b.wav")
            )
        )

    with pytest.raises(PluginError, match=r"gave a\.wav twice"):
        attempt(_making(make))


def test_a_plugin_can_wrap_every_action(
    registry: Registry, media: MediaFile, context: Context
) -> None:
    @hookimpl(wrapper=True)
    def mediahost_run_action(action: Action, media: MediaFile, context: Context) -> Any:
        result = yield
        return result.model_copy(update={"metadata": {"wrapped": action.info.name}})

    wrapper = ModuleType("wrapper")
    vars(wrapper)["mediahost_run_action"] = mediahost_run_action
    registry.register(wrapper, PluginRow("wrapper", "", ""))
    result = run_attempt(registry, _returning(MediaAnalysisResult()), media, context, "blake3")
    assert result.metadata == {"wrapped": "test.looks"}


@pytest.mark.parametrize("error", [JobCancelled(), InvalidMedia("broken"), KeyError("x")])
def test_what_an_action_raises_comes_through(attempt: Attempt, error: BaseException) -> None:
    RETURNS["talk"] = lambda: _raise(error)
    with pytest.raises(type(error)):
        attempt(Looks())


# --- why an attempt failed, in one sentence


@pytest.mark.parametrize(
    ("error", "outcome", "message", "transient"),
    [
        (JobCancelled(), Outcome.CANCELLED, "Cancelled", False),
        (MemoryError(), Outcome.OOM, "It ran out of memory", True),
        (InvalidMedia("It is damaged"), Outcome.ERROR, "It is damaged", False),
        (TransientError("The server is busy"), Outcome.ERROR, "The server is busy", True),
        (UsageError("No"), Outcome.ERROR, "No", False),
        (ValueError("two\nlines"), Outcome.ERROR, "ValueError: two lines", False),
        (ValueError(), Outcome.ERROR, "ValueError", False),
        (
            CalledProcessError(3, ["/usr/bin/convert", "x"]),
            Outcome.ERROR,
            "The program convert failed with exit code 3",
            False,
        ),
        (
            OSError(errno.ENOSPC, "full", "/disk/a\n.wav"),
            Outcome.UNAVAILABLE,
            "/disk/a\\n.wav: No space left on device",
            False,
        ),
        (OSError(errno.EIO, "x"), Outcome.ERROR, "/talk.wav: Input/output error", True),
        (OSError("no", "number"), Outcome.ERROR, "OSError: [Errno no] number", False),
        (TimeoutError("slow"), Outcome.ERROR, "TimeoutError: slow", False),
    ],
)
def test_a_failure_is_one_sentence(
    error: BaseException, outcome: Outcome, message: str, *, transient: bool
) -> None:
    media = MediaFile.at("/talk.wav")
    said, failure = failure_of(error, media)
    assert (said, failure.message, failure.transient) == (outcome, message, transient)


def test_the_hint_and_the_traceback_are_kept(media: MediaFile) -> None:
    with pytest.raises(InvalidMedia) as caught:
        _raise(InvalidMedia("It is damaged", "Copy it again."))
    _, failure = failure_of(caught.value, media)
    assert failure.hint == "Copy it again."
    assert "test_the_hint_and_the_traceback_are_kept" in failure.traceback


@pytest.mark.parametrize("said", ["speech", "a\udcff", "long" * SHORT_BYTES])
def test_the_hash_is_of_what_a_result_says_however_long_it_is(said: str) -> None:
    ranges = (TimeRange(start=0, end=1.5),)
    result = MediaAnalysisResult(ranges=ranges, metadata={"said": said, "share": -0.0})
    expected = hash_bytes(canonical(result.model_dump(mode="json")), "blake3")

    # The second time a short one is known.
    assert [result_hash(result, "blake3") for _ in range(2)] == [expected] * 2
    assert result_hash(result, "sha256").startswith("sha256:")
