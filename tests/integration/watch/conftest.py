"""`mediahost watch` as a process of its own on a real folder, heard as it speaks."""

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home

TIMEOUT_S = 60

KillAll = Callable[["subprocess.Popen[str]"], None]


class Watching:
    """A running watch, and all that it has said."""

    def __init__(self, home: "Home", process: "subprocess.Popen[str]", kill_all: KillAll) -> None:
        self.home = home
        self.process = process
        self._kill_all = kill_all
        self.said: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def hear(self, timeout: float = TIMEOUT_S) -> dict[str, Any]:
        """The next thing it says."""
        line = self._lines.get(timeout=timeout)
        assert line is not None, self.process.stderr.read() if self.process.stderr else ""
        news: dict[str, Any] = json.loads(line)
        self.said.append(news)
        return news

    def wait_for(self, state: str, name: str = "") -> dict[str, Any]:
        """The next time that a file, or the watch, comes to be in a state."""
        end = time.monotonic() + TIMEOUT_S
        while True:
            news = self.hear(end - time.monotonic())
            if news["state"] == state and (not name or news["path"].endswith(name)):
                return news

    def wait_for_all(self, state: str, names: set[str]) -> None:
        """Wait until each of these files has come to be in a state."""
        left = set(names)
        while left:
            news = self.hear()
            if news["state"] == state:
                left.discard(news["path"].rpartition("/")[2])

    def states_of(self, name: str) -> list[str]:
        """The states that a file came through so far."""
        return [news["state"] for news in self.said if news["path"].endswith(f"/{name}")]

    def status(self) -> dict[str, Any]:
        """What `mediahost watch status` says of the only watch."""
        (one,) = self.home.call("watch", "status", "--json").json
        return dict(one)

    def wait_until(
        self, question: Callable[[dict[str, Any]], bool], timeout: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """Ask for the status until it is as wanted."""
        end = time.monotonic() + timeout
        while not question(status := self.status()):
            assert time.monotonic() < end, status
        return status

    def stop(self) -> None:
        """End it as a person would."""
        self.process.send_signal(signal.SIGINT)
        self._reader.join(TIMEOUT_S)
        assert self.process.stderr
        err = self.process.stderr.read()
        self.process.stderr.close()
        self.process.wait(TIMEOUT_S)
        assert "Traceback" not in err, err
        assert self.process.returncode == 130, err

    def kill(self) -> None:
        """End it as a power cut would."""
        self._kill_all(self.process)
        self._reader.join(TIMEOUT_S)


class Start:
    """Starts `mediahost watch` on the home's media folder, or on all known folders."""

    def __init__(self, home: "Home", kill_all: KillAll) -> None:
        self._home = home
        self._kill_all = kill_all
        self.started: list[Watching] = []

    def __call__(
        self, *, action: str = "count.look", settle: str = "0.3", heard: str = "watching"
    ) -> Watching:
        """Watch `media`; returns once it was heard to be in that state."""
        options = ["--settle", settle, "--action", action]
        watching = self.on_all("media", *options)
        watching.wait_for(heard)
        return watching

    def on_all(self, *arguments: str, prefix: Sequence[str] = ()) -> Watching:
        """Watch what the settings and `watch add` named, by another program if need be."""
        process = self._home.start("watch", *arguments, "--json", prefix=prefix)
        watching = Watching(self._home, process, self._kill_all)
        self.started.append(watching)
        return watching


@pytest.fixture
def watch(home: "Home", kill_all: KillAll) -> Iterator[Start]:
    """Starts watches that end with the test."""
    start = Start(home, kill_all)
    yield start
    for one in start.started:
        if one.process.poll() is None:
            one.kill()
        for stream in (one.process.stdout, one.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def once(home: "Home") -> Callable[..., "Answer"]:
    """`mediahost watch media --once`, with what it says as JSON lines."""

    def call(*arguments: str, action: str = "count.look") -> "Answer":
        options = ["--once", "--settle", "0.1", "--action", action]
        return home.call("watch", "media", *options, *arguments)

    return call
