"""No command imports what it does not use: start-up is measured in milliseconds."""

import subprocess
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from mediahost.cli.app import app

if TYPE_CHECKING:
    from tests.integration.conftest import Home

FACES = {"textual", "watchdog"}
STORE = {"sqlalchemy", "sqlmodel", "alembic"}
ALWAYS_LATE = {*FACES, "av", "numpy", "PIL", "psycopg", "hypothesis", "pytest"}


def loaded_by(home: "Home", *arguments: str, watched: Iterable[str]) -> set[str]:
    """Those of these modules that a command has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        f"watched = {sorted(watched)}\n"
        "atexit.register(lambda: print(*[m for m in watched if m in sys.modules],"
        " file=open('loaded', 'w')))\n"
        f"sys.argv = {['mediahost', *arguments]}\n"
        "from mediahost.cli import main\n"
        "main()\n"
    )
    environ = {**home.environ, "MEDIAHOST_PLUGINS": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home.folder, env=environ, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set((home.folder / "loaded").read_text().split())


def test_the_version_loads_next_to_nothing(home: "Home") -> None:
    watched = {*ALWAYS_LATE, *STORE, "pydantic", "typer", "rich", "pluggy", "mediahost.errors"}
    assert loaded_by(home, "--version", watched=watched) == set()


def test_help_loads_no_database_and_no_plugin(home: "Home") -> None:
    watched = {*ALWAYS_LATE, *STORE, "rich", "pydantic", "pluggy"}
    assert loaded_by(home, "--help", watched=watched) == set()
    # Typer reads the arguments of a command with pydantic.
    assert loaded_by(home, "run", "--help", watched=watched) <= {"pydantic"}


def test_looking_at_plugins_loads_no_database_and_no_codec(home: "Home") -> None:
    assert loaded_by(home, "plugins", "list", watched={*ALWAYS_LATE, *STORE, "rich"}) == set()


def test_looking_at_jobs_loads_neither_migrations_nor_codecs_nor_faces(home: "Home") -> None:
    home.call("jobs", "list")  # makes the store
    watched = {*ALWAYS_LATE, "alembic", "rich", "sqlalchemy"}
    assert loaded_by(home, "jobs", "list", watched=watched) == {"sqlalchemy"}


def test_a_run_loads_no_codec_into_the_host_and_no_colours_for_a_file(home: "Home") -> None:
    home.example("two_cities.flac")
    home.call("jobs", "list")
    watched = {*ALWAYS_LATE, "alembic", "rich"}
    assert loaded_by(home, "run", "media", "--action", "av.probe", watched=watched) == set()


def test_a_run_loads_no_other_command(home: "Home") -> None:
    others = {f"mediahost.cli.{name}" for name in ("app", "jobs", "watch", "plugins", "tui")}
    assert loaded_by(home, "run", "--help", watched=others) == set()
    assert loaded_by(home, "jobs", "--help", watched=others) == others


def test_a_run_is_the_same_command_by_itself_and_among_all(home: "Home") -> None:
    place = ["--data-dir", home.environ["MEDIAHOST_DATA_DIR"]]
    for arguments in (["run", "--help"], ["run", "--nonsense"], ["run"], ["run", "nowhere"]):
        assert home.call(*arguments) == home.call(*place, *arguments)


def test_a_run_on_sqlite_loads_nothing_of_other_databases(home: "Home") -> None:
    home.example("two_cities.flac")
    home.call("jobs", "list")
    watched = {"sqlalchemy", "sqlalchemy.dialects.postgresql", "mediahost.store.postgres"}
    loaded = loaded_by(home, "run", "media", "--action", "av.probe", watched=watched)
    assert loaded == {"sqlalchemy"}


def test_a_run_that_finds_everything_cached_loads_no_database_library(home: "Home") -> None:
    home.example("two_cities.flac")
    run = ("run", "media", "--action", "av.probe")
    assert home.call(*run).code == 0
    # A file that was written just now is read again, and that is remembered.
    ends_at = time.monotonic() + 60
    while loaded_by(home, *run, watched=STORE) and time.monotonic() < ends_at:
        pass
    assert loaded_by(home, *run, watched={*ALWAYS_LATE, *STORE}) == set()
    assert "1 cached" in home.call(*run).out


@pytest.mark.parametrize("command", sorted(str(one.name) for one in app.registered_commands))
def test_each_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        app([command, "--help"], prog_name="mediahost")
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert f"  mediahost {command}" in said
    usage, _, about = said.partition("\n")
    assert usage.startswith("Usage: ")
    assert "..." not in about.partition("Arguments:")[0].partition("Options:")[0], (
        "the first paragraph is not cut"
    )
