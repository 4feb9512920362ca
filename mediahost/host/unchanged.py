"""Files that are just as they were when all that is asked for was computed: counted, no more.

A run on a million files that finds everything cached has nothing to say about each of them. They
are compared with the memo and the cache a few thousand at a time, while the walk goes on, and
nothing is kept of them but their number. A folder whose files all were as they should be is
remembered as a whole, by a hash of their names and stats: next time that is all to be compared.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mediahost import __version__
from mediahost.cached import CachedFile, CachedFolder
from mediahost.hashing import Algorithm, FileStat, StatParts, canonical, hash_bytes, is_trusted
from mediahost.host.found import FoundFile
from mediahost.host.walk import Listing, Walk
from mediahost.model.kinds import MediaKind
from mediahost.model.paths import path_to_url

if TYPE_CHECKING:
    from mediahost.host.planner import Recipe
    from mediahost.ports import Store

# Of fewer files a person wants to read a line each.
FEW = 50

# The kinds of media file that a step works on, and the hash of its config.
Asked = tuple[Sequence[str], str]

# The kinds that a step works on, and by folder and name the files with its results.
_Memo = tuple[Sequence[str], Mapping[str, Mapping[str, CachedFile]]]


def asked_of(recipe: "Recipe", algorithm: Algorithm) -> list[Asked] | None:
    """What each step of a recipe asks of a file; None: that takes more than a look at the file.

    Keys must follow from the file alone, and results have no files to be looked at.
    """
    if not all(
        step.media is None and not step.after and recipe.actions[step.name].info.kind == "analyzer"
        for step in recipe.steps
    ):
        return None
    return [
        (sorted(recipe.accepts(step)), recipe.config_hash(step, (), algorithm))
        for step in recipe.steps
    ]


class Unchanged:
    """Sifts out files that a recipe has nothing to do for, and counts them.

    Args:
        store: What knows.
        asked: What `asked_of` a recipe.

    Attributes:
        asked: The same.
        files: How many there were.
        results: How many cached results they have.
        saved_ms: What computing those took.
    """

    def __init__(self, store: "Store", asked: Sequence[Asked]) -> None:
        self._store = store
        self.asked = asked
        # The version says what kind of media file a name is.
        self._recipe_hash = hash_bytes(canonical([__version__, asked]))
        self.files = 0
        self.results = 0
        self.saved_ms = 0

    def sift(self, listings: Sequence[Listing]) -> list[FoundFile]:
        """Those of these folders' files that need a look of their own."""
        if not self.files and sum(len(listing.names) for listing in listings) <= FEW:
            return [file for listing in listings for file in listing.files()]
        named = {path_to_url(listing.folder): (listing, listing.hash()) for listing in listings}
        # Before the memo: a result that is lost after this makes void what is remembered below.
        as_of, known = self._store.recall_folders(named, self._recipe_hash)
        changed = {}
        for url, (listing, listing_hash) in named.items():
            cached = known.get(url)
            if cached and cached.listing_hash == listing_hash:
                self._count(cached)
            else:
                changed[url] = listing, listing_hash
        return self._sift_changed(changed, as_of) if changed else []

    def _sift_changed(
        self, named: Mapping[str, tuple[Listing, str]], as_of: int
    ) -> list[FoundFile]:
        memos = [
            (kinds, self._store.recall_cached(named, config_hash))
            for kinds, config_hash in self.asked
        ]
        left: list[FoundFile] = []
        whole = {}
        for url, (listing, listing_hash) in named.items():
            others, cached = _compared(listing, listing_hash, url, memos)
            self._count(cached)
            if others:
                left += map(listing.file, others)
            else:
                whole[url] = cached
        self._store.remember_folders(self._recipe_hash, as_of, whole)
        return left

    def _count(self, cached: CachedFolder) -> None:
        self.files += cached.files
        self.results += cached.results
        self.saved_ms += cached.saved_ms


class Sifted(NamedTuple):
    """Folders that were looked through.

    Attributes:
        walk: What was found; of the files only those that need a look of their own.
        unchanged: What sifted out the others.
    """

    walk: Walk
    unchanged: Unchanged

    @property
    def is_all_cached(self) -> bool:
        """Whether there is nothing left to be done, or to be said of any file."""
        return bool(self.unchanged.results and not self.walk.found and not self.walk.problems)


def _compared(
    listing: Listing, listing_hash: str, url: str, memos: Sequence[_Memo]
) -> tuple[list[int], CachedFolder]:
    """Which files need a look of their own, and what there is to say of the others.

    Of a file that no step works on there is nothing.
    """
    here = [(kinds, memo.get(url, {})) for kinds, memo in memos]
    wanted = {kind: [memo for kinds, memo in here if kind in kinds] for kind in MediaKind}
    others = []
    files = results = saved_ms = 0
    for index, (name, kind, stat) in enumerate(
        zip(listing.names, listing.kinds, listing.stats, strict=True)
    ):
        name_url = name if name.isascii() else path_to_url(name)
        its_memos = wanted[kind]
        its_ms = 0
        for memo in its_memos:
            known = memo.get(name_url)
            if known is None or not _holds(known, stat):
                others.append(index)
                break
            its_ms += known[6]
        else:
            files += bool(its_memos)
            results += len(its_memos)
            saved_ms += its_ms
    return others, CachedFolder(listing_hash, files, results, saved_ms)


def _holds(known: CachedFile, stat: StatParts) -> bool:
    """Whether the file still is what was hashed."""
    if known[:5] != stat and known[:5] != FileStat.of_parts(stat):
        return False
    return is_trusted(stat[1], stat[2], known[5])
