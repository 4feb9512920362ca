"""Results that lack something of their source: shown everywhere; nothing is removed for them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

PLUGIN = Path(__file__).parent / "plugins" / "halves.py"
LACKS = "12.5 s missing: The file is cut off"


@pytest.fixture
def halves(home: "Home") -> "Home":
    """A home with a whole file and half a one."""
    home.environ["MEDIAHOST_PLUGINS"] = str(PLUGIN)
    home.tone("whole.wav", 300)
    home.tone("half.wav", 440)
    return home


@pytest.mark.parametrize("action", ["half.look", "half.copy"])
def test_a_run_shows_what_is_missing_and_strict_fails_on_it(halves: "Home", action: str) -> None:
    for state in ("done", "cached"):
        answer = halves.run("-a", action)
        assert answer.code == 0
        rows = {Path(row["media"]).name: row for row in answer.json["rows"]}
        assert {row["state"] for row in rows.values()} == {state}
        assert rows["half.wav"]["incomplete"] == LACKS
        assert rows["whole.wav"]["incomplete"] is None
    assert halves.run("-a", action, "--strict").code == 1
    told = halves.call("run", "media", "-a", action)
    assert told.code == 0
    assert f"    incomplete: {LACKS}" in told.out
    assert "2 cached, 0 failed, 1 incomplete" in told.out
    assert halves.call("run", "media/whole.wav", "-a", action, "--strict").code == 0


def test_results_and_jobs_show_what_is_missing(halves: "Home") -> None:
    halves.run("-a", "half.look")
    assert f"  incomplete: {LACKS}" in halves.call("results", "media/half.wav").out
    assert "incomplete" not in halves.call("results", "media/whole.wav").out
    (stored,) = halves.call("results", "media/half.wav", "--json").json
    assert stored["incomplete"] == LACKS
    assert stored["result"]["completeness"]["missing_s"] == 12.5
    assert stored["result"]["metadata"] == {}
    assert f"completed, incomplete: {LACKS}" in halves.call("jobs", "list", "--plain").out
    numbers = {
        Path(job["media_url"]).name: job for job in halves.call("jobs", "list", "--json").json
    }
    shown = halves.call("jobs", "show", str(numbers["half.wav"]["number"])).out
    assert f"incomplete   {LACKS}" in shown
    assert numbers["whole.wav"]["error"] is None


def test_among_many_cached_files_the_incomplete_ones_are_listed(halves: "Home") -> None:
    halves.tones(60)
    halves.run("-a", "half.look")
    for _ in range(3):
        told = halves.call("run", "media", "-a", "half.look")
        assert LACKS in told.out
        assert "1 incomplete" in told.out
        assert halves.call("run", "media", "-a", "half.look", "--strict").code == 1


@pytest.mark.parametrize(
    "rule",
    [
        'on_success = "delete"\noutput = "made"',
        'on_success = "move"\ndone_folder = "done"',
        'on_success = "replace"',
    ],
)
def test_a_watch_removes_no_file_for_an_incomplete_result(halves: "Home", rule: str) -> None:
    half = (halves.media / "half.wav").read_bytes()
    whole = (halves.media / "whole.wav").read_bytes()
    halves.settings(
        f'[[watch]]\npath = "media"\nsettle_s = 0.1\n{rule}\n'
        '[[watch.steps]]\naction = "half.copy"\n'
    )
    answer = halves.call("watch", "--once")
    assert answer.code == 0
    assert (halves.media / "half.wav").read_bytes() == half
    kept = halves.media / "whole.wav"
    assert not kept.exists() or kept.read_bytes() != whole
    (reason,) = halves.query("SELECT reason FROM watched_files WHERE name = 'half.wav'")[0]
    assert reason == f"incomplete: half.copy: {LACKS}; it was kept: a result is incomplete"
