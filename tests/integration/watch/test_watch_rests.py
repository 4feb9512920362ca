"""A watch rests while something is missing that every file needs, and goes on by itself."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home
    from tests.integration.watch.conftest import Start


@pytest.mark.parametrize("action", ["lacking.early", "lacking.late"])
def test_no_file_is_failed_or_moved_for_what_is_missing(
    home: "Home", watch: "Start", action: str
) -> None:
    home.settings(
        f'[[watch]]\npath = "media"\nsteps = [{{ action = "{action}" }}]\nsettle_s = 0.1\n'
        'on_failure = "move"\nfailed_folder = "unusable"\n'
    )
    tones = home.tones(5)
    answer = home.call("watch", "--once")
    assert answer.code == 1
    assert answer.out.count("The model is not here") == 1
    assert "0 done, 0 failed" in answer.out
    assert all(tone.exists() for tone in tones)
    assert not (home.folder / "unusable").exists()

    running = watch.on_all()
    running.wait_for("resting")
    status = running.wait_until(lambda status: status["state"] == "resting")
    assert "The model is not here" in status["health"]["reason"]
    assert status["counts"]["failed"] == 0
    (home.folder / "model").touch()
    running.wait_for_all("done", {tone.name for tone in tones})
    assert running.wait_until(lambda status: status["state"] == "watching")
    # One message, however many files there are.
    assert sum(news["state"] == "resting" for news in running.said) == 1
    assert all(tone.exists() for tone in tones)


def test_an_optional_step_of_a_watch_is_skipped(home: "Home") -> None:
    home.settings(
        '[[watch]]\npath = "media"\nsettle_s = 0.1\n'
        'steps = [{ action = "count.look" }, { action = "lacking.early", optional = true },'
        ' { action = "lacking.late", optional = true }]\n'
        'on_success = "move"\ndone_folder = "done"\n'
        'on_failure = "move"\nfailed_folder = "unusable"\n'
    )
    home.tone("a.wav")
    answer = home.call("watch", "--once")
    assert answer.code == 0
    assert "skipped lacking.early: The model is not here" in answer.out
    assert (home.folder / "done" / "a.wav").exists()


def fill(folder: Path) -> Path:
    """Leave no room in a folder."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filling


@pytest.fixture
def small(home: "Home") -> Iterator[Path]:
    """A file system with room for 300 kB."""
    folder = home.folder / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_output_ends_once_and_is_named(home: "Home", watch: "Start", small: Path) -> None:
    filling = fill(small)
    tone = home.tone("a.wav", 4000)
    home.call("watch", "add", "media", "--action", "count.cut", "--output", str(small))
    answer = home.call("watch", "--once")
    assert answer.code == 1
    assert f"{small}/" in answer.out
    assert "can't be written: No space left on device" in answer.out
    assert str(home.data) not in answer.out
    assert tone.exists()
    assert [path.name for path in small.iterdir()] == ["filling"]

    running = watch.on_all()
    running.wait_for("resting")
    filling.unlink()
    running.wait_for("done", "a.wav")
    assert list(small.iterdir())


def test_a_name_that_is_too_long_for_the_output_fails_that_file_alone(
    home: "Home",
) -> None:
    home.tone("b.wav")
    deep = "/".join(["d" * 250] * 16)
    # The whole path is longer than the system takes.
    (home.media / "x").mkdir()
    home.tone("x/a.wav")
    home.settings(
        '[[watch]]\npath = "media"\nsettle_s = 0.1\nsteps = [{ action = "count.cut" }]\n'
        f'output = "{home.folder}/out/{{folder}}{deep}/{{stem}}{{suffix}}"\n'
    )
    answer = home.call("watch", "--once")
    assert answer.code == 1
    assert "File name too long" in answer.out
    assert "2 failed" in answer.out


def test_a_full_done_folder_is_named_and_nothing_is_lost(home: "Home", small: Path) -> None:
    fill(small)
    tone = home.tone("a.wav", 4000)
    content = tone.read_bytes()
    home.settings(
        '[[watch]]\npath = "media"\nsettle_s = 0.1\nsteps = [{ action = "count.look" }]\n'
        f'on_success = "move"\ndone_folder = "{small}"\n'
    )
    answer = home.call("watch", "--once")
    assert answer.code == 1
    assert f"{small} can't be written: No space left on device" in answer.out
    assert tone.read_bytes() == content


EAR = """
import os
from mediahost import hookimpl

@hookimpl
def mediahost_watch_changed(watch, state, reason):
    with open(os.environ["OPEN"] + ".heard", "a") as file:
        file.write(f"{watch} {state} {reason}\\n")
"""


def test_plugins_hear_when_a_watch_is_empty_and_when_it_rests(home: "Home") -> None:
    (home.folder / "ear.py").write_text(EAR)
    home.environ["MEDIAHOST_PLUGINS"] += f":{home.folder / 'ear.py'}"
    home.tones(3)
    home.call("watch", "media", "--settle", "0.1", "-a", "count.look", "--once")
    home.tones(3)
    home.call("watch", "edit", "media", "-a", "lacking.early")
    home.call("watch", "media", "--once")
    heard = (home.folder / "open.heard").read_text().splitlines()
    assert "media idle 3 done, 0 failed" in heard
    assert any(line.startswith("media resting lacking.early can't run") for line in heard)
