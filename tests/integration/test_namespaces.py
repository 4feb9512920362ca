"""Hosts in containers: process and host-name namespaces of their own, one data folder."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

MEDIAHOST = str(Path(sys.executable).with_name("mediahost"))
PLUGIN = """
import time
from pathlib import Path
from typing import ClassVar

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


class Slow(Analyzer, name="box.slow", version=1, accepts={"audio"}):
    \"\"\"Wait while there is no file `open` beside the folder.\"\"\"

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        top = Path(TOP)
        with (top / "starts").open("a") as starts:
            starts.write(media.path.name + "\\n")
        while not (top / "open").exists():
            time.sleep(0.05)
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions():
    return [Slow]
"""


def why_no_namespaces() -> str:
    """Why containers can't be made here; empty if they can."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    tried = subprocess.run(
        [*container("tried"), "true"], capture_output=True, text=True, check=False
    )
    return tried.stderr.strip() if tried.returncode else ""


def container(machine: str) -> list[str]:
    """What runs a command as process 1 or so of a machine of this name."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user", "--user"]
    namespaces = ["--pid", "--fork", "--kill-child", "--mount-proc", "--uts"]
    name = f'echo {machine} > /proc/sys/kernel/hostname; exec "$@"'
    return ["unshare", *as_root, *namespaces, "sh", "-c", name, "sh"]


pytestmark = pytest.mark.skipif(bool(why_no_namespaces()), reason=why_no_namespaces() or "-")


class Box:
    """A data folder that several containers share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "media"
        self.media.mkdir()
        (folder / "boxplug.py").write_text(PLUGIN.replace("TOP", repr(str(folder))))
        self.environ = {
            **os.environ,
            "MEDIAHOST_DATA_DIR": str(folder / "data"),
            "MEDIAHOST_PLUGINS": str(folder / "boxplug.py"),
            "MEDIAHOST_LEASE_S": "4",
            "MEDIAHOST_WORKERS": "4",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def tone(self, name: str) -> None:
        import wave  # noqa: PLC0415 - here alone

        with wave.open(str(self.media / name), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(name.encode().ljust(16000, b"\0"))

    def call(self, *words: str) -> str:
        done = subprocess.run(
            [MEDIAHOST, *words],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
        )
        return done.stdout + done.stderr

    def start(self, machine: str, log: str, *words: str) -> "subprocess.Popen[bytes]":
        with (self.folder / log).open("wb") as out:
            process = subprocess.Popen(
                [*container(machine), MEDIAHOST, *words],
                env=self.environ,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def said(self, log: str) -> str:
        return (self.folder / log).read_text()

    def starts(self) -> list[str]:
        with suppress(FileNotFoundError):
            return (self.folder / "starts").read_text().split()
        return []

    def open(self) -> None:
        (self.folder / "open").touch()

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    for process in made.running:
        made.kill(process)


@pytest.fixture
def until() -> Callable[..., None]:
    def wait(is_so: Callable[[], Any], limit_s: float = 60.0) -> None:
        ends_at = time.monotonic() + limit_s
        while not is_so():
            assert time.monotonic() < ends_at
            time.sleep(0.1)

    return wait


def test_containers_of_one_name_do_not_take_each_other_for_dead(
    box: Box, until: Callable[..., None]
) -> None:
    """Their processes have the same numbers and the same host name."""
    for number in range(2):
        box.tone(f"{number}.wav")
    for log in ("1.log", "2.log"):
        box.start("box", log, "run", str(box.media), "-a", "box.slow")
    until(lambda: len(box.starts()) == 2)
    # Each looks after lost hosts several times meanwhile.
    time.sleep(6)
    assert sorted(box.starts()) == ["0.wav", "1.wav"]
    box.open()
    for process in box.running:
        assert process.wait(timeout=60) == 0
    assert sorted(box.starts()) == ["0.wav", "1.wav"]


def test_gc_leaves_what_a_container_is_making(box: Box, until: Callable[..., None]) -> None:
    box.tone("a.wav")
    box.start("box", "1.log", "run", str(box.media), "-a", "box.slow")
    until(lambda: box.starts() == ["a.wav"])
    (staging,) = (box.folder / "data" / "staging").iterdir()
    assert box.start("box", "gc.log", "store", "gc", "--apply").wait(timeout=60) == 0
    assert staging.is_dir()
    box.open()
    assert box.running[0].wait(timeout=60) == 0


def test_a_watch_of_a_killed_container_is_taken_over_by_the_next_of_another_name(
    box: Box, until: Callable[..., None]
) -> None:
    box.open()
    box.call("watch", "add", str(box.media), "--name", "w", "-a", "box.slow")
    first = box.start("container-1", "1.log", "watch")
    until(lambda: "is watching" in box.said("1.log"))
    assert re.search(r"^w: watching", box.call("watch", "status"), re.MULTILINE)
    box.kill(first)
    assert re.search(r"^w: not running", box.call("watch", "status"), re.MULTILINE)

    box.tone("a.wav")
    box.start("container-2", "2.log", "watch")
    until(lambda: box.starts() == ["a.wav"])
    assert "another mediahost process" not in box.said("2.log")
