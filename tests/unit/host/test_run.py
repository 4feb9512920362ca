from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mediahost import MediaAnalysisResult, hookimpl
from mediahost.errors import UsageError
from mediahost.host.identity import new_host_name, new_source_name
from mediahost.host.run import RowState, Summary
from mediahost.model.event import EventKind
from mediahost.model.job import JobStatus
from mediahost.plugin.registry import PluginRow
from mediahost.ports import Completion
from mediahost.store.memory import MemoryStore

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
CUT = {"action": "t.cut"}
BREAK = {"action": "t.break"}


def run(house: "House", *steps: Any, **given: Any) -> Summary:
    recipe = house.recipe(*steps, named=False)
    with house.host() as host:
        return host.run([house.media], recipe, **given)


def states(summary: Summary) -> list[str]:
    return [str(row.state) for row in summary.rows]


def test_equal_files_are_one_job_and_the_second_is_cached(house: "House") -> None:
    house.tone("a.wav")
    house.tone("b.wav")

    summary = run(house, LOOK)

    assert states(summary) == ["done", "cached"]
    assert house.store.count_jobs()[JobStatus.COMPLETED] == 1


def test_rows_come_file_by_file(house: "House") -> None:
    house.tone("b.wav", 550)
    house.tone("a.wav")

    summary = run(house, LOOK, CUT)

    assert [(Path(row.media_url).name, row.step) for row in summary.rows] == [
        ("a.wav", "t.look"),
        ("a.wav", "t.cut"),
        ("b.wav", "t.look"),
        ("b.wav", "t.cut"),
    ]
    assert summary.all_good


def test_a_failure_blocks_what_follows_and_nothing_else(house: "House") -> None:
    house.tone()

    summary = run(house, BREAK, {"action": "t.follow", "after": "t.break"}, LOOK)

    assert states(summary) == ["failed", "blocked", "done"]
    assert summary.rows[0].error == "ValueError: broken"
    assert not summary.all_good


def test_what_the_cache_saved_is_counted(house: "House") -> None:
    house.tone()
    house.keep(house.recipe(LOOK), {"size": 1}, elapsed_ms=1_500)

    summary = run(house, LOOK)

    assert summary.saved_ms == 1_500
    assert house.store.count_jobs()[JobStatus.COMPLETED] == 1


def test_a_dry_run_submits_nothing(house: "House") -> None:
    house.tone()

    summary = run(house, LOOK, dry_run=True)

    assert states(summary) == ["to do"]
    assert summary.all_good
    assert not house.store.jobs()


def test_a_path_that_is_not_there_is_a_mistake(house: "House") -> None:
    with house.host() as host, pytest.raises(UsageError, match="There is no file or folder"):
        host.run([house.media / "none"], house.recipe(LOOK))


def test_events_tell_the_story_to_plugins_too(house: "House") -> None:
    heard: list[str] = []

    class Listener:
        @hookimpl
        def mediahost_event(self, event: Any) -> None:
            heard.append(f"{event.kind} {event.action}")
            raise RuntimeError("deaf ears")

    house.registry.register(Listener(), PluginRow("listener", "", ""))
    house.tone()
    told: list[EventKind] = []

    run(house, LOOK, BREAK, listener=lambda event: told.append(event.kind))
    run(house, LOOK)

    assert heard == [
        "submitted t.look",
        "submitted t.break",
        "started t.look",
        "completed t.look",
        "started t.break",
        "failed t.break",
        "cached t.look",
    ]
    assert len(told) == 6


class Meddling(MemoryStore):
    """A store in which somebody else does something just before a submit, or just after."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.claiming: Callable[[], None] = lambda: None

    def claim(self, *given: Any, **named: Any) -> Any:
        """Let the others go first, once."""
        claiming, self.claiming = self.claiming, lambda: None
        claiming()
        return super().claim(*given, **named)

    def submit(self, requests: Any) -> Any:
        """Let the others go first, once."""
        before, self.before = self.before, lambda: None
        before()
        answering = super().submit(requests)
        after, self.after = self.after, lambda: None
        after()
        return answering


@pytest.fixture
def meddled(tmp_path: Path, house: "House") -> "House":
    (tmp_path / "other").mkdir()
    return type(house)(tmp_path / "other", store=Meddling())


def test_a_pending_job_that_is_cancelled_is_told_of(meddled: "House") -> None:
    store: Any = meddled.store
    meddled.tone("a.wav")
    meddled.tone("b.wav", 550)
    store.after = lambda: store.request_cancel([store.jobs()[0].job_id])

    summary = run(meddled, LOOK)

    assert sorted(states(summary)) == ["cancelled", "done"]


def test_later_steps_of_a_run_have_the_priority_of_the_step_before(meddled: "House") -> None:
    store: Any = meddled.store
    meddled.tone()
    store.after = lambda: store.change_priority([store.jobs()[0].job_id], 7)

    run(meddled, LOOK, {"action": "t.follow", "after": "t.look"})

    assert {job.action: job.priority for job in store.jobs()} == {"t.look": 7, "t.follow": 7}


def test_a_pending_job_that_is_deleted_is_told_of(meddled: "House") -> None:
    store: Any = meddled.store
    meddled.tone()
    store.after = lambda: store.delete_jobs([store.jobs()[0].job_id])

    summary = run(meddled, LOOK)

    assert states(summary) == ["cancelled"]
    assert summary.rows[0].error == "Its job was deleted"


def test_a_job_that_another_run_took_over_and_did_is_done(meddled: "House") -> None:
    """Its jobs have another source now, and of how they end there is no event here."""
    store: Any = meddled.store
    meddled.tone()
    other = new_source_name(new_host_name())

    def take_over() -> None:
        store.adopt([store.jobs()[0].job_id], other)
        (job,) = store.claim("there", 1, 60.0, other)
        store.commit("there", [Completion(job, MediaAnalysisResult(), "hash", 1)])

    store.claiming = take_over

    assert states(run(meddled, LOOK)) == ["done"]
    assert store.count_jobs()[JobStatus.COMPLETED] == 1


def test_a_result_that_came_between_look_and_submit_is_not_computed_again(
    meddled: "House",
) -> None:
    store: Any = meddled.store
    meddled.tone()
    store.before = lambda: meddled.keep(meddled.recipe(LOOK), {"size": 1})

    summary = run(meddled, LOOK)

    assert states(summary) == ["cached"]
    assert store.count_jobs()[JobStatus.COMPLETED] == 1
    assert len(store.jobs()) == 1


def test_a_job_of_a_host_that_is_gone_is_taken_over(house: "House") -> None:
    house.tone()
    gone = new_host_name()
    house.store.submit([house.request(house.recipe(LOOK), new_source_name(gone))])
    house.store.claim(gone, 1, 3600.0)

    summary = run(house, LOOK)

    assert states(summary) == ["done"]
    assert len(house.store.jobs()) == 1


def test_a_row_is_plain_values(house: "House") -> None:
    house.tone()
    row = run(house, CUT).rows[0].to_json()

    assert row["state"] == RowState.DONE
    assert row["media"] == str(house.media / "a.wav")
    assert len(row["artifacts"]) == 2
