"""Two versions of mediahost on one store: the older one ends before it writes to a newer schema."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.store import SqlStore, open_store
from mediahost.store.about import upgrade_at
from mediahost.store.engine import Upgraded
from mediahost.store.live_hosts import HostsLive, nobody_is_gone, refuse_while_hosts_live

BEAT = Heartbeat("there/1/2/3/4", "there", 7, "0.1.0", "local", 2, 0, HostStatus.IDLE)
NEWER = "UPDATE alembic_version SET version_num = '9999'"
OLDER = "UPDATE alembic_version SET version_num = '0009'"


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest) -> Any:
    """A home with its store in each database."""
    found: Any = request.getfixturevalue(f"{request.param}_home")
    found.place = found.environ.get("MEDIAHOST_DATABASE_URL", found.data / "store.db")
    return found


@pytest.fixture
def store(home: Any) -> Iterator[SqlStore]:
    """An open store of it."""
    home.data.mkdir()
    with closing(open_store(home.place)) as opened:
        yield opened


def change(home: Any, *statements: str) -> None:
    """Have the database run these as another program would."""
    if isinstance(home.place, Path):
        with closing(sqlite3.connect(home.place)) as connection, connection:
            for statement in statements:
                connection.execute(statement)
    else:
        home.script("; ".join(statements))


def test_who_was_made_for_an_older_schema_writes_nothing_more(home: Any, store: SqlStore) -> None:
    store.beat(BEAT)
    change(home, NEWER)
    with pytest.raises(Upgraded, match="was upgraded to schema 9999 meanwhile"):
        store.forget_hosts([BEAT.host])
    assert [one.heartbeat.host for one in store.hosts()] == [BEAT.host]
    with pytest.raises(Upgraded):
        store.beat(BEAT)


def test_a_host_ends_when_its_store_is_upgraded(home: Any) -> None:
    home.tones(1)
    assert home.call("store", "upgrade").code == 0
    working = home.start("watch", "media", "--action", "count.look")
    ends_at = time.monotonic() + 60
    while not home.ran():
        assert time.monotonic() < ends_at
        assert working.poll() is None
        time.sleep(0.1)
    change(home, NEWER)
    answer = home.finish(working)
    assert answer.code == 3
    assert answer.err.count("was upgraded to schema 9999 meanwhile") == 1, answer.err
    assert "Start the newer mediahost" in answer.err


def test_no_store_is_upgraded_while_hosts_use_it(home: Any, store: SqlStore) -> None:
    store.beat(BEAT)
    change(home, OLDER)
    with pytest.raises(HostsLive, match=r"an older mediahost uses it \(process 7 on there\)"):
        upgrade_at(home.place)
    if isinstance(home.place, Path):
        with pytest.raises(HostsLive):
            open_store(home.place)
    answer = home.call("store", "upgrade")
    assert answer.code == 3
    assert "mediahost store upgrade --wait" in answer.err

    waiting = home.start("store", "upgrade", "--wait")
    assert waiting.stderr
    assert "Waiting: The store" in waiting.stderr.readline()
    change(home, "UPDATE hosts SET seen_at = 0", NEWER)
    assert "has schema 9999" in home.finish(waiting).err, "it waits no longer"


def test_a_host_that_is_gone_holds_no_upgrade_up(home: Any, store: SqlStore) -> None:
    store.beat(BEAT)
    with store.database.read() as connection:
        refuse_while_hosts_live(connection, store.database, lambda host: host == BEAT.host)
        with pytest.raises(HostsLive):
            refuse_while_hosts_live(connection, store.database, nobody_is_gone)
