"""A store that is moved, removed or replaced while it is open."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediahost.errors import StoreError
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.store import open_store


def move(path: Path) -> None:
    """To another name, with its log."""
    for file in path.parent.glob(f"{path.name}*"):
        file.rename(file.with_name("moved-" + file.name))


def remove(path: Path) -> None:
    """All of it."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def restore(path: Path) -> None:
    """From a copy, as `mv copy store.db` does."""
    copy = path.with_name("copy.db")
    open_store(copy).close()
    copy.replace(path)


AWAY = "was moved or removed while it was open"
OTHER = "was replaced by another file while it was open"
WAYS = pytest.mark.parametrize(("change", "said"), [(move, AWAY), (remove, AWAY), (restore, OTHER)])


@WAYS
def test_nothing_is_written_or_read_past_its_place(
    tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    store = open_store(tmp_path / "store.db")
    store.hosts()
    change(tmp_path / "store.db")
    beat = Heartbeat("h", "m", 1, "0", "local", 1, 0, HostStatus.IDLE)
    for act in (lambda: store.beat(beat), store.hosts, store.pauses, store.browse().version):
        with pytest.raises(StoreError, match=said):
            act()
    store.close()


def test_a_transaction_that_was_begun_before_is_not_committed(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    writing = store.database.write()
    connection = writing.__enter__()
    connection.exec_driver_sql("DELETE FROM pauses")
    move(tmp_path / "store.db")
    with pytest.raises(StoreError, match=AWAY):
        writing.__exit__(None, None, None)
    store.close()


def test_who_waits_for_others_is_woken(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    with store.wakeup() as wakeup:  # type: ignore[attr-defined]
        move(tmp_path / "store.db")
        assert wakeup.wait(60.0)
    store.close()


@WAYS
def test_a_host_ends_and_says_so(home: Any, change: Callable[[Path], None], said: str) -> None:
    home.tones(3)
    run = home.start("run", "media", "--action", "count.wait", "-j", "1")
    while home.ran() == {}:
        time.sleep(0.02)
    run.send_signal(signal.SIGSTOP)
    shutil.copytree(home.data, home.folder / "before")
    change(home.data / "store.db")
    run.send_signal(signal.SIGCONT)
    (home.folder / "open").touch()
    answer = home.finish(run)
    assert answer.code == 3
    assert said in answer.err
    assert os.path.basename(home.data / "store.db") in answer.err  # noqa: PTH119 - a name
