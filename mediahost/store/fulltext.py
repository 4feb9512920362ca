"""Full text: an index over the words of passages, kept up by the database itself.

What it sees are the words in the one spelling that `mediahost.model.words` gives them, parted by
spaces, and it changes nothing about them: both databases find the same. SQLite has FTS5, a table
beside the passages that triggers fill; its tokenizer `ascii` takes all that is not ASCII for
letters. Postgres has an index over the bare words, which a function of the store makes of them: the
server's own parser depends on its locale. None of this is in the tables' metadata, which knows no
such things.
"""

from sqlalchemy import Connection

INDEX = "passages_words"

SQLITE = (
    """CREATE VIRTUAL TABLE passages_words USING fts5(
        tokens, content='passages', content_rowid='id', tokenize='ascii'
    )""",
    """CREATE TRIGGER passages_words_insert AFTER INSERT ON passages
    WHEN new.tokens IS NOT NULL BEGIN
        INSERT INTO passages_words (rowid, tokens) VALUES (new.id, new.tokens);
    END""",
    """CREATE TRIGGER passages_words_delete AFTER DELETE ON passages
    WHEN old.tokens IS NOT NULL BEGIN
        INSERT INTO passages_words (passages_words, rowid, tokens)
            VALUES ('delete', old.id, old.tokens);
    END""",
    """CREATE TRIGGER passages_words_update AFTER UPDATE OF tokens ON passages BEGIN
        INSERT INTO passages_words (passages_words, rowid, tokens)
            SELECT 'delete', old.id, old.tokens WHERE old.tokens IS NOT NULL;
        INSERT INTO passages_words (rowid, tokens)
            SELECT new.id, new.tokens WHERE new.tokens IS NOT NULL;
    END""",
)
POSTGRESQL = (
    """CREATE OR REPLACE FUNCTION passage_vector(tokens text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT array_to_tsvector(string_to_array(tokens, ' '))
    $$""",
    """CREATE INDEX idx_passages_words ON passages
        USING gin (passage_vector(tokens)) WHERE tokens IS NOT NULL""",
)


def create_full_text(connection: Connection) -> None:
    """Make the index over the passages that there are none of yet."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)


def drop_full_text(connection: Connection) -> None:
    """Take the index away, with its triggers."""
    if connection.dialect.name == "sqlite":
        for event in ("insert", "delete", "update"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS passages_words_{event}")
        connection.exec_driver_sql("DROP TABLE IF EXISTS passages_words")
    else:
        connection.exec_driver_sql("DROP INDEX IF EXISTS idx_passages_words")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS passage_vector")
