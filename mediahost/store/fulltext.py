"""Full text: an index over the words of passages, kept up by the database itself.

SQLite has FTS5, a table beside the passages that triggers fill; Postgres has an index over what
`to_tsvector` makes of them. Neither is in the tables' metadata, which knows no such things.
"""

from sqlalchemy import Connection

INDEX = "passages_words"

# Letters count, not their accents; a word is found in any case and in no other form.
SQLITE = (
    """CREATE VIRTUAL TABLE passages_words USING fts5(
        words, content='passages', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2'
    )""",
    """CREATE TRIGGER passages_words_insert AFTER INSERT ON passages
    WHEN new.words IS NOT NULL BEGIN
        INSERT INTO passages_words (rowid, words) VALUES (new.id, new.words);
    END""",
    """CREATE TRIGGER passages_words_delete AFTER DELETE ON passages
    WHEN old.words IS NOT NULL BEGIN
        INSERT INTO passages_words (passages_words, rowid, words)
            VALUES ('delete', old.id, old.words);
    END""",
    """CREATE TRIGGER passages_words_update AFTER UPDATE OF words ON passages BEGIN
        INSERT INTO passages_words (passages_words, rowid, words)
            SELECT 'delete', old.id, old.words WHERE old.words IS NOT NULL;
        INSERT INTO passages_words (rowid, words)
            SELECT new.id, new.words WHERE new.words IS NOT NULL;
    END""",
)
POSTGRESQL = (
    """CREATE INDEX idx_passages_words ON passages USING gin (to_tsvector('simple', words))
        WHERE words IS NOT NULL""",
)


def create_full_text(connection: Connection) -> None:
    """Make the index over the passages that there are none of yet."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)


def drop_full_text(connection: Connection) -> None:
    """Take the index away; what belongs to the table of passages goes with that."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE passages_words")
