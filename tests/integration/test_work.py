"""`mediahost work`: hosts that share a store, pauses that all of them see, and how they stop."""

import os
import select
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.integration.conftest import Home, Starts

TIMEOUT_S = 60
WAIT = ("--action", "count.wait")


def submit(home: "Home", starts: "Starts", files: int) -> None:
    """Leave so many jobs pending: a run that is interrupted gives them back."""
    home.tones(files)
    # One at a time: a second start would be taken for that of the program that follows.
    run = home.start("run", "media", "-j", "1", *WAIT)
    starts.wait()
    run.send_signal(signal.SIGINT)
    home.finish(run)
    assert home.jobs() == {"pending": files}


def first_words(process: "subprocess.Popen[str]") -> str:
    """The first line on its standard error that isn't about a job."""
    assert process.stderr is not None
    while True:
        ready, _, _ = select.select([process.stderr], [], [], TIMEOUT_S)
        assert ready
        line = process.stderr.readline()
        assert line, "it has ended without a word"
        if line.startswith("mediahost:"):
            return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_once_it_finishes_what_runs_and_leaves_the_rest(
    home: "Home", starts: "Starts", number: signal.Signals
) -> None:
    submit(home, starts, 5)
    work = home.start("work", "-j", "1")
    starts.wait()
    os.kill(work.pid, number)
    assert "finishing what runs" in first_words(work)
    (home.folder / "open").touch()
    answer = home.finish(work)
    assert answer.code == 0, answer
    assert home.jobs() == {"pending": 4, "completed": 1}
    assert home.query("SELECT count(*) FROM hosts") == [(0,)]
    home.assert_sound()


def test_asked_twice_it_stops_at_once(home: "Home", starts: "Starts") -> None:
    submit(home, starts, 2)
    work = home.start("work", "-j", "1")
    starts.wait()
    work.send_signal(signal.SIGTERM)
    first_words(work)
    work.send_signal(signal.SIGTERM)
    assert home.finish(work).code == 128 + signal.SIGTERM
    assert home.jobs() == {"pending": 2}
    assert home.query("SELECT DISTINCT host, failures FROM jobs") == [(None, 0)]
    home.assert_sound()


def test_two_hosts_do_each_job_once(home: "Home", starts: "Starts") -> None:
    submit(home, starts, 12)
    home.ran()
    hosts = [home.start("work", "--drain", "-j", "1") for _ in range(2)]
    starts.wait()
    starts.wait()
    # Their first jobs may start before they have said that they are there.
    deadline = time.monotonic() + TIMEOUT_S
    while home.query("SELECT count(*) FROM hosts") != [(2,)]:
        assert time.monotonic() < deadline
    (home.folder / "open").touch()
    assert [home.finish(host).code for host in hosts] == [0, 0]
    assert home.jobs() == {"completed": 12}
    assert set(home.ran().values()) == {1}


def test_what_is_paused_is_left_by_a_host_that_drains(home: "Home", starts: "Starts") -> None:
    submit(home, starts, 2)
    (home.folder / "open").touch()
    assert home.call("jobs", "pause", "--action", "count.wait").code == 0
    assert "Paused: action count.wait" in home.call("work", "--drain").err
    assert "Paused: action count.wait" in home.call("jobs", "list").out
    assert home.jobs() == {"pending": 2}
    assert home.call("jobs", "resume").code == 0
    assert home.call("work", "--drain").code == 0
    assert home.jobs() == {"completed": 2}


def test_a_run_that_waits_for_a_pause_says_so(home: "Home", starts: "Starts") -> None:
    home.tone("a.wav")
    (home.folder / "open").touch()
    assert home.call("jobs", "pause").code == 0
    run = home.start("run", "media", *WAIT)
    assert run.stderr
    assert run.stderr.readline() == "Paused: all jobs\n"
    assert home.call("jobs", "resume").code == 0
    assert home.finish(run).code == 0


def test_a_log_is_followed_until_its_job_has_ended(home: "Home", starts: "Starts") -> None:
    home.tone("a.wav")
    run = home.start("run", "media", *WAIT)
    starts.wait()
    follow = home.start("jobs", "log", "1", "--follow")
    (home.folder / "open").touch()
    assert home.finish(run).code == 0
    assert home.finish(follow).code == 0


def test_each_attempt_keeps_its_reason_and_its_log(home: "Home") -> None:
    home.tone("a.wav")
    home.run("-a", "faulty.transient", environ={"MEDIAHOST_ATTEMPTS": "2"})
    tried = home.call("jobs", "show", "1", "--json").json["attempts"]
    assert [(one["attempt"], one["outcome"]) for one in tried] == [(1, "error"), (2, "error")]
    assert tried[0]["retry_in_s"] > 0
    assert tried[1]["retry_in_s"] is None
    assert all("The network is down" in one["error"] for one in tried)
    shown = home.call("jobs", "show", "1").out
    assert "attempt 1" in shown
    assert "tried again" in shown
    for number in "12":
        assert home.call("jobs", "log", "1", "--attempt", number).code == 0
