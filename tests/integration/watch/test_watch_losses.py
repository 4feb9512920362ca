"""Where other watchers lose files: bursts, overflows, the watch limit, roots that go and come."""

import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost.hashing import hash_file

if TYPE_CHECKING:
    from tests.integration.conftest import Home
    from tests.integration.watch.conftest import Start, Watching


def drop(folder: Path, number: int, below: int = 1) -> int:
    """So many small files of other content, some in each of so many new nested folders."""
    for index in range(number):
        place = folder / f"d{index % below // 40}" / f"e{index % below}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index}.wav").write_bytes(b"%d" % index)
    return number


def all_done(home: "Home", number: int) -> Callable[[object], bool]:
    def is_so(_status: object) -> bool:
        rows = home.query("SELECT state, count(*) FROM watched_files GROUP BY state")
        return dict(rows) == {"done": number}

    return is_so


def need_namespaces() -> None:
    if subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no user namespaces here")


def assert_right(home: "Home", number: int) -> None:
    """Each file has the result of its own bytes."""
    rows = home.query("SELECT folder, name, file_hash FROM watched_files WHERE state = 'done'")
    assert len(rows) == number
    sizes = dict(home.query("SELECT file_hash, metadata ->> 'size' FROM analysis_jobs"))
    for folder, name, file_hash in rows:
        path = home.media / folder / name
        assert hash_file(path)[0] == file_hash
        assert sizes[file_hash] == path.stat().st_size


def test_a_burst_into_new_nested_folders_loses_nothing(home: "Home", watch: "Start") -> None:
    watching = watch()
    number = drop(home.media, 600, below=120)
    watching.wait_until(all_done(home, number))
    assert_right(home, number)
    assert sum(home.ran().values()) == number


@pytest.mark.chaos
@pytest.mark.parametrize("time", range(5))
def test_twenty_thousand_files_in_two_thousand_folders(
    home: "Home", watch: "Start", time: int
) -> None:
    watching = watch()
    number = drop(home.media, 20_000, below=2_000)
    watching.wait_until(all_done(home, number), timeout=600)
    assert_right(home, number)


@pytest.mark.parametrize("number", [50, pytest.param(20_000, marks=pytest.mark.chaos, id="20,000")])
def test_lost_events_are_noticed_and_nothing_is_lost(
    home: "Home", watch: "Start", number: int
) -> None:
    watching = watch()
    watching.process.send_signal(signal.SIGSTOP)
    for index in range(int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())):
        (home.media / f"{index}.txt").touch()
    drop(home.media, number, below=max(1, number // 10))
    watching.process.send_signal(signal.SIGCONT)
    watching.wait_until(all_done(home, number), timeout=600)
    watching.wait_until(lambda status: status["health"]["overflows"] >= 1)
    assert_right(home, number)


@pytest.mark.parametrize("early", [12, 2], ids=["at the start", "while it runs"])
def test_the_watch_limit_is_seen_and_nothing_is_lost(
    home: "Home", watch: "Start", early: int
) -> None:
    need_namespaces()
    for index in range(early):
        (home.media / f"d{index}").mkdir()
    often = ["--set", "scan_s=0.5"] if early == 12 else []
    home.call("watch", "add", "media", "--action", "count.look", *often)
    # The limit of the new namespace, not that of the machine (fs.inotify.max_user_watches).
    limit = 'echo 5 > /proc/sys/user/max_inotify_watches; exec "$@"'
    watching = watch.on_all(prefix=["unshare", "-Ur", "sh", "-c", limit, "sh"])
    if early < 12:
        watching.wait_for("watching")
    for index in range(early, 12):
        (home.media / f"d{index}").mkdir()
    said = watching.wait_for("degraded")
    assert "folders watched, the rest is polled; raise fs.inotify" in said["reason"]
    for index in range(12):
        home.tone(f"d{index}/{index}.wav", 300 + index)
    watching.wait_until(all_done(home, 12))
    status = watching.wait_until(lambda status: status["health"]["limit_hits"] > 0)
    assert status["health"]["folders_watched"] == 5


@pytest.mark.chaos
def test_killed_twelve_times_at_random(home: "Home", watch: "Start") -> None:
    chance = random.Random(5)  # noqa: S311 - the same kills each time
    number = 0
    for _ in range(12):
        watching = watch()
        for _ in range(chance.randrange(5, 60)):
            (home.media / f"{number}.wav").write_bytes(b"%d" % number)
            number += 1
        with suppress(queue.Empty):
            while True:
                watching.hear(timeout=chance.random() / 2)
        watching.kill()
    watching = watch()
    watching.wait_until(all_done(home, number))
    watching.stop()
    assert_right(home, number)
    home.assert_sound()


def test_a_root_that_goes_and_comes_back(home: "Home", watch: "Start") -> None:
    home.tones(3)
    watching = watch()
    watching.wait_for_all("done", {"000.wav", "001.wav", "002.wav"})
    aside = home.media.rename(home.folder / "aside")
    watching.wait_for("missing")
    watching.wait_until(all_done(home, 3))
    aside.rename(home.media)
    watching.wait_for("watching")
    home.tone("new.wav", 900)
    watching.wait_for("done", "new.wav")
    watching.wait_until(all_done(home, 4))


def test_an_unmounted_drive_is_no_deletion(home: "Home", watch: "Start") -> None:
    need_namespaces()
    home.call("watch", "add", "media", "--action", "count.look", "--settle", "0.3")
    mounted = (
        'mount -t tmpfs none media; for i in 1 2 3; do echo $i > media/$i.wav; done; exec "$@"'
    )
    watching = watch.on_all(prefix=["unshare", "-Urm", "sh", "-c", mounted, "sh"])
    watching.wait_until(all_done(home, 3))
    inside = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(watching.process.pid)]
    subprocess.run([*inside, "umount", "--lazy", home.media], check=True)
    watching.home.call("watch", "scan")
    assert "is its drive mounted?" in watching.wait_for("missing")["reason"]
    assert all_done(home, 3)(None)


def test_an_empty_mount_point_is_no_deletion(home: "Home", watch: "Start") -> None:
    home.tones(3)
    watching = watch()
    watching.wait_for_all("done", {"000.wav", "001.wav", "002.wav"})
    watching.stop()
    aside = home.media.rename(home.folder / "aside")
    home.media.mkdir()
    watching = watch(heard="missing")
    assert "is its drive mounted?" in watching.said[-1]["reason"]
    assert home.query("SELECT DISTINCT state FROM watched_files") == [("done",)]
    home.media.rmdir()
    aside.rename(home.media)
    watching.wait_for("watching")


def test_most_files_gone_at_once_needs_a_word(home: "Home", watch: "Start") -> None:
    home.tones(12)
    watching = watch()
    watching.wait_until(all_done(home, 12))
    watching.stop()
    for path in home.media.glob("00*.wav"):
        path.unlink()
    # As of a copy of the drive that is not whole: its marker is gone, too.
    (home.media / ".mediahost-watch").unlink()
    watching = watch(heard="paused")
    assert watching.said[-1]["reason"].startswith("10 of 12 files are gone at once")
    assert home.query("SELECT DISTINCT state FROM watched_files") == [("done",)]
    home.call("watch", "resume")
    watching.wait_for("watching")
    watching.wait_until(
        lambda _: (
            sorted(home.query("SELECT state, count(*) FROM watched_files GROUP BY 1"))
            == [("done", 2), ("gone", 10)]
        )
    )


def test_an_inbox_that_its_owner_empties_does_not_pause_itself(
    home: "Home", watch: "Start"
) -> None:
    home.tones(12)
    watching = watch()
    watching.wait_until(all_done(home, 12))
    watching.stop()
    for path in home.media.glob("*.wav"):
        path.unlink()
    watching = watch()
    home.tone("new.wav")
    watching.wait_for("done", "new.wav")
    counts = watching.wait_until(lambda status: status["counts"]["done"] == 1)["counts"]
    assert counts["gone"] == 12


def test_folders_that_move_in_are_renamed_and_come_again(home: "Home", watch: "Start") -> None:
    watching = watch()
    outside = home.folder / "outside" / "sub"
    outside.mkdir(parents=True)
    (outside / "a.wav").write_bytes(b"a")
    outside.parent.rename(home.media / "in")
    watching.wait_for("done", "in/sub/a.wav")
    (home.media / "in").rename(home.media / "other")
    (home.media / "other" / "sub" / "b.wav").write_bytes(b"b")
    watching.wait_for("done", "other/sub/b.wav")
    shutil.rmtree(home.media / "other")
    watching.wait_for("gone", "b.wav")
    (home.media / "other" / "sub").mkdir(parents=True)
    (home.media / "other" / "sub" / "c.wav").write_bytes(b"c")
    watching.wait_for("done", "other/sub/c.wav")
    assert home.ran() == {"look a.wav": 1, "look b.wav": 1, "look c.wav": 1}


def test_odd_names_and_links_that_lead_in_circles(home: "Home", watch: "Start") -> None:
    (home.media / "circle").symlink_to(home.media, target_is_directory=True)
    (home.media / "nowhere.wav").symlink_to(home.folder / "nowhere")
    os.mkfifo(home.media / "pipe.wav")
    with open(os.fsencode(home.media) + b"/\xff\n.wav", "wb") as file:  # noqa: PTH123 - bytes
        file.write(b"odd")
    watching = watch()
    watching.wait_until(all_done(home, 1))
    assert home.query("SELECT name FROM watched_files") == [("file://%FF%0A.wav",)]


def test_a_folder_without_permission_is_shown(home: "Home", watch: "Start") -> None:
    closed = home.media / "closed"
    closed.mkdir(mode=0)
    home.tone("a.wav")
    home.call("watch", "add", "media", "--action", "count.look", "--settle", "0.3")
    # Root may look into any folder, but for one without these capabilities.
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    watching = watch.on_all(prefix=drop if os.getuid() == 0 else [])
    watching.wait_for("done", "a.wav")
    status = watching.wait_until(lambda status: bool(status["health"]["problems"]))
    assert status["health"]["problems"] == ["closed: Permission denied"]
    closed.chmod(0o700)
    (closed / "b.wav").write_bytes(b"b")
    home.call("watch", "scan")
    watching.wait_for("done", "b.wav")


def test_polled_folders_lose_nothing_either(home: "Home", watch: "Start") -> None:
    home.call(
        "watch", "add", "media", "--action", "count.look",
        *("--settle", "0.2", "--set", "poll=true", "--set", "scan_s=0.3"),
    )  # fmt: skip
    watching: Watching = watch.on_all()
    watching.wait_for("polling")
    number = drop(home.media, 30, below=6)
    watching.wait_until(all_done(home, number))
    assert_right(home, number)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux' own")
def test_a_watch_whose_output_nobody_reads_takes_no_more_instances_of_inotify(
    home: "Home",
) -> None:
    watch = home.start("watch", "media", "--action", "count.look", "--settle", "0.2", "--json")
    assert watch.stdout
    assert watch.stderr
    assert '"watching"' in watch.stdout.readline()
    descriptors = Path(f"/proc/{watch.pid}/fd")
    assert _inotify_instances(descriptors) == 1
    watch.stdout.close()
    watch.stderr.close()
    home.tone("a.wav")  # it has something to say
    most = 0
    for _ in range(40):
        time.sleep(0.1)
        assert watch.poll() is None
        most = max(most, _inotify_instances(descriptors))
    assert most == 1


def _inotify_instances(descriptors: Path) -> int:
    """How many of a process's descriptors are of inotify."""
    number = 0
    for path in descriptors.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            number += "inotify" in str(path.readlink())
    return number
