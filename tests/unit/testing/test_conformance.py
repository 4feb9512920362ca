"""`check_action` finds what an author must not get away with."""

import contextlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, field_serializer

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
)
from mediahost.testing import ActionRun, damaged_copies

Check = Callable[..., ActionRun]
counter = itertools.count()


class Good(Analyzer, name="kit.good"):
    """Count bytes of a file that is JSON."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.progress(0.5)
        try:
            words = json.loads(media.path.read_bytes())
        except ValueError as error:
            raise InvalidMedia(f"{media.path.name} is damaged") from error
        if not isinstance(words, list):
            raise InvalidMedia(f"{media.path.name} is no list")
        return MediaAnalysisResult(metadata={"count": len(words)})


@pytest.fixture
def media(tmp_path: Path) -> MediaFile:
    path = tmp_path / "list.pdf"
    path.write_text(json.dumps(["word"] * 100))
    return MediaFile.at(path)


def test_a_good_action_passes_and_its_run_comes_back(check_action: Check, media: MediaFile) -> None:
    check_action(Good(), media).assert_metadata(count=100)
    check_action(Good(), media.path)


class NeverLooksUp(Good, name="kit.never_looks_up"):
    """Can't be cancelled."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return super().analyze(media, Context(context.workdir))


class GoesOn(Good, name="kit.goes_on"):
    """Swallow a cancel."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        with contextlib.suppress(JobCancelled):
            context.checkpoint()
        return super().analyze(media, Context(context.workdir))


class GoesOnLater(Good, name="kit.goes_on_later"):
    """Obey the first checkpoint only."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.checkpoint()
        with contextlib.suppress(JobCancelled):
            for _ in range(9):
                context.checkpoint()
        return super().analyze(media, Context(context.workdir))


class Overdoes(Good, name="kit.overdoes"):
    """Report percent."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.progress(50, "percent")
        return super().analyze(media, context)


class Divides(Good, name="kit.divides"):
    """Report NaN."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.progress(float("nan"))
        return super().analyze(media, context)


class Dices(Good, name="kit.dices"):
    """Give another result each time."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        super().analyze(media, context)
        return MediaAnalysisResult(metadata={"dice": next(counter)})


class Names(Good, name="kit.names"):
    """Put the file's name into the result, which then is wrong for a renamed file."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        super().analyze(media, context)
        return MediaAnalysisResult(metadata={"name": media.path.name})


class Crashes(Good, name="kit.crashes"):
    """Let a strange error out."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.progress(0.5)
        return MediaAnalysisResult(metadata={"count": len(json.loads(media.path.read_bytes()))})


class SaysNothing(Good, name="kit.says_nothing"):
    """Refuse without a word."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        try:
            return super().analyze(media, context)
        except InvalidMedia:
            raise InvalidMedia(" ") from None


class Edits(Good, name="kit.edits"):
    """Change the media file."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        result = super().analyze(media, context)
        media.path.write_bytes(media.path.read_bytes() + b" ")
        return result


class Hides(Good, name="kit.hides"):
    """Need a secret that no worker will ever get."""

    key: SecretStr


class Rewords(Good, name="kit.rewords"):
    """Write its config otherwise than it reads it."""

    at: int = 1

    @field_serializer("at")
    def _doubled(self, at: int) -> int:
        return at * 2


@pytest.mark.parametrize(
    ("action", "complaint"),
    [
        (NeverLooksUp(), "can't be cancelled: it calls neither"),
        (GoesOn(), "was cancelled at checkpoint 1, but went on"),
        (GoesOnLater(), "was cancelled at checkpoint 5, but went on"),
        (Overdoes(), r"reported a progress of 50 \('percent'\), which is not within 0 and 1"),
        (Divides(), "reported a progress of nan"),
        (Dices(), "gave another result for the same bytes and config"),
        (Names(), "gave another result for the same bytes and config"),
        (Crashes(), "should raise InvalidMedia for an empty file, not JSONDecodeError"),
        (SaysNothing(), "refused an empty file without saying why"),
        (Edits(), "changed the media file list.pdf"),
        (Hides(key=SecretStr("x")), "a secret needs a default"),
        (Rewords(), "is another after JSON"),
    ],
)
def test_an_action_that_breaks_a_promise_is_found_out(
    check_action: Check, media: MediaFile, action: Good, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint) as caught:
        check_action(action, media)
    assert action.info.name in str(caught.value)


def test_an_action_that_is_random_by_nature_may_say_so(
    check_action: Check, media: MediaFile
) -> None:
    check_action(Dices(), media, repeatable=False)


class Writes(Processor, name="kit.writes"):
    """Name its file after the media file, with what the test says in it."""

    stamp: bool = False

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        context.checkpoint()
        path = context.workdir / f"{media.path.stem}.txt"
        path.write_text(str(next(counter)) if self.stamp else "the same")
        return MediaProcessingResult(artifacts=(Artifact(path=path, asset_type="note"),))


def test_artifacts_may_be_named_after_the_media_file(check_action: Check, media: MediaFile) -> None:
    run = check_action(Writes(), media)
    assert run.artifacts[0].path.read_text() == "the same"


def test_artifacts_with_other_bytes_are_another_result(
    check_action: Check, media: MediaFile
) -> None:
    with pytest.raises(AssertionError, match="gave another result"):
        check_action(Writes(stamp=True), media)


def test_damaged_copies_are_all_different_and_the_same_every_time(
    media: MediaFile, tmp_path: Path
) -> None:
    def damaged(folder: str) -> list[tuple[str, bytes]]:
        (tmp_path / folder).mkdir()
        copies: list[Any] = list(damaged_copies(media.path, tmp_path / folder))
        assert all(path.suffix == ".pdf" for _, path in copies)
        return [(what, path.read_bytes()) for what, path in copies]

    once = damaged("once")
    assert once == damaged("again")
    contents = [data for _, data in once]
    assert len({*contents, media.path.read_bytes()}) == len(contents) + 1
