"""Files that are just as they were when all that is asked for was computed: counted, no more.

A run on a million files that finds everything cached has nothing to say about each of them. They
are compared with the memo and the cache a few thousand at a time, while the walk goes on, and
nothing is kept of them but their number.
"""

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import attrgetter

from mediahost.host.files import FoundFile
from mediahost.host.planner import Recipe
from mediahost.model.media import MediaKind, path_to_url
from mediahost.ports import CachedFile, Store

# Of fewer files a person wants to read a line each.
FEW = 50

_FOLDER = attrgetter("folder")


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

    def sift(self, files: Sequence[FoundFile]) -> list[FoundFile]:
        """Those of these files that need a look of their own."""
        if not self.files and len(files) <= FEW:
            return list(files)
        folders = {folder: path_to_url(folder) for folder in {file.folder for file in files}}
        asked = [
            (kinds, self._store.recall_cached(folders.values(), config_hash))
            for kinds, config_hash in self._asked
        ]
        left: list[FoundFile] = []
        for folder, its in groupby(files, _FOLDER):
            url = folders[folder]
            memos = [(kinds, memo.get(url, {})) for kinds, memo in asked]
            left += [file for file in its if not self._counts(file, memos)]
        return left

    def _counts(
        self,
        file: FoundFile,
        memos: Sequence[tuple[Collection[MediaKind], dict[str, CachedFile]]],
    ) -> bool:
        """Count the file if it is unchanged and has all its results; whether it is."""
        name = file.name if file.name.isascii() else path_to_url(file.name)
        results = saved_ms = 0
        for kinds, memo in memos:
            if file.kind not in kinds:
                continue
            known = memo.get(name)
            if known is None:
                return False
            if known[:5] != file.stat or not file.stat.trusted_since(known[5]):
                return False
            results += 1
            saved_ms += known[6]
        if not results:
            return False
        self.files += 1
        self.results += results
        self.saved_ms += saved_ms
        return True
