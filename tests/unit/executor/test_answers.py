"""Answers of workers on other machines: files of nobody else are taken or removed."""

from pathlib import Path

import pytest

from mediahost.executor.answers import SiteAnswer, place_in_run
from mediahost.executor.frames import BadFrame

KEY = "0123456789abcdef.1"


def answer(run: str) -> SiteAnswer:
    return SiteAnswer(run=run, log=False, warm=False, ended={})


def test_a_run_of_the_attempt_is_its_own() -> None:
    assert answer(f"{KEY}.01234567").run_of(KEY) == f"{KEY}.01234567"


@pytest.mark.parametrize(
    "run", ["", "..", "../..", "/home", f"{KEY}.0123456", f"{KEY}.01234567/..", "other.1.01234567"]
)
def test_a_folder_that_is_no_run_of_the_attempt_is_not_removed(run: str) -> None:
    with pytest.raises(BadFrame, match="it is none of this attempt"):
        answer(run).run_of(KEY)


def test_an_artifact_is_taken_from_its_run() -> None:
    assert place_in_run(Path("run/parts/a.wav"), "run") == Path("parts/a.wav")


@pytest.mark.parametrize(
    "path", ["/home/me/film.mp4", "run", "run/../../me/film.mp4", "other/a.wav", "."]
)
def test_no_other_file_is_taken(path: str) -> None:
    with pytest.raises(BadFrame, match="outside the run's folder"):
        place_in_run(Path(path), "run")
