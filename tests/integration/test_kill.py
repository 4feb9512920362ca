"""Kills: nothing is lost, nothing is computed twice, nothing is left behind."""

import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost.host.life_locks import LifeLocks, Lock

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.integration.conftest import Home, Starts

    Kill = Callable[["subprocess.Popen[str]"], None]

FILES = 30
SEED = 20260
PIPELINE = """
[pipelines.all]
steps = [
    { action = "count.look" },
    { action = "count.cut" },
    { action = "count.follow", after = ["count.look", "count.cut"] },
]
"""


def test_killed_at_random_points_it_loses_and_repeats_nothing(
    home: "Home", starts: "Starts", kill: "Kill"
) -> None:
    home.tones(FILES)
    home.settings(PIPELINE)
    chance = random.Random(SEED)  # noqa: S311 - no secret
    for _ in range(3):
        process = home.start("run", "media", "-p", "all")
        for _ in range(chance.randint(1, FILES // 2)):
            starts.wait()
        committed = home.query("SELECT count(*) FROM jobs WHERE status = 'completed'")[0][0]
        kill(process)
        after = home.query("SELECT count(*) FROM jobs WHERE status = 'completed'")[0][0]
        assert after >= committed
        assert home.query("PRAGMA integrity_check") == [("ok",)]
    done = home.jobs()["completed"]
    ran_before = sum(home.ran().values())

    last = home.run("-p", "all")

    assert last.code == 0, last.err
    assert len(last.json["rows"]) == 3 * FILES
    # No result that was committed before a kill was computed a second time.
    assert last.counts == {"cached": done, "done": 3 * FILES - done}
    assert sum(home.ran().values()) == 3 * FILES - done
    assert ran_before >= done > 0
    assert set(home.jobs()) == {"completed"}
    home.assert_sound()
    assert home.run("-p", "all").counts == {"cached": 3 * FILES}
    # What an attempt kept and could not commit any more is swept by the next attempt.
    named = {os.path.dirname(path) for row in last.json["rows"] for path in row["artifacts"]}  # noqa: PTH120
    kept = {os.fspath(path) for path in (home.data / "artifacts").glob("*/*/parts")}
    assert kept == named


def test_a_killed_worker_costs_one_attempt(home: "Home", starts: "Starts") -> None:
    home.tones(2)
    process = home.start("run", "media", "-a", "count.wait", "--json")
    starts.wait()
    starts.wait()
    victim = next(pid for pid in workers_of(process.pid))
    os.kill(victim, signal.SIGKILL)
    # It is tried once more, for a crash may be the fault of a neighbour.
    starts.wait()
    (home.folder / "open").touch()

    summary = home.finish(process)

    assert summary.counts == {"done": 2}, summary.out
    assert sum(home.ran().values()) == 3
    home.assert_sound()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_gives_its_jobs_back(
    home: "Home", starts: "Starts", number: signal.Signals
) -> None:
    home.tones(4)
    process = home.start("run", "media", "-a", "count.wait")
    starts.wait()
    starts.wait()
    workers = workers_of(process.pid)

    os.kill(process.pid, number)
    answer = home.finish(process)

    assert answer.code == 128 + number
    assert not [pid for pid in workers if runs(pid)]
    # Nothing failed and nothing is anybody's: the next run finds all of it pending.
    assert home.jobs() == {"pending": 4}
    assert home.query("SELECT DISTINCT host, failures FROM jobs") == [(None, 0)]
    home.assert_sound()
    home.ran()
    (home.folder / "open").touch()
    again = home.run("-a", "count.wait")
    assert again.counts == {"done": 4}
    assert sum(home.ran().values()) == 4
    assert home.jobs() == {"completed": 4}


def test_a_worker_that_does_not_listen_is_ended_after_the_grace(
    home: "Home", starts: "Starts"
) -> None:
    home.tones(2)
    quick = {"MEDIAHOST_CANCEL_GRACE_S": "0.2"}
    process = home.start("run", "media", "-a", "faulty.deaf", "-a", "count.wait", environ=quick)
    starts.wait()
    starts.wait()

    os.kill(process.pid, signal.SIGINT)
    answer = home.finish(process)

    assert answer.code == 130
    assert home.jobs() == {"pending": 4}
    home.assert_sound()


def test_what_ended_well_before_an_interrupt_is_kept(home: "Home", starts: "Starts") -> None:
    home.tones(2)
    process = home.start("run", "media", "-a", "count.wait")
    starts.wait()
    starts.wait()
    (home.folder / "open").touch()
    os.kill(process.pid, signal.SIGINT)
    answer = home.finish(process)
    assert answer.code in (0, 130)
    kept = home.jobs().get("completed", 0)
    home.ran()

    (home.folder / "open").touch()
    assert home.run("-a", "count.wait").code == 0

    assert sum(home.ran().values()) == 2 - kept


def test_the_staging_of_a_killed_host_is_swept(
    home: "Home", starts: "Starts", kill: "Kill"
) -> None:
    home.tone("a.wav")
    process = home.start("run", "media", "-a", "count.wait")
    starts.wait()
    (host,) = [row[0] for row in home.query("SELECT host FROM jobs")]
    assert LifeLocks(home.data).look(host) is Lock.HELD
    kill(process)

    assert LifeLocks(home.data).look(host) is Lock.FREE
    assert list((home.data / "staging").iterdir())
    (home.folder / "open").touch()
    assert home.run("-a", "count.wait").counts == {"done": 1}
    home.assert_sound()


def workers_of(pid: int) -> list[int]:
    """The processes of a host that run attempts."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [pid for pid in children if "worker.py" in Path(f"/proc/{pid}/cmdline").read_text()]


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
