"""Something that an action needs is missing: no file is at fault, and one message says so."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

BOTH = pytest.mark.parametrize("action", ["lacking.early", "lacking.late"])


@BOTH
def test_a_run_says_once_what_is_missing(home: "Home", action: str) -> None:
    home.tones(20)
    answer = home.call("run", "media", "-a", action)
    assert answer.code == 1
    # Once as soon as it is known, and once in the summary where that was in the middle.
    assert (answer.err).count("The model is not here") == 1
    assert answer.out.count("The model is not here") == (action == "lacking.late")
    assert "Get the model." in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_what_is_missing_is_seen_before_the_first_job(home: "Home") -> None:
    home.tones(3)
    answer = home.call("run", "media", "-a", "count.look", "-a", "lacking.early")
    assert answer.code == 1
    assert "lacking.early can't run: The model is not here" in answer.err
    jobs = home.call("jobs", "list", "--json").json
    assert {job["action"] for job in jobs} == {"count.look"}
    # What is cached needs no model.
    (home.folder / "model").touch()
    assert home.call("run", "media", "-a", "lacking.early").code == 0
    (home.folder / "model").unlink()
    assert home.call("run", "media", "-a", "lacking.early").code == 0


def test_the_jobs_of_the_other_files_are_taken_back(home: "Home") -> None:
    home.tones(200)
    answer = home.call("run", "media", "-a", "lacking.late", "--json")
    assert answer.json["counts"]["unavailable"] == 200
    assert answer.json["counts"]["failed"] == 0
    jobs = home.call("jobs", "list", "--limit", "1000", "--json").json
    assert sum(job["status"] == "failed" for job in jobs) < 150
    assert not [job for job in jobs if job["status"] == "pending"]


@BOTH
def test_an_optional_step_is_skipped_with_one_line(home: "Home", action: str) -> None:
    home.settings(
        '[[pipelines.p.steps]]\naction = "count.look"\n'
        f'[[pipelines.p.steps]]\naction = "{action}"\nname = "maybe"\noptional = true\n'
        '[[pipelines.p.steps]]\naction = "count.look"\nname = "behind"\nafter = "maybe"\n'
    )
    home.tones(5)
    answer = home.call("run", "media", "-p", "p")
    assert answer.code == 0
    assert (answer.out + answer.err).count("The model is not here") <= 2
    assert home.call("run", "media", "-p", "p", "--json").json["counts"] | {"cached": 5} == {
        "done": 0, "cached": 5, "failed": 0, "cancelled": 0, "blocked": 0, "skipped": 10,
        "unavailable": 0, "to do": 0,
    }  # fmt: skip
    (home.folder / "model").touch()
    counts: dict[str, Any] = home.call("run", "media", "-p", "p", "--json").json["counts"]
    assert (counts["done"], counts["skipped"]) == (10, 0)


def test_a_step_that_is_not_optional_still_fails_the_run(home: "Home") -> None:
    home.settings(
        '[[pipelines.p.steps]]\naction = "faulty.raise"\n'
        '[[pipelines.p.steps]]\naction = "count.look"\noptional = true\n'
    )
    home.tones(1)
    answer = home.call("run", "media", "-p", "p", "--json")
    assert answer.code == 1
    assert answer.json["counts"]["failed"] == 1
