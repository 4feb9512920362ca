"""Files for which nothing is to be done are counted, and every other one gets its look."""

import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl
from mediahost.hashing import RACY_NS
from mediahost.host import unchanged
from mediahost.host.found import Problem
from mediahost.host.run import RowState, Summary
from mediahost.host.walk import Walk, walk
from mediahost.model.event import Event
from mediahost.plugin.registry import PluginRow

if TYPE_CHECKING:
    from tests.unit.host.conftest import House

LOOK = {"action": "t.look"}
DEEP = {"action": "t.look", "name": "deep", "config": {"depth": 2}}
CUT = {"action": "t.cut"}
HEAR = {"action": "t.hear"}
FILES = 4


class Hear(Analyzer, name="t.hear", version=1, accepts={"audio"}):
    """Works on sound alone."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Nothing to say of it."""
        return MediaAnalysisResult()


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


def test_what_was_looked_through_for_the_same_recipe_is_not_looked_through_again(
    cached: "House",
) -> None:
    sieve = unchanged.Unchanged(cached.store, _asked(cached, LOOK))
    sifted = unchanged.Sifted(walk([cached.media], sift=sieve.sift), sieve)
    assert sifted.is_all_cached
    cached.tone("too late.wav", 999)
    assert run(cached, LOOK, sifted=sifted).unlisted_files == FILES
    assert run(cached, LOOK, sifted=sifted).rows == []


def test_what_was_looked_through_for_another_recipe_does_not_count(cached: "House") -> None:
    sieve = unchanged.Unchanged(cached.store, _asked(cached, LOOK))
    sifted = unchanged.Sifted(walk([cached.media], sift=sieve.sift), sieve)
    summary = run(cached, DEEP, sifted=sifted)
    assert [row.state for row in summary.rows] == [RowState.DONE] * FILES


def test_files_left_and_files_that_can_not_be_read_are_not_all_cached(cached: "House") -> None:
    sieve = unchanged.Unchanged(cached.store, _asked(cached, LOOK))
    walked = walk([cached.media], sift=sieve.sift)
    assert unchanged.Sifted(walked, sieve).is_all_cached
    odd = Walk()
    odd.problems.append(Problem("/odd.wav", "It is odd"))
    assert not unchanged.Sifted(odd, sieve).is_all_cached
    assert not unchanged.Sifted(walk([cached.media]), sieve).is_all_cached
    nothing = unchanged.Unchanged(cached.store, _asked(cached, LOOK))
    assert not unchanged.Sifted(walked, nothing).is_all_cached


def _asked(house: "House", step: dict[str, Any]) -> list[unchanged.Asked]:
    asked = unchanged.asked_of(house.recipe(step, named=False), house.store.algorithm)
    assert asked is not None
    return asked


@pytest.fixture
def compared(cached: "House", monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders whose files are compared one by one, in runs after a first one that did so."""
    run(cached, LOOK)
    folders: list[str] = []
    recall = cached.store.recall_cached

    def note(urls: Collection[str], config_hash: str) -> Any:
        folders.extend(Path(url).name for url in urls)
        return recall(urls, config_hash)

    monkeypatch.setattr(cached.store, "recall_cached", note)
    return folders


def test_a_folder_that_was_all_cached_is_compared_as_a_whole(
    cached: "House", compared: list[str]
) -> None:
    summary = run(cached, LOOK)
    listed = run(cached, LOOK, list_all=True)
    assert compared == []
    assert summary.facts()["counts"] == listed.facts()["counts"]
    assert (summary.unlisted_files, summary.saved_ms) == (FILES, listed.saved_ms)


CHANGES: dict[str, Callable[[Path], Any]] = {
    "a new one": lambda folder: shutil.copy(folder / "0.wav", folder / "new.wav"),
    "one less": lambda folder: (folder / "0.wav").unlink(),
    "a new name": lambda folder: (folder / "0.wav").rename(folder / "9.wav"),
    "other names": lambda folder: swap(folder / "0.wav", folder / "1.wav"),
    "touched": lambda folder: os.utime(folder / "0.wav", ns=(1, 1)),
    "another inode": lambda folder: replace_by_copy(folder / "0.wav"),
    "other bytes, the size and the time of before": lambda folder: tamper(folder / "0.wav"),
}


def swap(one: Path, other: Path) -> None:
    one.rename(one.with_name("between"))
    other.rename(one)
    one.with_name("between").rename(other)


def replace_by_copy(path: Path) -> None:
    shutil.copy2(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


def tamper(path: Path) -> None:
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_in_a_folder_has_its_files_compared(
    cached: "House", compared: list[str], change: str
) -> None:
    CHANGES[change](cached.media)
    listed = run(cached, LOOK, list_all=True, dry_run=True).facts()["counts"]
    counts = run(cached, LOOK, dry_run=True).facts()["counts"]
    assert compared == [cached.media.name]
    assert counts == listed


def test_only_the_folder_that_changed_is_compared(cached: "House", compared: list[str]) -> None:
    below = cached.media / "below"
    below.mkdir()
    shutil.copy2(cached.media / "0.wav", below)
    cached.clock.now_ns += 10 * RACY_NS
    run(cached, LOOK)
    assert compared == ["below"]
    run(cached, LOOK)
    run(cached, LOOK)
    assert compared == ["below", "below"], "then it is remembered, too"


def test_another_recipe_has_its_files_compared(cached: "House", compared: list[str]) -> None:
    run(cached, DEEP)
    run(cached, DEEP)
    assert compared == [cached.media.name] * 2
    assert run(cached, DEEP).unlisted == FILES
    assert run(cached, LOOK, DEEP).unlisted == 2 * FILES
    assert compared == [cached.media.name] * 4, "and two recipes are another one"
    assert run(cached, LOOK).unlisted == FILES
    assert compared == [cached.media.name] * 4


def test_a_newer_version_of_an_action_computes_anew(cached: "House", compared: list[str]) -> None:
    cached.upgrade()
    assert run(cached, LOOK).count(RowState.DONE) == FILES
    assert compared == [cached.media.name]


def test_a_newer_mediahost_compares_each_file(
    cached: "House", compared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "__version__", "9999")
    assert run(cached, LOOK).unlisted_files == FILES
    assert compared == [cached.media.name], "it may take other names for media files"


def test_a_folder_with_a_file_that_failed_is_never_a_whole(
    cached: "House", compared: list[str]
) -> None:
    bad = {"action": "t.break"}
    assert run(cached, bad).count(RowState.FAILED) == FILES
    assert run(cached, bad).count(RowState.FAILED) == FILES
    assert compared == [cached.media.name] * 2


def test_a_folder_with_a_file_too_young_to_be_trusted_is_never_a_whole(
    cached: "House", compared: list[str]
) -> None:
    young = cached.tone("young.wav", 999)
    os.utime(young, ns=(cached.clock.now_ns, cached.clock.now_ns))
    run(cached, LOOK)
    run(cached, LOOK)
    run(cached, LOOK)
    assert compared == [cached.media.name] * 3


def test_a_file_that_no_step_works_on_is_no_obstacle(cached: "House", compared: list[str]) -> None:
    (cached.media / "page.pdf").write_bytes(b"%PDF")
    cached.install(Hear)
    assert run(cached, HEAR, list_all=True).count(RowState.DONE) == FILES
    assert run(cached, HEAR).unlisted_files == FILES
    assert run(cached, HEAR).unlisted_files == FILES
    assert compared == [cached.media.name]


def test_who_forces_or_wants_a_list_has_each_file_looked_at(
    cached: "House", compared: list[str]
) -> None:
    assert len(run(cached, LOOK, list_all=True).rows) == FILES
    assert run(cached, LOOK, force=True).count(RowState.DONE) == FILES
    assert compared == []


def test_a_file_that_is_named_beside_its_folder_is_counted_once(cached: "House") -> None:
    recipe = cached.recipe(LOOK, named=False)
    with cached.host() as host:
        summary = host.run([cached.media / "0.wav", cached.media], recipe, list_all=False)
    assert summary.count(RowState.CACHED) == FILES
