"""The catalog: every table of the store, whichever module defines it, with its triggers."""

from sqlalchemy import Table

# Imported for the tables that they define: one that is not imported is not among the metadata.
from mediahost.store import children, derived, folder_tables, numbering, watch_tables  # noqa: F401
from mediahost.store.tables import Record


def all_tables() -> list[Table]:
    """Every table, parents before their children."""
    return Record.metadata.sorted_tables
