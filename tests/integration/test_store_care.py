"""Backup, check, gc and verify, by the real program on real files."""

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from mediahost.store import MediaProcessingStorage

CUT = ("--action", "count.cut")
YEAR_S = 31_536_000


def artifacts(home: Any) -> list[Path]:
    return sorted(path for path in (home.data / "artifacts").rglob("*") if path.is_file())


def change(home: Any, statement: str) -> None:
    with closing(sqlite3.connect(home.data / "store.db")) as connection, connection:
        connection.execute(statement)


def make_old(home: Any) -> None:
    """Let a year pass for results, jobs and logs."""
    for table in ("processing_jobs", "analysis_jobs"):
        change(home, f"UPDATE {table} SET created_at = created_at - {YEAR_S}")  # noqa: S608
    change(home, "UPDATE jobs SET completed_at = datetime(completed_at, '-365 days') || '.000000'")
    for log in (home.data / "logs").iterdir():
        os.utime(log, (1, 1))


def garbage(home: Any, *options: str) -> list[tuple[str, str]]:
    answer = home.call("store", "gc", *options, "--json")
    assert answer.code == 0, answer.err
    return [(one["kind"], Path(one["name"]).name) for one in answer.json["garbage"]]


def kinds(home: Any, *options: str) -> list[str]:
    return sorted(kind for kind, _ in garbage(home, *options))


# --- whose it is


def test_what_is_kept_is_its_owners_alone_whatever_the_umask(home: Any, starts: Any) -> None:
    home.tones(1)
    # A data folder that somebody made without thinking of it, as containers do.
    home.data.mkdir()
    home.data.chmod(0o755)
    open_umask = ["sh", "-c", 'umask 000; exec "$@"', "sh"]
    running = home.start("run", "media", "--action", "count.wait", prefix=open_umask)
    starts.wait()
    found = {path.name: path.stat() for path in home.data.iterdir()}
    home.call("store", "backup", home.data / "copy.db", prefix=open_umask)
    running.terminate()
    home.finish(running)
    found["copy.db"] = (home.data / "copy.db").stat()
    assert {
        name: oct(status.st_mode & 0o777)
        for name, status in found.items()
        if status.st_mode & 0o077
    } == {}
    assert {"store.db", "store.db-wal", "store.db-shm", "staging", "artifacts"} <= found.keys()


# --- backup


def test_a_backup_is_a_store_with_all_that_was_there(home: Any) -> None:
    home.tones(3)
    home.run(*CUT)
    answer = home.call("store", "backup", "copy.db", "--json")
    assert answer.code == 0
    assert answer.json == {
        "file": str(home.folder / "copy.db"),
        "size": (home.folder / "copy.db").stat().st_size,
    }
    assert (home.folder / "copy.db").stat().st_mode & 0o777 == 0o600
    used = {"MEDIAHOST_DATABASE_URL": str(home.folder / "copy.db")}
    assert home.run(*CUT, environ=used).counts == {"cached": 3}
    assert list(home.folder.glob(".*.part")) == []


def test_a_backup_taken_while_a_host_writes_is_of_one_moment(home: Any) -> None:
    home.tones(60)
    running = home.start("run", "media", "--action", "count.look", "--json")
    taken = 0
    while running.poll() is None:
        answer = home.call("store", "backup", f"copy{taken}.db")
        assert answer.code == 0, answer.err
        taken += 1
    home.finish(running)
    for number in range(taken):
        with closing(sqlite3.connect(home.folder / f"copy{number}.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            completed, results = connection.execute(
                "SELECT (SELECT count(*) FROM jobs WHERE status = 'completed'),"
                " (SELECT count(*) FROM analysis_jobs)"
            ).fetchone()
            assert completed == results


def test_a_backup_overwrites_nothing(home: Any) -> None:
    (home.folder / "copy.db").write_text("mine")
    answer = home.call("store", "backup", "copy.db")
    assert answer.code == 2
    assert "exists already" in answer.err
    assert (home.folder / "copy.db").read_text() == "mine"
    assert home.call("store", "backup", "no/folder/copy.db").code == 2


# --- check


def test_a_store_that_was_just_used_is_sound(home: Any) -> None:
    home.tones(2)
    home.run(*CUT)
    answer = home.call("store", "check", "--json")
    assert answer.code == 0
    assert (answer.json["sound"], answer.json["files"], answer.json["unused"]) == (True, 4, [])
    assert answer.json["sizes"]["artifacts"] == sum(f.stat().st_size for f in artifacts(home))
    assert "The store is sound" in home.call("store", "check").out


def test_check_finds_rows_without_files_and_files_without_rows(home: Any) -> None:
    home.tones(2)
    home.run(*CUT)
    lost, short, *_ = artifacts(home)
    lost.unlink()
    short.write_bytes(b"short")
    stray = home.data / "artifacts" / "00" / "01234567-89ab-7def-8123-456789abcdef.1"
    stray.mkdir(parents=True)
    answer = home.call("store", "check", "--json")
    assert answer.code == 1
    reasons = {one["path"]: one["reason"] for one in answer.json["misfits"]}
    assert reasons.keys() == {str(lost), str(short)}
    assert reasons[str(short)].startswith("has 5 bytes")
    assert answer.json["unused"] == [str(stray)]


def test_check_finds_a_damaged_database(home: Any) -> None:
    home.tones(3)
    home.run(*CUT)
    with closing(sqlite3.connect(home.data / "store.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("INSERT INTO job_progress VALUES (x'00', 1, 0.5, '')")
    answer = home.call("store", "check")
    assert answer.code == 1
    assert "job_progress belongs to no row of jobs" in answer.out


# --- gc


def test_nothing_is_garbage_while_its_media_file_is_there(home: Any) -> None:
    home.tones(2)
    home.run(*CUT)
    make_old(home)
    assert set(kinds(home, "--max-gb", "0")) <= {"log"}
    before = artifacts(home)
    assert home.call("store", "gc", "--apply", "--max-gb", "0").code == 0
    assert artifacts(home) == before
    assert home.run(*CUT).counts == {"cached": 2}


def test_what_was_made_of_a_lost_file_goes_when_it_is_old_and_asked_for(home: Any) -> None:
    lost, kept = home.tones(2)
    home.run(*CUT)
    lost.unlink()
    assert kinds(home) == []
    make_old(home)
    before = artifacts(home)
    found = [kind for kind in kinds(home) if kind != "log"]
    assert found == ["job", "result"]
    assert artifacts(home) == before, "a dry run removes nothing"

    assert home.call("store", "gc", "--apply").code == 0
    assert len(artifacts(home)) == 2
    assert kinds(home) == []
    assert home.call("store", "check").code == 0
    assert home.run(*CUT).counts == {"cached": 1}
    assert kept.exists()


def test_a_disk_that_is_not_there_has_lost_nothing(home: Any) -> None:
    home.tone("disk/a.wav")
    home.run(*CUT)
    make_old(home)
    (home.media / "disk").rename(home.folder / "unplugged")
    assert "result" not in kinds(home, "--max-gb", "0")


def test_a_moved_file_keeps_what_was_made_of_it(home: Any) -> None:
    tone = home.tone("a.wav")
    home.run(*CUT)
    tone.rename(tone.with_name("b.wav"))
    home.run(*CUT)
    make_old(home)
    assert "result" not in kinds(home, "--max-gb", "0")


def test_a_renamed_file_keeps_what_was_made_of_it_without_another_run(home: Any) -> None:
    first, second, third, fourth, fifth, over, lost = home.tones(7)
    home.run(*CUT)
    make_old(home)
    lost.unlink()
    first.rename(first.with_name("other name.wav"))
    second.rename(second.with_suffix(".old"))
    (home.media / "below" / "deeper").mkdir(parents=True)
    third.rename(home.media / "below" / "deeper" / "c.wav")
    (home.folder / "beside").mkdir()
    fourth.rename(home.folder / "beside" / "d.wav")
    # Over a file that had another content when it was hashed: the memo of that path is old.
    fifth.replace(over)
    found = [kind for kind in kinds(home, "--apply", "--max-gb", "0") if kind != "log"]
    assert found == ["job", "result"], "those of the one file that is gone"
    assert home.call("store", "check").code == 0
    second.with_suffix(".old").rename(second)
    (home.folder / "beside" / "d.wav").rename(fourth)
    assert home.run(*CUT).counts == {"cached": 5}


def test_an_empty_mount_point_has_lost_nothing(home: Any) -> None:
    disk = home.media / "disk"
    home.tone("disk/a.wav")
    home.run(*CUT)
    make_old(home)
    # Where a disk was mounted there is an empty folder of another device.
    change(home, "UPDATE file_hashes SET dev = dev + 1")
    (disk / "a.wav").unlink()
    assert "result" not in kinds(home, "--max-gb", "0")


def test_the_staging_of_a_live_host_stays_even_for_one_who_does_not_see_its_process(
    home: Any, starts: Any
) -> None:
    home.tone("a.wav")
    running = home.start("run", "media", "--action", "count.wait")
    starts.wait()
    (staged,) = (home.data / "staging").iterdir()
    # As a container with the same host name sees it: no such process.
    parts = staged.name.split("+")
    other = staged.with_name("+".join([*parts[:2], "4194304", *parts[3:]]))
    staged.rename(other)
    assert kinds(home, "--apply") == []
    other.rename(staged)
    Path(home.environ["OPEN"]).touch()
    assert home.finish(running).code == 0


def test_what_was_made_of_an_artifact_stays_with_it(home: Any) -> None:
    home.settings(
        "[[pipelines.two.steps]]\naction = 'count.cut'\n"
        "[[pipelines.two.steps]]\nname = 'again'\naction = 'count.cut'\nmedia = 'count.cut'\n"
        "config = { parts = 1 }\n"
    )
    tone = home.tone("a.wav")
    assert home.run("--pipeline", "two").counts == {"done": 3}
    make_old(home)
    assert "result" not in kinds(home, "--max-gb", "0")
    tone.unlink()
    assert kinds(home).count("result") == 3


def test_a_waiting_job_keeps_what_it_needs(home: Any) -> None:
    tone = home.tone("a.wav")
    home.run(*CUT)
    tone.unlink()
    make_old(home)
    assert "result" in kinds(home)
    change(
        home,
        "INSERT INTO jobs (id, number, job_type, media_url, action, file_hash, config_hash)"
        " SELECT lower(hex(randomblob(16))), 99, job_type, media_url, 'count.look', file_hash,"
        " 'other'"
        " FROM jobs LIMIT 1",
    )
    assert "result" not in kinds(home, "--max-gb", "0")


def test_what_a_running_job_writes_is_left_alone(home: Any, starts: Any) -> None:
    home.tone("a.wav")
    running = home.start("run", "media", "--action", "count.wait")
    starts.wait()
    (staged,) = (home.data / "staging").iterdir()
    # Renamed, not yet committed: as between the two steps at the end of an attempt.
    (number,) = home.query("SELECT id, attempt FROM jobs")
    job = (
        f"{number[0][:8]}-{number[0][8:12]}-{number[0][12:16]}-{number[0][16:20]}-{number[0][20:]}"
    )
    live = home.data / "artifacts" / job[-2:] / f"{job}.{number[1]}"
    void = live.with_name(f"{job}.{number[1] + 1}")
    for folder in (live, void):
        folder.mkdir(parents=True)
        (folder / "a.wav").write_bytes(b"sound")
    log = home.data / "logs" / f"{live.name}.log"
    log.write_text("a line")
    os.utime(log, (1, 1))
    options = ("--apply", "--jobs-days", "0", "--results-days", "0", "--logs-days", "0")
    assert garbage(home, *options, "--max-gb", "0") == [("unused", void.name)]
    assert staged.is_dir()
    assert (live / "a.wav").exists()
    assert log.exists()
    Path(home.environ["OPEN"]).touch()
    assert home.finish(running).code == 0


def test_what_a_killed_host_left_is_garbage(
    home: Any, starts: Any, kill: Callable[["subprocess.Popen[str]"], None]
) -> None:
    home.tone("a.wav")
    running = home.start("run", "media", "--action", "count.wait")
    starts.wait()
    kill(running)
    assert kinds(home) == ["staging"]
    assert home.call("store", "gc", "--apply").code == 0
    assert list((home.data / "staging").iterdir()) == []


def test_published_copies_and_other_names_of_an_artifact_stay(home: Any) -> None:
    tone = home.tone("a.wav")
    home.run(*CUT, "--output", "out")
    first, second = artifacts(home)
    mine = home.folder / "mine.wav"
    os.link(first, mine)
    content, size = mine.read_bytes(), second.stat().st_size
    copies = {path: path.read_bytes() for path in (home.folder / "out").rglob("*.wav")}
    tone.unlink()
    make_old(home)
    answer = home.call("store", "gc", "--apply", "--json")
    (result,) = (one for one in answer.json["garbage"] if one["kind"] == "result")
    assert result["size"] == size, "the one with another name frees nothing"
    assert not first.exists()
    assert not second.exists()
    assert mine.read_bytes() == content
    assert copies
    assert {path: path.read_bytes() for path in copies} == copies


def test_what_links_in_the_data_folder_lead_to_is_no_garbage(home: Any) -> None:
    home.tones(1)
    home.run(*CUT)
    mine = home.folder / "mine"
    mine.mkdir()
    (mine / "film.mp4").write_bytes(b"mine")
    attempt = f"{UUID(int=1)}.1"
    lone = home.data / "artifacts" / "aa"
    lone.mkdir()
    gone = f"{socket.gethostname()}+another boot+1+1+nonce"
    for link in (lone / attempt, home.data / "staging" / gone):
        link.symlink_to(mine)
    (home.data / "artifacts" / "bb").symlink_to(mine)
    (home.data / "logs" / f"{attempt}.log").symlink_to(mine / "film.mp4")
    for each in (mine, mine / "film.mp4"):
        os.utime(each, (1, 1))
    ages = ("--jobs-days=0", "--logs-days=1", "--results-days=0", "--max-gb=0")
    assert garbage(home, *ages, "--apply") == []
    assert (mine / "film.mp4").read_bytes() == b"mine"
    # What is inside of garbage goes, but not what it leads to.
    unused = home.data / "artifacts" / "cc" / attempt
    unused.mkdir(parents=True)
    (unused / "parts").symlink_to(mine)
    assert garbage(home, *ages, "--apply") == [("unused", attempt)]
    assert not unused.exists()
    assert (mine / "film.mp4").read_bytes() == b"mine"


def test_an_age_beyond_all_calendars_makes_nothing_garbage(home: Any) -> None:
    home.tones(1)
    home.run(*CUT)
    ages = [f"--{what}-days=1e300" for what in ("jobs", "results", "logs")]
    answer = home.call("store", "gc", *ages)
    assert (answer.code, answer.out) == (0, "There is nothing to remove\n")


def test_gc_for_people_says_what_it_would_do(home: Any) -> None:
    assert home.call("store", "gc").out == "There is nothing to remove\n"
    stray = home.data / "artifacts" / "00" / "01234567-89ab-7def-8123-456789abcdef.1"
    stray.mkdir(parents=True)
    (stray / "x").write_bytes(b"x" * 1000)
    (home.data / "artifacts" / "00" / "notes").mkdir()
    answer = home.call("store", "gc")
    assert "1 thing, 1.0 kB; nothing is removed yet" in answer.out
    assert stray.exists()
    assert "Removed 1 thing, 1.0 kB" in home.call("store", "gc", "--apply").out
    assert not stray.exists()
    assert (home.data / "artifacts" / "00" / "notes").exists(), "it is none of ours"


# --- verify


def verdicts(home: Any, *paths: str, code: int) -> dict[str, str]:
    answer = home.call("verify", *paths, "--json")
    assert answer.code == code, answer.out
    return {Path(one["path"]).name: one["verdict"] for one in answer.json["files"]}


def test_untouched_files_verify(home: Any) -> None:
    home.tones(3)
    home.run(*CUT)
    answer = home.call("verify")
    assert (answer.code, answer.out) == (0, "9 ok\n")


def test_verify_tells_changes_losses_and_rot_apart(home: Any) -> None:
    changed, lost, rotten, _ = home.tones(4)
    home.run(*CUT)
    home.tone(changed.name, 9000)
    lost.unlink()
    rot(rotten)
    found = verdicts(home, code=1)
    assert found == {changed.name: "changed", lost.name: "missing", rotten.name: "rotten"}
    # It is told of again: nothing was learnt from the rotten file.
    assert verdicts(home, "media", code=1) == found
    assert verdicts(home, f"media/{changed.name}", code=0) == {changed.name: "changed"}
    out = home.call("verify").out
    assert f"rotten      {rotten}\n" in out


def test_a_misspelt_path_among_others_is_no_verified_one(home: Any) -> None:
    (tone,) = home.tones(1)
    home.run(*CUT)
    answer = home.call("verify", f"media/{tone.name}", "media/other.wav")
    assert answer.code == 2
    assert "Nothing at media/other.wav has been hashed yet" in answer.err
    tone.unlink()
    assert verdicts(home, f"media/{tone.name}", code=1) == {tone.name: "missing"}


def test_what_was_saved_under_no_hash_can_not_be_verified_and_stops_nothing(home: Any) -> None:
    home.data.mkdir()
    (home.folder / "out.mp3").write_bytes(b"made")
    with MediaProcessingStorage(home.data / "store.db") as made:
        made.save("job", "convert", "in.mp4", "md5:1", home.folder / "out.mp3", "md5:2")
    home.tones(1)
    home.run(*CUT)
    answer = home.call("verify", "--json")
    assert answer.code == 1
    assert {name: n for name, n in answer.json["counts"].items() if n} == {"ok": 3, "unreadable": 1}
    assert "'md5:2' is not a hash" in home.call("verify").out


def test_verify_reads_artifacts_too(home: Any) -> None:
    home.tones(1)
    home.run(*CUT)
    assert home.run(*CUT).counts == {"cached": 1}
    first, second = artifacts(home)
    rot(first)
    second.unlink()
    answer = home.call("verify", home.data, "--json")
    assert answer.code == 1
    assert [(one["verdict"], one["artifact"]) for one in answer.json["files"]] == [
        ("rotten", True),
        ("missing", True),
    ]


def rot(path: Path) -> None:
    """Turn one bit, as a disk does: no time changes."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_that_cannot_be_read_is_told_of(home: Any) -> None:
    (tone,) = home.tones(1)
    home.run(*CUT)
    tone.unlink()
    tone.mkdir()
    assert verdicts(home, "media", code=1) == {tone.name: "unreadable"}


def test_files_that_were_never_hashed_can_not_be_verified(home: Any) -> None:
    home.tones(1)
    answer = home.call("verify", "media")
    assert answer.code == 2
    assert "Nothing at media has been hashed yet" in answer.err
    assert "mediahost run" in answer.err
    assert json.loads(home.call("verify", "--json").out)["files"] == []
