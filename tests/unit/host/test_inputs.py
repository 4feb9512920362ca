"""What a person names, and media files that other hosts fetched."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest

from mediahost.errors import UsageError
from mediahost.executor.inline import InlineExecutor
from mediahost.hashing import hash_file
from mediahost.host.host import Host
from mediahost.host.inputs import sort_out
from mediahost.model.event import Event, EventKind
from mediahost.model.job import new_job_id
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import OnBytes, RemoteFile
from mediahost.settings import Settings

URL = "https://media.test/far.wav"
PATIENCE_S = 20


def test_paths_file_urls_and_urls_are_told_apart() -> None:
    urls = ["file:///c%20d.wav", "file://localhost/e.wav", URL]
    named: list[str | Path] = ["a.wav", Path("/b.wav"), *urls]
    assert sort_out(named) == (["a.wav", "/b.wav", "/c d.wav", "/e.wav"], [URL])


def test_a_file_of_another_machine_can_not_be_had_by_a_file_url() -> None:
    with pytest.raises(UsageError, match="another machine"):
        sort_out(["file://elsewhere/a.wav"])


class SlowServer:
    """Serves one file, but not before it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.go = Signal()
        self.was_waited_for = False
        self.held = 0

    def copy_of(self, url: str, algorithm: str) -> RemoteFile | None:
        """Once it was fetched."""
        return self._file(url) if self.was_waited_for else None

    def fetch(self, url: str, algorithm: str, on_bytes: OnBytes) -> RemoteFile:
        """Wait, and give it."""
        on_bytes(500_000, 2_000_000)
        self.was_waited_for = self.go.wait(PATIENCE_S)
        return self._file(url)

    def hold(self, file: RemoteFile) -> Callable[[], None]:
        """It goes nowhere."""
        self.held += 1
        return self._let_go

    def _let_go(self) -> None:
        self.held -= 1

    def _file(self, url: str) -> RemoteFile:
        return RemoteFile(url, self.path, MediaKind.AUDIO, hash_file(self.path)[0])


def test_other_jobs_go_on_while_a_media_file_is_fetched(house: Any) -> None:
    near = house.tone("near.wav", 300)
    local = house.request(house.recipe({"action": "t.look"}, named=False))
    server = SlowServer(house.tone("far.wav", 500))
    far = MediaFile.known_by(URL, MediaKind.AUDIO, hash_file(server.path)[0])
    remote = replace(local, media=far, root_url=URL, job_id=new_job_id())
    house.store.submit([remote, local])
    ended: list[str] = []
    progress: list[tuple[float | None, str]] = []

    def listen(event: Event) -> None:
        if event.kind in (EventKind.COMPLETED, EventKind.FAILED):
            ended.append(f"{event.kind} {event.media_url}")
            server.go.set()
        if event.kind is EventKind.PROGRESSED and event.media_url == URL:
            progress.append((event.fraction, event.message))

    with Host(
        Settings(data_dir=house.folder / "data", workers=1),
        house.store,
        house.registry,
        lambda: InlineExecutor(registry=house.registry),
        house.clock,
        remote=server,  # type: ignore[arg-type]
    ) as host:
        host.work(listen, forever=False)
    assert server.was_waited_for
    assert ended == [f"completed {near}", f"completed {URL}"]
    assert progress[0] == (0.25, "0.5 of 2.0 MB fetched")
    assert server.held == 0
