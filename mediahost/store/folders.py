"""Folders that need no look at each file, for they are as they were when all was cached."""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete, exists, literal_column, or_, select, text

from mediahost.cached import CachedFolder, CachedFolders
from mediahost.store.dialect import among, listed, unix_now, upsert
from mediahost.store.engine import Database, lasting
from mediahost.store.folder_tables import cached_folders
from mediahost.store.hits import KEPT_FOLDERS_S
from mediahost.store.tables import analysis_jobs, meta

_it = cached_folders.c
_FOREIGN = exists(
    select(literal_column("1")).select_from(analysis_jobs).where(text("result_hash IS NULL"))
)
_LOST = select(meta.c.results_lost, _FOREIGN)
_RECALL = select(_it.folder, _it.listing_hash, _it.files, _it.results, _it.saved_ms).where(
    among([_it.folder], "folders"),
    _it.recipe_hash == bindparam("of_recipe"),
    _it.results_lost == bindparam("as_of"),
)
_FORGET = delete(cached_folders).where(
    among([_it.folder], "folders"),
    or_(_it.results_lost != bindparam("as_of"), _it.created_at < unix_now() - KEPT_FOLDERS_S),
)
_MADE_NOW = {"created_at": unix_now()}


class Folders:
    """Remembers which folders had all their results."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def recall_folders(self, folders: Collection[str], recipe_hash: str) -> CachedFolders:
        """Those of these folders that had all results of a recipe, none of which was lost since."""
        with self._database.read() as connection:
            as_of, foreign = connection.execute(_LOST).one()
            if foreign:
                return CachedFolders(as_of, {})
            wanted = {"folders": listed(folders), "of_recipe": recipe_hash, "as_of": as_of}
            rows = connection.execute(_RECALL, wanted)
            return CachedFolders(as_of, {row[0]: CachedFolder(*row[1:]) for row in rows})

    def remember_folders(
        self, recipe_hash: str, as_of: int, folders: Mapping[str, CachedFolder]
    ) -> None:
        """Remember that these folders have all results of a recipe."""
        # As of hashes: it saves time, and a store that is only looked at does without.
        if folders and not self._database.closed_to_writing:
            self._remember_folders(recipe_hash, as_of, folders)

    @lasting
    def _remember_folders(
        self, recipe_hash: str, as_of: int, folders: Mapping[str, CachedFolder]
    ) -> None:
        rows = [
            {
                "folder": folder,
                "recipe_hash": recipe_hash,
                **cached._asdict(),
                "results_lost": as_of,
            }
            for folder, cached in folders.items()
        ]
        with self._database.write(synced=False) as connection:
            connection.execute(_FORGET, {"folders": listed(folders), "as_of": as_of})
            upsert(
                connection,
                cached_folders,
                rows,
                key=["folder", "recipe_hash"],
                fixed=_MADE_NOW,
            )
