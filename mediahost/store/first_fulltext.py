"""Full text as it was before schema 0012: each database split texts into words by itself."""

from sqlalchemy import Connection

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


def create_first_full_text(connection: Connection) -> None:
    """Make the index over the passages that there are none of yet."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)
