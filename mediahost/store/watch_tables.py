"""The tables of watches: the folders, the files in them, and what was made of those."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Text, false, text
from sqlmodel import Field

from mediahost.store.dialect import Json, Real, unix_now
from mediahost.store.tables import Record


class WatchFolder(Record, table=True):
    """A watch: its rules, and how it is."""

    __tablename__ = "watches"
    __table_args__ = ({"comment": "Watched folders, and how they are"},)

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    name: str = Field(sa_column=Column("name", Text, nullable=False, unique=True))
    path: str = Field(sa_column=Column("path", Text, nullable=False))
    rule: dict[str, Any] = Field(sa_column=Column("rule", Json, nullable=False))
    origin: str = Field(
        sa_column=Column("origin", Text, nullable=False, comment="settings, command or once")
    )
    paused: bool = Field(
        default=False, sa_column=Column("paused", Boolean, nullable=False, server_default=false())
    )
    scan_asked: bool = Field(
        default=False,
        sa_column=Column("scan_asked", Boolean, nullable=False, server_default=false()),
    )
    accepted: bool = Field(
        default=False,
        sa_column=Column(
            "accepted",
            Boolean,
            nullable=False,
            server_default=false(),
            comment="A person said that what is gone may be gone",
        ),
    )
    host: str | None = Field(default=None, sa_column=Column("host", Text))
    seen_at: float | None = Field(
        default=None, sa_column=Column("seen_at", Real, comment="Unix seconds")
    )
    health: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column("health", Json, nullable=False, server_default=text("'{}'")),
    )


class WatchedFileRow(Record, table=True):
    """A file in a watched folder."""

    __tablename__ = "watched_files"
    __table_args__ = (
        {
            "comment": "Files in watched folders, and where they are on their way",
            # Clustered by folder: a reconcile reads a folder's files in one stretch.
            "sqlite_with_rowid": False,
        },
    )

    watch_id: int = Field(
        sa_column=Column(
            "watch_id", Integer, ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True
        )
    )
    folder: str = Field(sa_column=Column("folder", Text, primary_key=True))
    name: str = Field(sa_column=Column("name", Text, primary_key=True))
    size: int = Field(sa_column=Column("size", BigInteger, nullable=False))
    mtime_ns: int = Field(sa_column=Column("mtime_ns", BigInteger, nullable=False))
    ctime_ns: int = Field(sa_column=Column("ctime_ns", BigInteger, nullable=False))
    dev: int = Field(sa_column=Column("dev", BigInteger, nullable=False))
    inode: int = Field(sa_column=Column("inode", BigInteger, nullable=False))
    state: str = Field(sa_column=Column("state", Text, nullable=False))
    reason: str = Field(
        default="", sa_column=Column("reason", Text, nullable=False, server_default=text("''"))
    )
    generation: int = Field(
        default=1, sa_column=Column("generation", Integer, nullable=False, server_default=text("1"))
    )
    file_hash: str | None = Field(default=None, sa_column=Column("file_hash", Text))
    first_seen: float = Field(sa_column=Column("first_seen", Real, nullable=False))
    changed_at: float = Field(sa_column=Column("changed_at", Real, nullable=False))


class WatchOutput(Record, table=True):
    """What was made of a watched file: never an input of the same watch."""

    __tablename__ = "watch_outputs"
    __table_args__ = ({"comment": "What watches wrote, by content", "sqlite_with_rowid": False},)

    watch_id: int = Field(
        sa_column=Column(
            "watch_id", Integer, ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True
        )
    )
    file_hash: str = Field(sa_column=Column("file_hash", Text, primary_key=True))
    size: int = Field(sa_column=Column("size", BigInteger, nullable=False))
    source: str = Field(sa_column=Column("source", Text, nullable=False))
    action: str = Field(sa_column=Column("action", Text, nullable=False))
    depth: int = Field(sa_column=Column("depth", Integer, nullable=False))
    created_at: float | None = Field(
        default=None,
        sa_column=Column("created_at", Real, nullable=False, server_default=unix_now()),
    )


watches = Record.metadata.tables["watches"]
watched_files = Record.metadata.tables["watched_files"]
watch_outputs = Record.metadata.tables["watch_outputs"]

_file = watched_files.c
Index("idx_watched_files_state", _file.watch_id, _file.state, _file.changed_at)
Index("idx_watched_files_inode", _file.watch_id, _file.inode)
Index("idx_watch_outputs_file_hash", watch_outputs.c.file_hash)
