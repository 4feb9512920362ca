"""Hosts are killed and frozen at random: no job is lost, none is committed twice.

The control runs the same without the fence, and must see jobs committed twice: a harness that
can't find the fault proves nothing.
"""

import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.integration.conftest import Home, Starts

UNFENCED = Path(__file__).with_name("unfenced.py")
SEED = 4
LEASE_S = "1"
TIMEOUT_S = 300.0
# Each commit of a job, as the database itself sees it.
TRIGGERS = {
    "sqlite": """
CREATE TABLE commits (job TEXT, attempt INTEGER);
CREATE TRIGGER note_commits AFTER UPDATE OF status ON jobs WHEN NEW.status = 'completed'
BEGIN INSERT INTO commits VALUES (NEW.id, NEW.attempt); END;
""",
    "postgres": """
CREATE TABLE commits (job TEXT, attempt INTEGER);
CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO commits VALUES (NEW.id, NEW.attempt); RETURN NULL; END $$;
CREATE TRIGGER note_commits AFTER UPDATE OF status ON jobs
FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION note_commit();
""",
}


@pytest.fixture(params=list(TRIGGERS))
def home(request: pytest.FixtureRequest) -> "Home":
    """An empty home, with each store, which counts the commits of each job."""
    made: Home = request.getfixturevalue(f"{request.param}_home")
    made.script(TRIGGERS[request.param])
    return made


def submit(home: "Home", starts: "Starts", action: str, files: int) -> None:
    """Leave so many jobs pending, each commit of which will be counted."""
    home.tones(files)
    run = home.start("run", "media", "-a", action)
    starts.wait()
    run.send_signal(signal.SIGINT)
    home.finish(run)


def freeze(home: "Home", process: "subprocess.Popen[str]") -> None:
    """Stop a host, but not within a transaction: SQLite has one writer, and all would wait."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if home.is_writable():
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)


def commits(home: "Home") -> tuple[int, int]:
    """How many commits there were, and of how many jobs."""
    ((every, jobs),) = home.query("SELECT count(*), count(DISTINCT job) FROM commits")
    return every, jobs


def frozen_past_its_lease(home: "Home", starts: "Starts", *prefix: str) -> None:
    """One host is stopped with its attempt done but not committed; another does the job."""
    submit(home, starts, "count.wait", 1)
    environ = {"MEDIAHOST_LEASE_S": LEASE_S}
    slow = home.start_python(UNFENCED, environ=environ) if prefix else None
    slow = slow or home.start("work", environ=environ)
    starts.wait()
    freeze(home, slow)
    (home.folder / "open").touch()
    assert home.call("work", "--drain", environ=environ).code == 0
    assert home.jobs() == {"completed": 1}
    slow.send_signal(signal.SIGCONT)
    slow.send_signal(signal.SIGTERM)
    home.finish(slow)


def test_a_host_that_was_frozen_past_its_lease_commits_nothing(
    home: "Home", starts: "Starts"
) -> None:
    frozen_past_its_lease(home, starts)
    assert commits(home) == (1, 1)
    assert home.query("SELECT outcome FROM job_attempts") == [("lost",)]
    home.assert_sound()


def test_without_the_fence_it_would_commit_a_second_time(home: "Home", starts: "Starts") -> None:
    frozen_past_its_lease(home, starts, "unfenced")
    every, jobs = commits(home)
    assert every > jobs == 1


@dataclass
class Storm:
    """Hosts on one store, and somebody who kills and freezes them.

    Attributes:
        kills, freezes: How many there were.
    """

    home: "Home"
    chance: random.Random
    hosts: "list[subprocess.Popen[str]]" = field(default_factory=list)
    kills: int = 0
    freezes: int = 0

    def host(self) -> None:
        """One more."""
        environ = {"MEDIAHOST_LEASE_S": LEASE_S, "MEDIAHOST_CANCEL_GRACE_S": "0.2"}
        self.hosts.append(self.home.start("work", "--drain", environ=environ))

    def strike(self, starts: "Starts") -> None:
        """Wait for some attempts to begin, then kill or freeze a host."""
        for _ in range(self.chance.randint(1, 6)):
            starts.wait()
        victim = self.chance.choice(self.hosts)
        if self.chance.random() < 1 / 3:  # past its lease: its jobs become another's
            self.freezes += 1
            freeze(self.home, victim)
            time.sleep(float(LEASE_S) * 1.5)
            victim.send_signal(signal.SIGCONT)
        else:
            self.kills += 1
            victim.kill()
            victim.communicate()
            self.hosts.remove(victim)
            self.host()

    def end(self) -> None:
        """Let the hosts finish."""
        for host in self.hosts:
            self.home.finish(host, within_s=TIMEOUT_S)


@pytest.mark.parametrize(
    ("files", "strikes"), [(24, 3), pytest.param(240, 40, marks=pytest.mark.chaos)]
)
def test_killed_and_frozen_at_random_hosts_lose_and_repeat_nothing(
    home: "Home", starts: "Starts", files: int, strikes: int
) -> None:
    submit(home, starts, "count.cut:pause_s=0.2", files)
    storm = Storm(home, random.Random(SEED))  # noqa: S311 - no secret
    for _ in range(2):
        storm.host()
    ends_at = time.monotonic() + TIMEOUT_S
    for _ in range(strikes):
        if home.jobs().get("completed", 0) >= files - 8 or time.monotonic() > ends_at:
            break
        storm.strike(starts)
    storm.end()

    assert storm.kills + storm.freezes > 0
    assert home.call("work", "--drain").code == 0
    assert home.jobs() == {"completed": files}
    assert commits(home) == (files, files)
    home.assert_sound()
    # Each result is there, once, and nothing else is.
    rows = home.run("-a", "count.cut:pause_s=0.2")
    assert rows.counts == {"cached": files}
    named = {Path(path).parents[1] for row in rows.json["rows"] for path in row["artifacts"]}
    kept = set((home.data / "artifacts").glob("*/*"))
    assert named <= kept
