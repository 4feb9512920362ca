"""The ways in which programs write files: no final result is of half a file."""

import mmap
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mediahost.hashing import hash_file

if TYPE_CHECKING:
    from tests.integration.conftest import Home
    from tests.integration.watch.conftest import Start

PIECES = 6
PAUSE_S = 0.15

pause = threading.Event().wait


def plain(path: Path, data: list[bytes]) -> None:
    with path.open("wb") as file:
        for piece in data:
            file.write(piece)
            file.flush()
            pause(PAUSE_S)


def append(path: Path, data: list[bytes]) -> None:
    for piece in data:
        with path.open("ab") as file:
            file.write(piece)
        pause(PAUSE_S)


def slow_append(path: Path, data: list[bytes]) -> None:
    for piece in data:
        with path.open("ab") as file:
            for half in (piece[: len(piece) // 2], piece[len(piece) // 2 :]):
                file.write(half)
                file.flush()
                pause(PAUSE_S / 2)


def rename(path: Path, data: list[bytes]) -> None:
    part = path.with_name(f"{path.name}.part")
    plain(part, data)
    part.rename(path)


def fallocate(path: Path, data: list[bytes]) -> None:
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, sum(map(len, data)))
        for piece in data:
            file.write(piece)
            file.flush()
            pause(PAUSE_S)


def by_mmap(path: Path, data: list[bytes]) -> None:
    with path.open("w+b") as file:
        file.truncate(sum(map(len, data)))
        mapped = mmap.mmap(file.fileno(), 0)
    # The descriptor is closed; the map still writes.
    for piece in data:
        mapped.write(piece)
        pause(PAUSE_S)
    mapped.close()


def cp_p(path: Path, data: list[bytes]) -> None:
    source = path.parent.parent / f"source-{path.name}"
    source.write_bytes(b"".join(data))
    os.utime(source, (1_000_000_000, 1_000_000_000))
    subprocess.run(["cp", "-p", source, path], check=True)


def preset_mtime(path: Path, data: list[bytes]) -> None:
    with path.open("wb") as file:
        for piece in data:
            file.write(piece)
            file.flush()
            os.utime(path, (1_000_000_000, 1_000_000_000))
            pause(PAUSE_S)
        os.utime(path, (1_000_000_000, 1_000_000_000))


def touch_then_write(path: Path, data: list[bytes]) -> None:
    path.touch()
    pause(PAUSE_S * 4)
    plain(path, data)


STYLES = {
    style.__name__: style
    for style in (
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
}
# These close the file before it is whole, so half of it may be looked at, though never for good.
IN_PIECES = {"append", "slow_append"}


def test_no_way_of_writing_leaves_a_result_of_half_a_file(home: "Home", watch: "Start") -> None:
    watching = watch()
    contents: dict[str, list[bytes]] = {}
    writers: list[threading.Thread] = []
    for number, (name, style) in enumerate(STYLES.items()):
        data = [bytes([number, piece]) * 5000 for piece in range(PIECES)]
        contents[f"{name}.wav"] = data
        path = home.media / f"{name}.wav"
        writers.append(threading.Thread(target=style, args=(path, data)))
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    whole = {name: b"".join(data) for name, data in contents.items()}
    assert {name: (home.media / name).read_bytes() for name in whole} == whole
    hashes = {name: hash_file(home.media / name)[0] for name in whole}
    watching.wait_until(
        lambda _: (
            dict(home.query("SELECT name, file_hash FROM watched_files WHERE state = 'done'"))
            == hashes
        )
    )
    sizes = dict(home.query("SELECT file_hash, metadata ->> 'size' FROM analysis_jobs"))
    assert {sizes[hashes[name]] for name in whole} == {len(data) for data in whole.values()}
    ran = home.ran()
    assert {name: ran[f"look {name}.wav"] for name in STYLES.keys() - IN_PIECES} == dict.fromkeys(
        STYLES.keys() - IN_PIECES, 1
    )


@pytest.mark.parametrize("copy", [shutil.copyfile, os.link], ids=["copied", "linked"])
def test_the_same_bytes_again_are_cached(
    home: "Home", watch: "Start", copy: Callable[[Path, Path], object]
) -> None:
    path = home.tone("a.wav")
    watching = watch()
    watching.wait_for("done", "a.wav")
    copy(path, home.media / "b.wav")
    watching.wait_for("done", "b.wav")
    assert home.ran() == {"look a.wav": 1}
