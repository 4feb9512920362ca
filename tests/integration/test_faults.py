"""Faults: each is one clear sentence and the right exit code, and hurts nothing else."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home, Starts

LOOK = ("-a", "count.look")
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount or change its uid")


def test_each_fault_of_a_plugin_fails_its_own_job(home: "Home") -> None:
    home.tone("a.wav")
    names = ("segfault", "hang", "raise", "nonsense", "outside", "vanished", "garbage")
    actions = [argument for name in names for argument in ("-a", f"faulty.{name}")]

    summary = home.run(*actions, *LOOK)

    assert summary.code == 1
    assert summary.counts == {"failed": 6, "done": 2}
    errors = {row["step"].split(".")[1]: row["error"].splitlines()[0] for row in failed(summary)}
    assert "signal" in errors["segfault"].lower() or "SIGSEGV" in errors["segfault"]
    assert "0.4 s" in errors["hang"]
    assert errors["raise"] == r"KeyError: 'no such thing\nat all'"
    assert errors["nonsense"].startswith("faulty.nonsense returned {'ranges'")
    assert "outside its workdir" in errors["outside"]
    assert "no such file" in errors["vanished"]
    assert home.jobs() == {"failed": 6, "completed": 2}
    home.assert_sound()
    # Nothing of a failed job is served.
    assert home.run(*LOOK).counts == {"cached": 1}


def test_a_crash_in_a_shared_process_fails_the_one_that_did_it(home: "Home") -> None:
    for number, name in enumerate(["bad", "one", "two", "three"]):
        home.tone(f"{name}.wav", 300 + number)

    summary = home.run("-a", "faulty.together")

    assert summary.counts == {"failed": 1, "done": 3}
    assert failed(summary)[0]["media"].endswith("bad.wav")
    outcomes = "SELECT outcome, count(*) FROM job_attempts GROUP BY outcome"
    assert dict(home.query(outcomes)) == {"lost": 4, "crashed": 2}
    # Each is tried again in a process of its own, until all is known.
    pids = {path.read_text() for path in (home.folder / "open").iterdir()}
    assert len(pids) > 1
    (bad,) = home.query("SELECT number FROM jobs WHERE status = 'failed'")
    log = home.call("jobs", "log", str(bad[0]), "--attempt", "1")
    assert "here is bad" in log.out
    assert "here is one" not in log.out


def test_a_passing_failure_is_tried_again_as_often_as_the_settings_say(home: "Home") -> None:
    home.tone("a.wav")

    summary = home.run("-a", "faulty.transient", environ={"MEDIAHOST_ATTEMPTS": "2"})

    assert summary.counts == {"failed": 1}
    assert failed(summary)[0]["error"] == "The network is down"
    assert home.counted.read_text().splitlines() == ["transient"] * 2


def test_damaged_media_fail_alone(home: "Home") -> None:
    whole = home.example("bigbuckbunny.mp4").read_bytes()
    (home.media / "cut.mp4").write_bytes(whole[:5_000])
    (home.media / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    (home.media / "empty.wav").touch()

    summary = home.run("-a", "av.probe")

    assert summary.code == 1
    assert [Path(row["media"]).name for row in summary.rows(state="done")] == ["bigbuckbunny.mp4"]
    assert {Path(row["media"]).name for row in failed(summary)} == {
        "cut.mp4",
        "noise.mp4",
        "empty.wav",
    }
    for row in failed(summary):
        assert len(row["error"].splitlines()[0]) < 200


def test_a_file_that_changes_while_it_is_processed_gives_no_result(home: "Home") -> None:
    home.tone("a.wav")

    first = home.run("-a", "faulty.meddle")
    second = home.run("-a", "faulty.meddle")

    assert first.code == 1
    assert "changed or went away while it was processed" in failed(first)[0]["error"]
    assert second.code == 0
    # The file now has other bytes, and this is their result, not that of those before.
    results = home.call("results", "media/a.wav", "--json").json
    assert [one["result"]["metadata"]["size"] for one in results] == [
        (home.media / "a.wav").stat().st_size
    ]
    assert home.query("SELECT count(*) FROM analysis_jobs") == [(1,)]


def test_a_file_that_was_changed_and_changed_back_is_processed_again(home: "Home") -> None:
    path = home.tone("a.wav")

    summary = home.run("-a", "faulty.flicker")

    assert summary.counts == {"done": 1}
    (result,) = home.call("results", path, "--json").json
    assert result["result"]["metadata"]["size"] == path.stat().st_size


def test_a_file_that_vanished_before_its_job_ran_is_one_failure(
    home: "Home", starts: "Starts"
) -> None:
    home.tones(2)
    process = home.start("run", "media", "-a", "count.wait", "-j", "1", "--json")
    starts.wait()
    (home.media / "001.wav").unlink()
    (home.folder / "open").touch()

    summary = home.finish(process)

    assert summary.code == 1
    assert summary.counts == {"done": 1, "failed": 1}
    assert failed(summary)[0]["error"] == "001.wav is gone"


@pytest.mark.parametrize("name", [b"two\nlines\x1b[31m.wav", b"caf\xe9 \xff.wav"])
def test_a_strange_name_is_run_cached_and_shown_safely(home: "Home", name: bytes) -> None:
    path = os.path.join(os.fsencode(home.media), name)  # noqa: PTH118 - bytes
    shutil.copy(os.fsencode(home.tone("a.wav")), path)
    (home.media / "a.wav").unlink()
    home.settings(
        '[pipelines.all]\nsteps = [{action = "count.cut"}, '
        '{action = "count.follow", after = "count.cut"}]\n'
    )

    first = home.run("-p", "all", "-o", "out")
    shown = home.call("run", "media", "-p", "all", "-o", "out")
    listed = home.call("jobs", "list")

    assert first.counts == {"done": 2}, first.err
    assert "2 cached" in shown.out
    assert "\x1b" not in shown.out + listed.out
    assert (shown.out + listed.out).encode("utf-8")  # no half characters either
    assert home.call("results", os.fsdecode(path), "--json").json
    assert len(list((home.folder / "out").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("run", "media", "-a", "count.lok"), 2, "did you mean count.look?"),
        (("run", "media", "-a", "count.look:depth=0"), 2, "depth"),
        (("run", "media", "-a", "count.look:dept=1"), 2, "did you mean depth?"),
        (("run", "media", "-a", "count.look:depth"), 2, "no KEY=VALUE"),
        (("run", "media", "-p", "nothing"), 2, "No pipeline named 'nothing'"),
        (("run", "nowhere", "-a", "count.look"), 2, "There is no file or folder nowhere"),
        (("run", "media"), 2, "--action NAME or --pipeline NAME"),
        (("run", "media/readme.txt", "-a", "count.look"), 1, "is not a media file"),
        (("--settings", "none.toml", "jobs", "list"), 3, "There is no settings file"),
        (("jobs", "show", "77"), 2, "No job named '77'"),
        (("results", "media"), 2, "is a folder"),
    ],
)
def test_a_mistake_is_one_sentence(
    home: "Home", arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    (home.media / "readme.txt").write_text("hello")

    answer = home.call(*arguments)

    assert answer.code == code, answer.err
    assert sentence in answer.err
    assert len(answer.err.splitlines()) <= 4, "a sentence and a few lines of hints"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("workers = ", "not valid TOML"),
        ("worker = 2", "did you mean workers?"),
        ("workers = 0", "workers"),
        ('executor = "lokal"', "did you mean local?"),
        ('[pipelines.p]\nsteps = [{action = "a.b", after = "c.d"}]', "no step of it"),
    ],
)
def test_bad_settings_are_one_sentence(home: "Home", settings: str, sentence: str) -> None:
    home.tone("a.wav")
    home.settings(settings)
    environ = {"MEDIAHOST_WORKERS": "2"} if "workers" not in settings else {}
    if not environ:
        del home.environ["MEDIAHOST_WORKERS"]

    answer = home.call("run", "media", *LOOK)

    assert answer.code == (2 if "executor" in settings else 3)
    assert sentence in answer.err
    assert len(answer.err.splitlines()) <= 2


def test_a_store_that_is_no_database_is_left_alone(home: "Home") -> None:
    home.tone("a.wav")
    home.data.mkdir()
    (home.data / "store.db").write_text("a letter to my aunt, not a database" * 100)

    answer = home.call("run", "media", *LOOK)

    assert answer.code == 3
    assert len(answer.err.splitlines()) <= 2
    assert (home.data / "store.db").read_text().startswith("a letter")


def test_a_damaged_store_is_one_sentence(home: "Home") -> None:
    home.tone("a.wav")
    home.run(*LOOK)
    store = home.data / "store.db"
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(store.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    store.write_bytes(data)

    answer = home.call("run", "media", *LOOK)

    assert answer.code == 3
    assert "can't be used" in answer.err


@pytest.fixture
def open_home(home: "Home") -> Iterator["Home"]:
    """A home that other users may enter; pytest's own folders are root's alone."""
    with TemporaryDirectory(prefix="mediahost-test-") as folder:
        Path(folder).chmod(0o755)
        yield type(home)(Path(folder))


@as_root
def test_what_may_not_be_read_or_written_is_named(open_home: "Home") -> None:
    """As root permissions bind nobody, so the program runs as another user."""
    home = open_home
    home.tone("a.wav")
    home.tone("locked/b.wav")
    home.tone("c.wav", 550).chmod(0)
    (home.media / "locked").chmod(0)
    home.data.mkdir()
    for path in (home.data, home.counted):
        os.chown(path, NOBODY, NOBODY)

    answer = as_nobody(home, "run", home.media, *LOOK, "--json")

    assert answer.code == 1
    assert answer.counts == {"done": 1}, answer.out
    messages = [problem["message"] for problem in answer.json["problems"]]
    assert sorted(messages) == [
        f"{home.media}/c.wav: Permission denied",
        f"{home.media}/locked: Permission denied",
    ]

    for name in ("store.db", "store.db-wal", "store.db-shm"):
        if (home.data / name).exists():
            (home.data / name).chmod(0o444)
            os.chown(home.data / name, 0, 0)
    os.chown(home.data, 0, 0)
    home.tone("d.wav", 660)
    refused = as_nobody(home, "run", home.media, *LOOK)
    assert refused.code == 3
    assert "can't be" in refused.err
    assert len(refused.err.splitlines()) <= 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight mebibytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", disk], check=True)


@as_root
def test_a_full_disk_is_one_sentence_and_loses_nothing(home: "Home", small_disk: Path) -> None:
    home.tones(3)
    full = {"MEDIAHOST_DATA_DIR": str(small_disk)}
    assert home.run(*LOOK, environ=full).code == 0
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)):
            pass

    answer = home.call("run", "media", "-a", "count.cut", environ=full)

    assert answer.code in (1, 3)
    assert re.search("disk (is full|failed)|No space left", answer.err + answer.out)
    (small_disk / "ballast").unlink()
    assert home.run("-a", "count.cut", *LOOK, environ=full).counts == {"done": 3, "cached": 3}


def as_nobody(home: "Home", *arguments: str | os.PathLike[str]) -> "Answer":
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    home.environ["HOME"] = str(home.data)
    # That user may not be allowed to start the interpreter, where it lies in somebody's home.
    home.environ["MEDIAHOST_EXECUTOR"] = "inline"
    user = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return home.call(*arguments, prefix=user)


def failed(summary: "Answer") -> list[dict[str, str]]:
    return summary.rows(state="failed")
