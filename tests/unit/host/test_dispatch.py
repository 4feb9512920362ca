"""What the dispatcher promises, on a store in memory and with attempts in this process."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost.host import upkeep
from mediahost.host.planner import request_for
from mediahost.model.event import Event, EventKind
from mediahost.model.hosts import Heartbeat
from mediahost.model.job import JobStatus
from mediahost.model.pipeline import Pipeline
from mediahost.ports import Completion
from mediahost.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
CUT = {"action": "t.cut"}
JOIN = [
    {"action": "t.look", "name": "one"},
    {"action": "t.look", "name": "two", "config": {"depth": 2}},
    {"action": "t.follow", "after": ["one", "two"]},
]


class Stolen(MemoryStore):
    """A store in which another host took the job over and did it by the time it is committed."""

    stolen = False

    def commit(self, host: str, completions: Any, setbacks: Any = ()) -> Any:
        """Let the other host go first."""
        if completions and not self.stolen:
            self.stolen = True
            self.reap(lambda _host: True)
            (theirs,) = self.claim("there", 1, 60.0)
            super().commit("there", [Completion(theirs, MediaAnalysisResult(), "hash", 1)])
        return super().commit(host, completions, setbacks)


def test_what_can_not_be_committed_any_more_is_removed(house: "House") -> None:
    house = type(house)(house.folder / "media", store=Stolen())
    house.tone()

    with house.host() as host:
        summary = host.run([house.media], house.recipe(CUT))

    assert [str(row.state) for row in summary.rows] == ["done"]
    assert summary.rows[0].artifacts == ()
    assert not list((house.folder / "data" / "artifacts").rglob("*.wav"))


class Crowded(MemoryStore):
    """A store in which another host commits just before this one does."""

    others: Any = None

    def commit(self, host: str, completions: Any, setbacks: Any = ()) -> Any:
        """Let the other go first."""
        others, self.others = self.others, None
        if others:
            super().commit("there", [Completion(others, MediaAnalysisResult(), "hash", 1)])
        return super().commit(host, completions, setbacks)


@pytest.mark.parametrize("other", ["no host", "a host before", "a host at the same time"])
def test_work_finishes_a_pipeline_of_the_settings_with_its_joins(
    house: "House", other: str
) -> None:
    store = Crowded()
    house = type(house)(house.folder / "media", store=store)
    house.tone()
    pipeline = Pipeline.model_validate({"name": "join", "steps": JOIN})
    host = house.host(pipelines={"join": pipeline})
    recipe = host.recipe(pipeline)
    rows = [row for row in house.evaluate(recipe) if row.state == "missing"]
    house.store.submit([request_for(recipe, row, "somebody") for row in rows])
    if other != "no host":
        # Another host does one of the two, and doesn't see the other's result.
        (store.others,) = store.claim("there", 1, 60.0)
    if other == "a host before":
        store.commit("there", [])

    with host:
        host.work(forever=False)

    done = [job.action_name for job in house.store.jobs(statuses={JobStatus.COMPLETED})]
    assert sorted(done) == ["t.follow", "t.look", "t.look"]


def test_later_steps_have_the_priority_of_the_step_before(house: "House") -> None:
    house.tone()
    steps = [{"action": "t.look"}, {"action": "t.follow", "after": "t.look"}]
    pipeline = Pipeline.model_validate({"name": "two", "steps": steps})
    host = house.host(pipelines={"two": pipeline})
    with host:
        host.submit([house.media], host.recipe(pipeline))
        house.store.change_priority([job.job_id for job in house.store.jobs()], 7)
        host.work(forever=False)
    priorities = {job.action: job.priority for job in house.store.jobs()}
    assert priorities == {"t.look": 7, "t.follow": 7}


class Patient(Analyzer, name="t.patient", version=1):
    """Runs until it is cancelled."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        while True:
            context.checkpoint()
            threading.Event().wait(0.01)


class Listening(MemoryStore):
    """A store that does something about what a host says that it is at."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, int]] = []
        self.then: list[Callable[[], object]] = []

    def beat(self, heartbeat: Heartbeat) -> None:
        """Hear it; what is news has something done about it."""
        super().beat(heartbeat)
        news = (str(heartbeat.status), heartbeat.running)
        if self.said[-1:] != [news]:
            self.said.append(news)
            self.then.pop(0)()


def test_a_host_that_has_nothing_in_hand_says_that_it_is_idle(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "HEARTBEAT_S", 0.0)
    store = Listening()
    house = type(house)(house.folder / "media", store=store)
    house.install(Patient)
    house.tone()
    request = house.request(house.recipe({"action": "t.patient"}))
    with house.host() as host:
        store.then = [
            lambda: store.submit([request]),
            lambda: store.request_cancel([request.job_id]),
            host.drain,
        ]
        host.work()
    assert store.said == [("idle", 0), ("working", 1), ("idle", 0)]


def test_jobs_of_an_action_that_a_host_does_not_have_are_left_to_others(
    house: "House", caplog: pytest.LogCaptureFixture
) -> None:
    house.tone()
    known = house.request(house.recipe(LOOK))
    strange = replace(known, action="t.strange", config_hash="other", job_id=uuid4())
    house.store.submit([strange, known])
    with house.host() as host:
        host.work(forever=False)
    jobs = house.store.get_jobs([strange.job_id, known.job_id])
    assert jobs[known.job_id].status is JobStatus.COMPLETED
    assert jobs[strange.job_id].status is JobStatus.PENDING
    assert jobs[strange.job_id].attempt == 0
    assert caplog.text.count("wait for t.strange") == 1


def test_an_interrupted_run_gives_back_what_it_claimed(house: "House") -> None:
    house.install(Patient)
    house.tone("a.wav")
    house.tone("b.wav", 550)

    def interrupt(event: Event) -> None:
        if event.kind is EventKind.STARTED:
            raise KeyboardInterrupt

    with house.host() as host, pytest.raises(KeyboardInterrupt):
        host.run([house.media], house.recipe({"action": "t.patient"}), listener=interrupt)

    jobs = house.store.jobs()
    assert [(job.status, job.failures, job.host) for job in jobs] == [
        (JobStatus.PENDING, 0, None)
    ] * 2
    staging = house.folder / "data" / "staging"
    assert [path.name for path in staging.iterdir()] == ["here"], "the test's own is there"


def test_a_running_job_is_cancelled_by_a_request_in_the_store(house: "House") -> None:
    house.install(Patient)
    house.tone()

    def cancel(event: Event) -> None:
        if event.kind is EventKind.STARTED and event.job_id:
            house.store.request_cancel([event.job_id])

    with house.host() as host:
        summary = host.run([house.media], house.recipe({"action": "t.patient"}), listener=cancel)

    assert [str(row.state) for row in summary.rows] == ["cancelled"]


def test_a_job_whose_lease_was_lost_is_stopped(house: "House") -> None:
    house.install(Patient)
    house.tone()

    def steal(event: Event) -> None:
        if event.kind is EventKind.STARTED and event.job_id:
            house.store.reap(lambda _host: True)
            house.store.request_cancel([event.job_id])

    with house.host(lease_s=1) as host:
        summary = host.run([house.media], house.recipe({"action": "t.patient"}), listener=steal)

    assert [str(row.state) for row in summary.rows] == ["cancelled"]
