"""The queue with real hosts: what each claims, shares and loses."""

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost.model.job import MOST_LOSSES
from mediahost.model.pipeline import Pipeline, Step
from mediahost.settings import Settings
from mediahost.wiring import make_host

if TYPE_CHECKING:
    import subprocess

    from tests.integration.conftest import Home

PLUGIN = Path(__file__).parent / "plugins" / "deadly.py"
TIMEOUT_S = 60


@pytest.fixture(params=["sqlite_home", "postgres_home"])
def any_home(request: pytest.FixtureRequest) -> "Home":
    """A home on each database, with the deadly plugin beside the others."""
    home: Home = request.getfixturevalue(request.param)
    home.environ["MEDIAHOST_PLUGINS"] += os.pathsep + str(PLUGIN)
    home.environ["MEDIAHOST_LEASE_S"] = "2"
    return home


def submit(home: "Home", source: str, action: str, files: list[Path], **config: object) -> None:
    """Leave one pending job of a source for each file."""
    given = Settings(
        data_dir=home.data, database_url=home.environ.get("MEDIAHOST_DATABASE_URL"), workers=1
    )
    os.environ["MEDIAHOST_PLUGINS"] = home.environ["MEDIAHOST_PLUGINS"]
    try:
        with make_host(given) as host:
            step = Step(action=action, config=config)
            recipe = host.recipe(Pipeline(name="x", steps=(step,)), named=False)
            jobs = host.submit(files, recipe).jobs
            host.store.adopt(jobs, source)
    finally:
        del os.environ["MEDIAHOST_PLUGINS"]


def until(condition: object, within_s: float = TIMEOUT_S) -> None:
    """Wait until something is so."""
    ends_at = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def stop(home: "Home", host: "subprocess.Popen[str]") -> None:
    """Stop a host while it holds no lock of the database, which others would wait for."""
    host.send_signal(signal.SIGSTOP)
    while not home.is_writable():
        host.send_signal(signal.SIGCONT)
        time.sleep(0.01)
        host.send_signal(signal.SIGSTOP)


def test_a_job_that_kills_its_hosts_ends_and_blames_no_neighbour(any_home: "Home") -> None:
    home = any_home
    home.tones(3)
    poison, *others = sorted(home.media.iterdir())
    submit(home, "user", "deadly.kill", [poison])
    submit(home, "user", "count.wait", others)
    killed = 0
    for _ in range(MOST_LOSSES + 1):
        work = home.start("work", "--drain", "-j", "3")
        until(lambda: work.poll() is not None or "failed" in home.jobs())  # noqa: B023
        if work.poll() is None:
            (home.folder / "open").touch()
        killed += work.wait(TIMEOUT_S) < 0
        work.communicate()
    assert killed == MOST_LOSSES
    jobs = {job["action"]: job for job in home.call("jobs", "list", "--json").json}
    assert f"went away {MOST_LOSSES} times while it ran" in jobs["deadly.kill"]["error"]
    assert home.jobs() == {"failed": 1, "completed": 2}
    # From the second loss on it ran alone.
    lost = dict(
        home.query(
            "SELECT action, count(*) FROM job_attempts JOIN jobs ON jobs.id = job_id"
            " WHERE outcome = 'lost' GROUP BY action"
        )
    )
    assert lost["deadly.kill"] == MOST_LOSSES
    assert lost.get("count.wait", 0) <= 2 * 2


def test_no_more_is_claimed_than_runs(any_home: "Home") -> None:
    """Sixty quick probes and as many long jobs: two run, and the rest is left to others."""
    home = any_home
    files = home.tones(30)
    submit(home, "user", "count.look", files)
    submit(home, "user", "count.wait", files)
    work = home.start("work", "--drain", "-j", "2")
    until(lambda: home.jobs().get("completed") == 30)
    time.sleep(0.5)
    assert home.query("SELECT count(*) FROM jobs WHERE status = 'processing'") == [(2,)]
    assert home.call("jobs", "pause").code == 0
    (home.folder / "open").touch()
    home.finish(work)
    assert home.jobs() == {"completed": 32, "pending": 28}


def test_sources_share_one_host_evenly(any_home: "Home") -> None:
    home = any_home
    dump, mine = home.tones(60)[:48], home.tones(60)[48:]
    submit(home, "dump", "deadly.nap", dump, seconds=0.06)
    submit(home, "watch:mine", "deadly.nap", mine, seconds=0.06)
    assert home.call("work", "--drain", "-j", "2").code == 0
    order = [row[0] for row in home.query("SELECT source FROM jobs ORDER BY completed_at, number")]
    # The small source is done when the large one has had about as much.
    last = max(index for index, source in enumerate(order) if source == "watch:mine")
    assert order[: last + 1].count("dump") <= 18


def test_two_hosts_share_what_one_could_do_alone(any_home: "Home") -> None:
    home = any_home
    submit(home, "user", "deadly.nap", home.tones(40), seconds=0.1)
    hosts = [home.start("work", "-j", "1", environ={"HOST": str(n)}) for n in range(2)]
    until(lambda: home.query("SELECT count(*) FROM hosts") == [(2,)])
    running: dict[str, int] = {}
    while home.jobs() != {"completed": 40}:
        for host, number in home.query(
            "SELECT host, count(*) FROM jobs WHERE status = 'processing' AND host IS NOT NULL"
            " GROUP BY host"
        ):
            running[host] = max(running.get(host, 0), number)
        time.sleep(0.02)
    for host in hosts:
        host.terminate()
        home.finish(host)
    assert len(running) == 2
    # One runs; one more may be on its way to its commit.
    assert max(running.values()) <= 2


def test_a_host_that_stood_still_keeps_its_job_if_nobody_took_it(any_home: "Home") -> None:
    home = any_home
    home.environ["MEDIAHOST_LEASE_S"] = "1"
    submit(home, "user", "count.wait", home.tones(1))
    work = home.start("work", "--drain", "-j", "1")
    until(lambda: home.ran() != {})
    stop(home, work)
    time.sleep(2.5)
    work.send_signal(signal.SIGCONT)
    time.sleep(1)
    (home.folder / "open").touch()
    assert home.finish(work).code == 0
    assert home.query("SELECT status, attempt FROM jobs") == [("completed", 1)]
    assert home.query("SELECT count(*) FROM job_attempts") == [(0,)]


def test_a_host_that_stood_still_leaves_what_another_took(any_home: "Home") -> None:
    home = any_home
    home.environ["MEDIAHOST_LEASE_S"] = "1"
    submit(home, "user", "count.wait", home.tones(1))
    first = home.start("work", "--drain", "-j", "1")
    until(lambda: home.ran() != {})
    stop(home, first)
    second = home.start("work", "--drain", "-j", "1")
    until(lambda: home.ran() != {})
    first.send_signal(signal.SIGCONT)
    time.sleep(1)
    (home.folder / "open").touch()
    assert [home.finish(host).code for host in (first, second)] == [0, 0]
    assert home.query("SELECT status, attempt FROM jobs") == [("completed", 2)]
