"""What a store knows of files that were seen before.

A run that finds everything cached asks no more. It has no time for the ports, which take a tenth of
it to load.
"""

from typing import NamedTuple

from mediahost.hashing import CacheKey, FileStat

# What a result lacks is kept as a member of this name of its metadata, and as the first one.
MISSING = "mediahost_completeness"


class HashedFile(NamedTuple):
    """A memo: the hash that a file had, the stat that it had then, and when that was.

    `hashed_at_ns` counts nanoseconds since the Unix epoch and is taken before the first byte
    is read.
    """

    stat: FileStat
    hashed_at_ns: int
    file_hash: str


# The five parts of the FileStat that a file had, `hashed_at_ns` of the memo, and how many ms the
# cached result took to compute: a plain tuple, for there may be a million.
CachedFile = tuple[int, int, int, int, int, int, int]


class CachedFolder(NamedTuple):
    """A folder whose media files all had the results of a recipe.

    Attributes:
        listing_hash: Hash of the names and stats that its files had then.
        files: How many files something was to be done for.
        results: How many cached results those have.
        saved_ms: What computing these took.
    """

    listing_hash: str
    files: int
    results: int
    saved_ms: int


class CachedFolders(NamedTuple):
    """Folders that had all results of a recipe.

    Attributes:
        as_of: What to give `remember_folders` for folders that are looked at after this.
        folders: By their paths as text.
    """

    as_of: int
    folders: dict[str, CachedFolder]


class Hit(NamedTuple):
    """A cached result, without its payload.

    Attributes:
        key: What it is kept under.
        result_hash: Hash of the result, what a following step's key is made of.
        elapsed_ms: How long it took to compute: what a hit saves.
        artifacts: (path, hash) of each file that must still be there unchanged.
        missing: What the result lacks, in one line; empty: it is complete.
    """

    key: CacheKey
    result_hash: str
    elapsed_ms: int
    artifacts: tuple[tuple[str, str], ...]
    missing: str = ""
