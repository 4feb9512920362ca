"""Files for which nothing is to be done are counted, and every other one gets its look."""

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from mediahost import hookimpl
from mediahost.hashing import RACY_NS
from mediahost.host import unchanged
from mediahost.host.run import RowState, Summary
from mediahost.model.event import Event
from mediahost.plugin.registry import PluginRow

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
DEEP = {"action": "t.look", "name": "deep", "config": {"depth": 2}}
CUT = {"action": "t.cut"}
FILES = 4


@pytest.fixture
def cached(house: "House", monkeypatch: pytest.MonkeyPatch) -> "House":
    """Some files, hashed long after they were written, each with its result."""
    monkeypatch.setattr(unchanged, "FEW", 1)
    for number in range(FILES):
        house.tone(f"{number}.wav", 440 + number)
    house.clock.now_ns += 10 * RACY_NS
    assert run(house, LOOK, list_all=True).count(RowState.DONE) == FILES
    return house


def run(house: "House", *steps: Any, list_all: bool = False, **given: Any) -> Summary:
    recipe = house.recipe(*steps, named=False)
    with house.host() as host:
        return host.run([house.media], recipe, list_all=list_all, **given)


def test_unchanged_files_have_no_rows_and_are_counted(cached: "House") -> None:
    summary = run(cached, LOOK)
    listed = run(cached, LOOK, list_all=True)
    assert summary.rows == []
    assert summary.unlisted_files == FILES
    assert summary.all_good
    assert summary.facts()["counts"] == listed.facts()["counts"]
    assert summary.saved_ms == listed.saved_ms


def test_few_files_are_listed(cached: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "FEW", FILES)
    assert len(run(cached, LOOK).rows) == FILES


def test_a_changed_file_is_done_anew_among_unchanged_ones(cached: "House") -> None:
    cached.tone("2.wav", 999)
    summary = run(cached, LOOK)
    assert [row.state for row in summary.rows] == [RowState.DONE]
    assert summary.unlisted_files == FILES - 1


def test_a_new_and_a_copied_file_are_looked_at(cached: "House") -> None:
    cached.tone("new.wav", 999)
    shutil.copy(cached.media / "0.wav", cached.media / "copy.wav")
    summary = run(cached, LOOK)
    assert sorted(row.state for row in summary.rows) == [RowState.CACHED, RowState.DONE]
    assert summary.unlisted_files == FILES


def test_a_touched_file_is_read_again(cached: "House") -> None:
    os.utime(cached.media / "1.wav", ns=(1, 1))
    assert [row.state for row in run(cached, LOOK).rows] == [RowState.CACHED]


def test_a_hash_as_young_as_its_file_is_not_trusted(cached: "House") -> None:
    fresh = cached.tone("1.wav", 777)
    cached.clock.now_ns += 10 * RACY_NS
    # Hashed in the very tick of its writing: another write would leave no trace.
    os.utime(fresh, ns=(cached.clock.now_ns, cached.clock.now_ns))
    assert [row.state for row in run(cached, LOOK).rows] == [RowState.DONE]
    assert [row.state for row in run(cached, LOOK).rows] == [RowState.CACHED]


def test_another_config_is_not_taken_for_what_is_cached(cached: "House") -> None:
    summary = run(cached, DEEP)
    assert [row.state for row in summary.rows] == [RowState.DONE] * FILES


def test_all_steps_must_be_cached(cached: "House") -> None:
    summary = run(cached, LOOK, DEEP)
    assert summary.unlisted == 0
    again = run(cached, LOOK, DEEP)
    assert (again.unlisted, again.unlisted_files) == (2 * FILES, FILES)


def test_who_forces_gets_everything_anew(cached: "House") -> None:
    assert run(cached, LOOK, force=True).count(RowState.DONE) == FILES


def test_results_with_files_are_looked_at_one_by_one(cached: "House") -> None:
    run(cached, CUT)
    summary = run(cached, CUT)
    assert [row.state for row in summary.rows] == [RowState.CACHED] * FILES


def test_a_plugin_that_hears_of_cached_results_hears_of_each(cached: "House") -> None:
    heard: list[str] = []

    class Ears:
        @hookimpl
        def mediahost_event(self, event: Event) -> None:
            heard.append(event.kind)

    cached.registry.register(Ears(), PluginRow("ears", "", ""))
    assert run(cached, LOOK).unlisted == 0
    assert heard == ["cached"] * FILES


def test_a_plugin_that_plans_jobs_is_asked_of_each(cached: "House") -> None:
    class Planner:
        @hookimpl
        def mediahost_plan_jobs(self, media: Any, proposed: list[Any]) -> None:
            if media.path.name == "0.wav":
                proposed.clear()

    cached.registry.register(Planner(), PluginRow("planner", "", ""))
    assert run(cached, LOOK).count(RowState.CACHED) == FILES - 1


def test_folders_are_sifted_as_the_walk_goes_on(
    cached: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediahost.host.walk.SIFTED_AT_ONCE", 1)
    below = cached.media / "below"
    below.mkdir()
    for number in range(FILES):
        shutil.copy2(cached.media / f"{number}.wav", below)
    cached.clock.now_ns += 10 * RACY_NS
    assert run(cached, LOOK).unlisted_files == FILES
    assert run(cached, LOOK).unlisted_files == 2 * FILES


def test_a_file_that_is_named_beside_its_folder_is_counted_once(cached: "House") -> None:
    recipe = cached.recipe(LOOK, named=False)
    with cached.host() as host:
        summary = host.run([cached.media / "0.wav", cached.media], recipe, list_all=False)
    assert summary.count(RowState.CACHED) == FILES
