"""What is written through to the disk before it is told, and what may wait for the next."""

from pathlib import Path

from mediahost.store.sqlite import SqliteDatabase

NORMAL, FULL = 1, 2


def syncs(database: SqliteDatabase, *, synced: bool) -> int:
    """How the transaction that asks is written."""
    with database.write(synced=synced) as connection:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def test_a_transaction_that_a_power_cut_may_undo_leaves_the_next_one_safe(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "store.db")
    assert syncs(database, synced=True) == FULL
    assert syncs(database, synced=False) == NORMAL
    assert syncs(database, synced=False) == NORMAL
    assert syncs(database, synced=True) == FULL
    database.close()
