"""What a Postgres server says when it can't or won't: told in one sentence, or tried again."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from mediahost.errors import StoreError
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.store import SqlStore, open_store
from mediahost.store.location import locate
from mediahost.store.postgres import error_of

BEAT = Heartbeat("there/1/2/3/4", "there", 7, "0.1.0", "local", 2, 0, HostStatus.IDLE)


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    """An empty store."""
    with closing(open_store(postgres_url)) as opened:
        yield opened


def with_option(url: str, option: str) -> str:
    """The URL of the same database, whose sessions have one setting of the server."""
    query = {**make_url(url).query, "options": f"-c {option}"}
    return make_url(url).set(query=query).render_as_string(hide_password=False)


def run(store: SqlStore, statement: str) -> None:
    with store.database.write() as connection:
        connection.execute(text(statement), {} if ":" not in statement else {"secret": "s3cret"})


def test_a_statement_that_takes_too_long_is_told_in_a_sentence(postgres_url: str) -> None:
    with (
        closing(open_store(with_option(postgres_url, "statement_timeout=100"))) as store,
        pytest.raises(StoreError, match="the server cancelled a statement") as told,
    ):
        run(store, "SELECT pg_sleep(5)")
    assert "statement_timeout" in (told.value.hint or "")


def test_a_statement_that_was_cancelled_once_is_tried_again(
    store: SqlStore, postgres_url: str
) -> None:
    lock = "LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE"
    cancel = (
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    with psycopg.connect(postgres_url) as holder, psycopg.connect(postgres_url) as other:
        other.autocommit = True
        holder.execute(lock)
        beating = threading.Thread(target=store.beat, args=(BEAT,))
        beating.start()
        while not other.execute(cancel).fetchall():
            pass
        holder.rollback()
        beating.join(60)
    assert [one.heartbeat.host for one in store.hosts()] == [BEAT.host]


def test_a_session_that_was_idle_in_a_transaction_is_opened_again(postgres_url: str) -> None:
    url = with_option(postgres_url, "idle_in_transaction_session_timeout=100")
    with closing(open_store(url)) as store:
        tried = []

        def beat_slowly() -> None:
            tried.append(1)
            with store.database.write() as connection:
                connection.execute(text("SELECT 1"))
                if len(tried) == 1:
                    threading.Event().wait(0.5)
                connection.execute(text("SELECT 1"))

        store.database.persevere(beat_slowly)
        assert len(tried) == 2


def test_a_server_that_takes_no_writes_says_so(store: SqlStore) -> None:
    with pytest.raises(StoreError, match="the server takes no writes"):
        run(store, "SET TRANSACTION READ ONLY; DELETE FROM hosts")


def test_a_lock_that_others_hold_too_long_is_told(postgres_url: str, store: SqlStore) -> None:
    store.beat(BEAT)
    with (
        psycopg.connect(postgres_url) as holder,
        closing(open_store(with_option(postgres_url, "lock_timeout=50"))) as waiting,
    ):
        holder.execute("LOCK TABLE hosts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="another program holds it"):
            waiting.beat(BEAT)


def test_tables_that_are_not_as_they_were_made_are_told(bare_postgres_url: str) -> None:
    from mediahost.store.about import upgrade_at  # noqa: PLC0415 - of this test

    upgrade_at(bare_postgres_url)
    with closing(open_store(bare_postgres_url)) as store:
        run(store, "DROP TABLE job_progress, job_attempts, jobs CASCADE")
        with pytest.raises(StoreError, match="its tables are not as they were made") as told:
            store.count_jobs()
        assert told.value.hint == "Run: mediahost store check"


def raised(code: str) -> psycopg.Error:
    """The driver's error of a code, as the server sends it."""
    return psycopg.errors.lookup(code)(f"words of {code}")


@pytest.mark.parametrize(
    "code",
    [
        "0A000",
        "25006",
        "25P03",
        "25P04",
        "26000",
        "40001",
        "40P01",
        "42P01",
        "42703",
        "42P10",
        "42501",
        "53000",
        "53100",
        "53200",
        "53300",
        "53400",
        "54000",
        "55000",
        "55P03",
        "57014",
        "57P01",
        "57P02",
        "57P03",
        "57P05",
        "58000",
        "58030",
        "XX000",
        "XX001",
        "08006",
        "3F000",
    ],
)
def test_each_end_is_one_sentence_without_sql(code: str, postgres_url: str) -> None:
    told = error_of(locate(postgres_url), raised(code))
    assert told is not None
    assert "SELECT" not in told.message
    assert "\n" not in told.message


def test_no_error_shows_the_values_of_a_statement(store: SqlStore) -> None:
    shown: list[str] = []
    ways: tuple[Callable[[], None], ...] = (
        lambda: run(store, "SELECT CAST(:secret AS integer)"),
        lambda: run(store, "SELEC :secret"),
    )
    for way in ways:
        with suppress(StoreError):
            try:
                way()
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is
                shown.append(str(error).partition("[SQL:")[2])
    assert shown
    assert not [one for one in shown if "s3cret" in one]
