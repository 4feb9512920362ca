"""Files that are just as they were when all that is asked for was computed: counted, no more.

A run on a million files that finds everything cached has nothing to say about each of them. They
are compared with the memo and the cache a few thousand at a time, while the walk goes on, and
nothing is kept of them but their number.
"""

from collections.abc import Collection, Sequence

from mediahost.hashing import FileStat, StatParts
from mediahost.host.files import FoundFile
from mediahost.host.planner import Recipe
from mediahost.host.walk import Listing
from mediahost.model.media import MediaKind, path_to_url
from mediahost.ports import CachedFile, Store

# Of fewer files a person wants to read a line each.
FEW = 50

# The kinds that a step works on, and by their names the files in a folder with its results.
_Memo = tuple[Collection[MediaKind], dict[str, CachedFile]]


class Unchanged:
    """Sifts out files that a recipe has nothing to do for, and counts them.

    Args:
        store: What knows.
        recipe: One that `can_sift`.

    Attributes:
        files: How many there were.
        results: How many cached results they have.
        saved_ms: What computing those took.
    """

    def __init__(self, store: Store, recipe: Recipe) -> None:
        self._store = store
        self._asked: list[tuple[Collection[MediaKind], str]] = [
            (recipe.accepts(step), recipe.config_hash(step, (), store.algorithm))
            for step in recipe.steps
        ]
        self.files = 0
        self.results = 0
        self.saved_ms = 0

    @staticmethod
    def can_sift(recipe: Recipe) -> bool:
        """Whether keys follow from the file alone, and results have no files to be looked at."""
        return all(
            step.media is None
            and not step.after
            and recipe.actions[step.name].info.kind == "analyzer"
            for step in recipe.steps
        )

    def sift(self, listings: Sequence[Listing]) -> list[FoundFile]:
        """Those of these folders' files that need a look of their own."""
        if not self.files and sum(len(listing.names) for listing in listings) <= FEW:
            return [file for listing in listings for file in listing.files()]
        folders = {listing.folder: path_to_url(listing.folder) for listing in listings}
        asked = [
            (kinds, self._store.recall_cached(folders.values(), config_hash))
            for kinds, config_hash in self._asked
        ]
        left: list[FoundFile] = []
        for listing in listings:
            url = folders[listing.folder]
            left += self._sift_one(listing, [(kinds, memo.get(url, {})) for kinds, memo in asked])
        return left

    def _sift_one(self, listing: Listing, memos: Sequence[_Memo]) -> list[FoundFile]:
        changed = []
        for index, (name, kind, stat) in enumerate(
            zip(listing.names, listing.kinds, listing.stats, strict=True)
        ):
            results = saved_ms = 0
            for kinds, memo in memos:
                if kind not in kinds:
                    continue
                known = memo.get(name if name.isascii() else path_to_url(name))
                if known is None or not _holds(known, stat):
                    changed.append(index)
                    break
                results += 1
                saved_ms += known[6]
            else:
                self.files += results > 0
                self.results += results
                self.saved_ms += saved_ms
        return [listing.file(index) for index in changed]


def _holds(known: CachedFile, stat: StatParts) -> bool:
    """Whether the file still is what was hashed."""
    then = FileStat(*known[:5])
    return (then == stat or then == FileStat.of_parts(stat)) and then.trusted_since(known[5])
