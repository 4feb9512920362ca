from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost import Artifact, MediaAnalysisResult, MediaProcessingResult
from mediahost.cached import Hit
from mediahost.hashing import CacheKey
from mediahost.host.attempts import (
    BACKOFF_LONGEST_S,
    Limits,
    MediaTouched,
    back_off_s,
    failure_from,
    outcome_of,
)
from mediahost.host.files import MediaChanged
from mediahost.host.in_hand import Held
from mediahost.host.planner import request_for
from mediahost.model.job import MOST_LOSSES, ClaimedJob, Failure, JobRequest, Outcome, Token
from mediahost.model.pipeline import Pipeline
from mediahost.plugin.attempt import result_hash
from mediahost.ports import Completion, Ended

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
PASSING = Failure("The network is down", transient=True)
LASTING = Failure("It is damaged")


def job_tried(house: "House", failures: int, attempt: int = 1, losses: int = 0) -> ClaimedJob:
    house.tone()
    request = house.request(house.recipe(LOOK))
    return ClaimedJob(request, Token(request.job_id, attempt), failures, losses)


@pytest.mark.parametrize(
    ("outcome", "failure", "failures", "again"),
    [
        (Outcome.ERROR, LASTING, 0, False),
        (Outcome.ERROR, PASSING, 0, True),
        (Outcome.ERROR, PASSING, 1, True),
        (Outcome.ERROR, PASSING, 2, False),
        (Outcome.CRASHED, LASTING, 0, True),
        (Outcome.CRASHED, LASTING, 1, False),
        (Outcome.TIMEOUT, PASSING, 0, False),
        (Outcome.OOM, PASSING, 0, False),
        (Outcome.CANCELLED, LASTING, 0, False),
        (Outcome.CHANGED, LASTING, 0, False),
        (Outcome.CHANGED, PASSING, 0, True),
    ],
)
def test_what_may_pass_is_tried_again_and_nothing_else(
    house: "House",
    outcome: Outcome,
    failure: Failure,
    failures: int,
    again: bool,
) -> None:
    setback = house.attempts.failed(job_tried(house, failures), outcome, failure)

    assert (setback.retry_in_s is not None) is again


def test_lost_hosts_are_counted_apart_from_failures(house: "House") -> None:
    early = job_tried(house, failures=99, attempt=200, losses=MOST_LOSSES - 2)
    late = job_tried(house, failures=0, attempt=200, losses=MOST_LOSSES - 1)

    assert house.attempts.failed(early, Outcome.LOST, PASSING).retry_in_s is not None
    assert house.attempts.failed(late, Outcome.LOST, PASSING).retry_in_s is None


def test_a_setting_of_one_attempt_means_one(house: "House") -> None:
    house.limits = Limits(attempts=1)
    job = job_tried(house, failures=0)

    for outcome in (Outcome.ERROR, Outcome.CRASHED):
        assert house.attempts.failed(job, outcome, PASSING).retry_in_s is None


def test_waits_double_within_bounds_and_differ() -> None:
    for failures in range(1, 40):
        longest = min(0.5 * 2.0 ** (failures - 1), BACKOFF_LONGEST_S)
        waits = [back_off_s(failures) for _ in range(50)]
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(set(waits)) > 1


def test_a_result_has_one_hash_wherever_its_artifacts_lie(tmp_path: Path) -> None:
    def made(folder: str, name: str, file_hash: str = "blake3:1") -> str:
        artifact = Artifact(path=tmp_path / folder / name, asset_type="audio", file_hash=file_hash)
        return result_hash(MediaProcessingResult(artifacts=(artifact,)), "blake3")

    assert made("one", "a.wav") == made("other", "a.wav")
    assert made("one", "a.wav") != made("one", "b.wav")
    assert made("one", "a.wav") != made("one", "a.wav", "blake3:2")


def test_an_attempt_gets_what_it_needs(house: "House") -> None:
    path = house.tone()
    house.limits = Limits(timeout_s=7, threads=3)
    job = house.claim(house.request(house.recipe({**LOOK, "config": {"depth": 2}})))

    spec = house.attempts.prepare(Held(job), house.attempts.look())

    assert spec.media.path == path
    assert spec.config == {"depth": 2, "note": ""}
    assert (spec.timeout_s, spec.threads) == (7, 3)
    assert not Path(spec.workdir).exists(), "it is made when it is asked for"


@pytest.mark.parametrize(
    ("action", "attempt", "failures", "shared"),
    [
        ("t.ask", 1, 0, True),
        ("t.ask", 2, 1, True),
        ("t.ask", 2, 0, False),  # the first was lost: perhaps by its own fault
        ("t.ask", 4, 2, False),
        ("t.look", 1, 0, False),
    ],
)
def test_what_waits_for_a_server_shares_a_process_until_it_was_lost(
    house: "House", action: str, attempt: int, failures: int, shared: bool
) -> None:
    house.tone()
    job = house.claim(house.request(house.recipe({"action": action})))
    tried = replace(job, token=Token(job.token.job_id, attempt), failures=failures)

    spec = house.attempts.prepare(Held(tried), house.attempts.look())

    assert spec.shared is shared


def test_inputs_are_the_results_that_the_job_was_planned_on(house: "House") -> None:
    house.tone()
    recipe = house.recipe(LOOK, {"action": "t.follow", "after": "t.look"})
    house.keep(recipe, {"size": 1})
    job = house.claim(house.request(recipe))
    spec = house.attempts.prepare(Held(job), house.attempts.look())
    assert spec.inputs["t.look"]["metadata"] == {"size": 1}

    # Computed again meanwhile, and it came out otherwise.
    (first,) = house.planner.evaluate(house.recipe(LOOK), house.roots(), lambda _key: False)
    again = house.host().recipe(Pipeline.model_validate({"name": "t", "steps": [LOOK]}))
    forced = house.claim(request_for(again, first, "force"))
    other = MediaAnalysisResult(metadata={"size": 2})
    house.store.commit("here", [Completion(forced, other, "another hash", 1)])

    with pytest.raises(MediaChanged, match=r"A result that t\.follow follows has changed"):
        house.attempts.prepare(Held(job), house.attempts.look())


def test_an_attempt_on_another_content_is_refused(house: "House") -> None:
    path = house.tone()
    job = house.claim(house.request(house.recipe(LOOK)))

    path.write_bytes(b"other")
    with pytest.raises(MediaChanged, match=r"a\.wav has changed since the job was made"):
        house.attempts.prepare(Held(job), house.attempts.look())
    path.unlink()
    with pytest.raises(MediaChanged, match=r"a\.wav is gone"):
        house.attempts.prepare(Held(job), house.attempts.look())


def test_an_attempt_for_another_version_is_refused(house: "House") -> None:
    house.tone()
    job = house.claim(house.request(house.recipe(LOOK)))
    house.upgrade()

    with pytest.raises(MediaChanged, match=r"Version 1 of t\.look was asked for, but version 2"):
        house.attempts.prepare(Held(job), house.attempts.look())


def ended(held: Held) -> Ended:
    return Ended(held.job.token, Outcome.OK, MediaAnalysisResult(), elapsed_ms=3)


def test_a_result_of_a_file_that_changed_meanwhile_is_refused(house: "House") -> None:
    path = house.tone()
    held = Held(house.claim(house.request(house.recipe(LOOK))))
    attempts = house.attempts
    attempts.prepare(held, attempts.look())

    path.write_bytes(b"other")

    with pytest.raises(MediaChanged, match="changed or went away while it was processed"):
        attempts.completed(held, ended(held), attempts.look(), {}, lambda _job, _fresh: ())


def test_a_result_of_a_file_that_was_written_and_restored_is_refused(house: "House") -> None:
    path = house.tone()
    data = path.read_bytes()
    held = Held(house.claim(house.request(house.recipe(LOOK))))
    attempts = house.attempts
    attempts.prepare(held, attempts.look())

    path.write_bytes(b"other")
    path.write_bytes(data)

    with pytest.raises(MediaTouched) as caught:
        attempts.completed(held, ended(held), attempts.look(), {}, lambda _job, _fresh: ())
    # The file is the one that was asked about, so it is worth another attempt.
    assert outcome_of(caught.value) is Outcome.CHANGED
    assert failure_from(caught.value).transient


def test_follow_ups_see_all_that_is_committed_together(house: "House") -> None:
    house.tone("a.wav")
    house.tone("b.wav", 550)
    attempts, recipe = house.attempts, house.recipe(LOOK)
    fresh: dict[CacheKey, Hit] = {}
    seen: list[int] = []

    def count(_job: ClaimedJob, known: Mapping[CacheKey, Hit]) -> Sequence[JobRequest]:
        seen.append(len(known))
        return ()

    for row in house.evaluate(recipe):
        held = Held(house.claim(request_for(recipe, row, "test")))
        attempts.prepare(held, attempts.look())
        attempts.completed(held, ended(held), attempts.look(), fresh, count)

    assert seen == [1, 2]


def test_the_hint_for_another_version_asks_for_the_installed_one(house: "House") -> None:
    path = house.tone("a tone.wav")
    job = house.claim(house.request(house.recipe(LOOK, named=False)))
    house.upgrade()
    with pytest.raises(MediaChanged, match="version 2 is installed") as raised:
        house.attempts.prepare(Held(job), house.attempts.look())
    assert raised.value.hint
    assert raised.value.hint.endswith(f"mediahost run '{path}' --action t.look")
