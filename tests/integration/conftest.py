"""The real program on real files: one home a test, with a store, media and counted actions."""

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mediahost.store.about import upgrade_at
from mediahost.testing.media import write_wav
from mediahost.trust import TrustedFiles

HERE = Path(__file__).parent
MEDIA = HERE.parent.parent / "examples" / "media"
PROGRAM = Path(sys.executable).with_name("mediahost")
TIMEOUT_S = 60
OTHERS_TRANSACTIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
"""


@dataclass(frozen=True)
class Answer:
    """What the program said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output."""
        return json.loads(self.out)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of a run ended in which state, without those that none did."""
        return {state: number for state, number in self.json["counts"].items() if number}

    def rows(self, **wanted: str) -> list[dict[str, Any]]:
        """The rows of a run that have these values."""
        return [
            row
            for row in self.json["rows"]
            if all(row[name] == value for name, value in wanted.items())
        ]


@dataclass
class Home:
    """A person's folders, and the program as they would call it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.media = self.folder / "media"
        self.data = self.folder / "data"
        self.counted = self.folder / "counted"
        self.media.mkdir()
        self.counted.touch()
        names = ("counting.py", "faulty.py", "lacking.py")
        plugins = [str(HERE / "plugins" / name) for name in names]
        self.environ = {
            **{
                name: os.environ[name]
                for name in ("PATH", "HOME", "LANG", "PYTHONPATH")
                if name in os.environ
            },
            "MEDIAHOST_DATA_DIR": str(self.data),
            "MEDIAHOST_PLUGINS": os.pathsep.join(plugins),
            "MEDIAHOST_WORKERS": "2",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "COUNT_FILE": str(self.counted),
            "MEDIAHOST_WORKER_VARIABLES": "COUNT_FILE OPEN START_FIFO ACTION_VERSION",
            "OPEN": str(self.folder / "open"),
        }

    # --- media

    def tone(self, name: str, hertz: int = 440) -> Path:
        """A tenth of a second of sound; another frequency is other bytes."""
        path = self.media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_wav(path, (0.1, hertz))

    def tones(self, number: int) -> list[Path]:
        """So many files, all of other content."""
        return [self.tone(f"{index:03}.wav", 200 + index) for index in range(number)]

    def example(self, name: str) -> Path:
        """One of the example media files."""
        return Path(shutil.copy(MEDIA / name, self.media))

    def settings(self, text: str) -> None:
        """Write the settings file of the folder that the program is started in, and trust it."""
        path = self.folder / "mediahost.toml"
        path.write_text(text)
        TrustedFiles(self.folder / "config" / "mediahost" / "trusted").add(path, path.read_bytes())

    # --- the program

    def start(
        self,
        *arguments: str | os.PathLike[str],
        environ: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> "subprocess.Popen[str]":
        """Start the program in a process group of its own, by another program if need be."""
        return self._start([*prefix, PROGRAM, *arguments], environ or {})

    def start_python(
        self, program: Path, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start a Python program with the home's environment."""
        return self._start([sys.executable, program, *arguments], environ or {})

    def _start(
        self, command: Sequence[str | os.PathLike[str]], environ: Mapping[str, str]
    ) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            process_group=0,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Kill what a test that failed has left running; its workers die with it."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate(timeout=TIMEOUT_S)

    def finish(self, process: "subprocess.Popen[str]", *, within_s: float = TIMEOUT_S) -> Answer:
        """Wait for a program to end; it never shows a traceback."""
        out, err = process.communicate(timeout=within_s)
        assert "Traceback" not in err, err
        assert "fault of mediahost" not in err, err
        return Answer(process.returncode, out, err)

    def call(
        self,
        *arguments: str | os.PathLike[str],
        environ: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> Answer:
        """Call the program."""
        return self.finish(self.start(*arguments, environ=environ, prefix=prefix))

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Answer:
        """`mediahost run media ARGUMENTS --json`."""
        return self.call("run", "media", *arguments, "--json", environ=environ)

    # --- what came of it

    def ran(self) -> Counter[str]:
        """How often which counted action ran on which file, since the last time this was asked."""
        lines = self.counted.read_text().splitlines()
        self.counted.write_text("")
        return Counter(line.replace("'", "") for line in lines)

    def query(self, statement: str) -> list[Any]:
        """What the database answers."""
        with closing(sqlite3.connect(self.data / "store.db")) as connection:
            return connection.execute(statement).fetchall()

    def script(self, statements: str) -> None:
        """Have the database run these, made first if need be."""
        assert self.call("jobs", "list").code == 0
        with closing(sqlite3.connect(self.data / "store.db")) as connection:
            connection.executescript(statements)

    def is_writable(self) -> bool:
        """Whether nobody holds the database's lock."""
        with closing(sqlite3.connect(self.data / "store.db", timeout=0.2)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.rollback()
            return True

    def jobs(self) -> dict[str, int]:
        """How many jobs there are of each status."""
        return dict(self.query("SELECT status, count(*) FROM jobs GROUP BY status"))

    def assert_sound(self) -> None:
        """The database is intact, and nothing half-done lies about."""
        assert self.query("PRAGMA integrity_check") == [("ok",)]
        assert self.query("PRAGMA foreign_key_check") == []
        staging = self.data / "staging"
        assert not (staging.exists() and list(staging.iterdir()))


@dataclass
class PostgresHome(Home):
    """The same with the store in a database of Postgres, which nobody else uses."""

    url: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.environ["MEDIAHOST_DATABASE_URL"] = self.url

    def query(self, statement: str) -> list[Any]:
        """What the database answers."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def script(self, statements: str) -> None:
        """Have the database run these."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statements.encode())

    def is_writable(self) -> bool:
        """Whether nobody is within a transaction, whose rows others would wait for."""
        return self.query(OTHERS_TRANSACTIONS) == [(0,)]

    def assert_sound(self) -> None:
        """Nothing half-done lies about."""
        staging = self.data / "staging"
        assert not (staging.exists() and list(staging.iterdir()))


@pytest.fixture
def postgres_home(tmp_path: Path, bare_postgres_url: str) -> Iterator[PostgresHome]:
    """An empty home with its store in Postgres."""
    upgrade_at(bare_postgres_url)
    home = PostgresHome(tmp_path, url=bare_postgres_url)
    yield home
    home.end()


@pytest.fixture
def sqlite_home(tmp_path: Path) -> Iterator[Home]:
    """An empty home."""
    home = Home(tmp_path)
    yield home
    home.end()


@pytest.fixture
def home(sqlite_home: Home) -> Home:
    """An empty home."""
    return sqlite_home


class Starts:
    """Hears of each start of a counted action, as it happens."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # Both ways: it never ends, and opening it waits for nobody.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def wait(self) -> None:
        """Wait for the next start."""
        ready, _, _ = select.select([self._descriptor], [], [], TIMEOUT_S)
        assert ready, "no action was started"
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._descriptor, 1)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


@pytest.fixture
def starts(home: Home) -> Iterator[Starts]:
    """Hears of starts in the home."""
    path = home.folder / "starts"
    heard = Starts(path)
    home.environ["START_FIFO"] = str(path)
    yield heard
    heard.close()


@pytest.fixture
def kill_all() -> Callable[["subprocess.Popen[str]"], None]:
    """Kill a program as a power cut would, and see that its workers die with it."""

    def kill_all(process: "subprocess.Popen[str]") -> None:
        workers = children_of(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT_S)
        for pid in workers:
            wait_until_gone(pid)

    return kill_all


@pytest.fixture
def kill(
    kill_all: Callable[["subprocess.Popen[str]"], None],
) -> Callable[["subprocess.Popen[str]"], None]:
    """The same for a program that nobody else reads from."""

    def kill(process: "subprocess.Popen[str]") -> None:
        kill_all(process)
        process.communicate(timeout=TIMEOUT_S)

    return kill


@pytest.fixture(name="children_of")
def _children_of() -> Callable[[int], list[int]]:
    """The processes that a process started, and those that they did."""
    return children_of


@pytest.fixture(name="wait_until_gone")
def _wait_until_gone() -> Callable[[int], None]:
    """Wait for a process that need not be a child of ours."""
    return wait_until_gone


def children_of(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children_of(int(child))]
    return found


def wait_until_gone(pid: int) -> None:
    """Wait for a process that need not be a child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ready, _, _ = select.select([descriptor], [], [], TIMEOUT_S)
    os.close(descriptor)
    assert ready, f"process {pid} lives on"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes. Only root may mount one; CI is root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a disk can't be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
