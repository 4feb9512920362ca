"""`jobs list --watch --plain`: what happens, in words, as it happens."""

import json
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.conftest import Home


def test_changes_are_told_as_they_come(home: "Home") -> None:
    home.tones(2)
    home.call("run", "media/000.wav", "--action", "count.look")
    with home.start("jobs", "list", "--watch", "--plain") as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        assert first.startswith("Job 1, count.look, ")
        assert ": completed in " in first
        home.call("run", "media/001.wav", "--action", "count.look")
        told: list[str] = []
        while not told or "completed" not in told[-1]:
            told.append(watching.stdout.readline())
            assert told[-1].startswith("Job 2, count.look, ")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0


def test_as_json_each_job_is_a_line(home: "Home") -> None:
    home.tones(2)
    home.call("run", "media", "--action", "count.look")
    answer = home.call("jobs", "list", "--plain", "--json", "--filter", "job:2")
    (job,) = map(json.loads, answer.out.splitlines())
    assert (job["number"], job["status"]) == (2, "completed")
