"""What watchers lose or get wrong: bursts, overflows, limits, kills, half-written files."""

import mmap
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from benchmarks.host import Installation
from benchmarks.report import Report
from benchmarks.watchers import ALL, PEERS, STAMPS, drop, empty_folder, watcher
from mediahost.hashing import hash_file
from mediahost.model.paths import url_to_path

PIECES = 6
PAUSE_S = 0.15
KILLS = 12
LONGEST_LIFE_S = 1.5


def bursts(report: Report, number: int) -> None:
    """Files that come all at once, in new nested folders."""
    for name in ALL:
        folder = empty_folder()
        with watcher(name, folder) as watching:
            began, cpu = time.monotonic(), watching.cpu_s()
            wrote = drop(folder, number, number // 10)
            watching.wait(number)
            took, cpu = time.monotonic() - began, watching.cpu_s() - cpu
            heard = set(watching.heard)
        note = f"{number:,} files in {number // 10:,} new folders within {wrote:.1f} s"
        _note_losses(report, f"{name}: lost of a burst", heard, number, note)
        if name == "mediahost":
            report.add("mediahost: until all are done", took, "s", f"{number / took:,.0f} files/s")
            report.add("mediahost: CPU for a file", 1000 * cpu / number, "ms", "hash, job, result")
            _note_wrongs(report, "a burst", folder)


def overflows(report: Report, number: int) -> None:
    """Files that come while the program is stopped, more than the kernel keeps events of."""
    kept = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for name in ALL:
        folder = empty_folder()
        with watcher(name, folder) as watching:
            watching.process.send_signal(signal.SIGSTOP)
            for index in range(kept):
                (folder / f"{index}.txt").touch()
            drop(folder, number, number // 10)
            watching.process.send_signal(signal.SIGCONT)
            watching.wait(number)
            heard = set(watching.heard)
        note = f"{number:,} files while stopped; the kernel keeps {kept:,} events"
        _note_losses(report, f"{name}: lost in an overflow", heard, number, note)
        if name == "mediahost":
            _note_wrongs(report, "an overflow", folder)


def watch_limits(report: Report, folders: int) -> None:
    """A folder with twice as many folders as the kernel will watch."""
    if subprocess.run(["unshare", "-Ur", "true"], check=False, capture_output=True).returncode:
        return
    limit = f'echo {folders // 2} > /proc/sys/user/max_inotify_watches; exec "$@"'
    prefix = ["unshare", "-Ur", "sh", "-c", limit, "sh"]
    for name in ALL:
        folder = empty_folder()
        for index in range(folders):
            (folder / f"{index}").mkdir()
        note = f"{folders:,} folders, the limit at {folders // 2:,}"
        try:
            with watcher(name, folder, prefix=prefix, ready=('"degraded"',)) as watching:
                watching.wait_until_at_rest()
                for index in range(folders):
                    (folder / f"{index}" / f"{index}.wav").write_bytes(b"%d" % index)
                watching.wait(folders)
                heard = set(watching.heard)
        except RuntimeError as error:
            heard, note = set(), f"{note}; {error}"
        _note_losses(report, f"{name}: lost at the watch limit", heard, folders, note)
        if name == "mediahost":
            _note_wrongs(report, "the watch limit", folder)


def kills(report: Report) -> None:
    """Ends mediahost at random while files come, again and again; peers remember nothing."""
    chance = random.Random(5)  # noqa: S311 - the same kills each time
    folder = empty_folder()
    number = 0
    for life in range(KILLS):
        with watcher("mediahost", folder, anew=life == 0) as watching:
            for _ in range(chance.randrange(50, 150)):
                (folder / f"{number}.wav").write_bytes(b"%d" % number)
                number += 1
            time.sleep(chance.random() * LONGEST_LIFE_S)
            watching.kill()
    with watcher("mediahost", folder, anew=False) as watching:
        done = _done(folder)
        watching.wait(number - len(done))
    note = f"{number:,} files, {KILLS} times kill -9"
    _note_losses(report, "mediahost: lost by kills", _done(folder), number, note)
    _note_wrongs(report, f"{KILLS} kills", folder)
    runs = Counter(line.split(" ")[0] for line in STAMPS.read_text().splitlines())
    again = sum(count - 1 for count in runs.values())
    report.add(
        "mediahost: runs that a kill cut off", again, "of " + f"{runs.total():,}", "done anew"
    )


def half_written(report: Report, each: int) -> None:
    """Nine ways of writing a file; is any taken before it is whole?"""
    number = each * len(STYLES)
    for name in ALL:
        folder = empty_folder()
        with watcher(name, folder, settle=1.0) as watching:
            whole = _write_in_all_ways(folder, each)
            watching.wait(number)
            time.sleep(2)
            heard = dict(watching.heard)
        note = f"{number:,} files in {len(STYLES)} ways"
        if name in PEERS:
            early = sum(heard.get(file, 0) < when for file, when in whole.items())
            report.add(f"{name}: told of before they were whole", early, "files", note)
        else:
            _note_losses(report, "mediahost: lost of the half-written", _done(folder), number, note)
            _note_wrongs(report, "half-written files", folder)


def _note_losses(report: Report, what: str, heard: Iterable[str], number: int, note: str) -> None:
    lost = number - len(set(heard))
    report.add(what, 100 * lost / number, "%", f"{lost:,} of {note}")
    if what.startswith("mediahost"):
        report.at_most(what.removeprefix("mediahost: "), lost, 0, "files")


def _note_wrongs(report: Report, of: str, folder: Path) -> None:
    """Results that are not those of the bytes that are there now."""
    wrong = 0
    with closing(sqlite3.connect(_store())) as store:
        sizes = dict(store.execute("SELECT file_hash, metadata ->> 'size' FROM analysis_jobs"))
        rows = store.execute("SELECT folder, name, file_hash FROM watched_files").fetchall()
    for place, name, file_hash in rows:
        path = folder / url_to_path(place) / url_to_path(name)
        is_right = path.exists() and hash_file(path)[0] == file_hash
        wrong += not (is_right and sizes.get(file_hash) == path.stat().st_size)
    report.at_most(f"wrong results after {of}", wrong, 0, "files")


def _done(folder: Path) -> set[str]:
    with closing(sqlite3.connect(_store())) as store:
        rows = store.execute("SELECT name FROM watched_files WHERE state = 'done'").fetchall()
    return {url_to_path(name) for (name,) in rows} & {path.name for path in folder.rglob("*.wav")}


def _store() -> Path:
    return Installation.named("watch").data_dir / "store.db"


def _write_in_all_ways(folder: Path, each: int) -> dict[str, float]:
    """When each file was whole, in Unix seconds, by name."""
    whole: dict[str, float] = {}

    def write(style: "Style", path: Path, data: list[bytes]) -> None:
        style(path, data)
        whole[path.name] = time.time()

    writers = []
    for number in range(each * len(STYLES)):
        style = STYLES[number % len(STYLES)]
        data = [b"%d.%d " % (number, piece) * 2000 for piece in range(PIECES)]
        path = folder / f"{style.__name__}-{number}.wav"
        writers.append(threading.Thread(target=write, args=(style, path, data)))
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return whole


Style = Callable[[Path, list[bytes]], None]


def plain(path: Path, data: list[bytes]) -> None:
    """One open file, written slowly."""
    with path.open("wb") as file:
        _slowly(file.write, data, file.flush)


def append(path: Path, data: list[bytes]) -> None:
    """Opened and closed for each piece."""
    for piece in data:
        with path.open("ab") as file:
            file.write(piece)
        time.sleep(PAUSE_S)


def slow_append(path: Path, data: list[bytes]) -> None:
    """The same, and slow within a piece too."""
    for piece in data:
        with path.open("ab") as file:
            _slowly(file.write, [piece[:100], piece[100:]], file.flush)


def rename(path: Path, data: list[bytes]) -> None:
    """Written under another name, as browsers do."""
    part = path.with_name(f"{path.name}.part")
    plain(part, data)
    part.rename(path)


def fallocate(path: Path, data: list[bytes]) -> None:
    """At its full size from the start, as torrent programs do."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, sum(map(len, data)))
        _slowly(file.write, data, file.flush)


def by_mmap(path: Path, data: list[bytes]) -> None:
    """Through a map, whose file is closed already."""
    with path.open("w+b") as file:
        file.truncate(sum(map(len, data)))
        mapped = mmap.mmap(file.fileno(), 0)
    _slowly(mapped.write, data)
    mapped.close()


def cp_p(path: Path, data: list[bytes]) -> None:
    """Copied with its old times."""
    source = path.parent.parent / f"source-{path.name}"
    source.write_bytes(b"".join(data))
    os.utime(source, (1_000_000_000, 1_000_000_000))
    subprocess.run(["cp", "-p", source, path], check=True)
    source.unlink()


def preset_mtime(path: Path, data: list[bytes]) -> None:
    """The time set back after each piece, as some unpackers do."""
    with path.open("wb") as file:
        for piece in data:
            _slowly(file.write, [piece], file.flush)
            os.utime(path, (1_000_000_000, 1_000_000_000))


def touch_then_write(path: Path, data: list[bytes]) -> None:
    """Made empty first."""
    path.touch()
    time.sleep(PAUSE_S * 4)
    plain(path, data)


def _slowly(
    write: Callable[[bytes], object],
    data: Iterable[bytes],
    flush: Callable[[], object] = lambda: None,
) -> None:
    for piece in data:
        write(piece)
        flush()
        time.sleep(PAUSE_S)


STYLES: tuple[Style, ...] = (
    plain,
    append,
    slow_append,
    rename,
    fallocate,
    by_mmap,
    cp_p,
    preset_mtime,
    touch_then_write,
)
