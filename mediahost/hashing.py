"""File hashes, config hashes and cache keys: the names that content goes by.

Every hash describes itself: `"algo:hexdigest"`.
"""

import math
import os
import stat as stat_module
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal, NamedTuple, Protocol

from blake3 import blake3

Algorithm = Literal["blake3", "sha256"]
ALGORITHMS: tuple[Algorithm, ...] = ("blake3", "sha256")
DEFAULT_ALGORITHM: Algorithm = "blake3"

CONFIG_FORMAT = "mediahost-config-1"

# A file this large or larger is worth an mmap and several threads; below it one buffered read
# is quicker (measured: docs/decisions/0004-hashing.md).
MMAP_FROM_BYTES = 1 << 20
BUFFER_BYTES = 256 << 10

# Timestamps within this long of the moment of hashing prove nothing: the file may be written
# again within the same tick of the file system's clock. This is git's "racy" rule
# (Documentation/technical/racy-git), with 2 s for FAT, the coarsest clock in use.
RACY_NS = 2_000_000_000


class ChangedWhileHashing(OSError):
    """The file changed while it was read, so the bytes read are no version of it."""


# The parts of a FileStat as a plain tuple: a fifth of its price, for those who see a million files.
StatParts = tuple[int, int, int, int, int]
stat_parts: Callable[[os.stat_result], StatParts] = attrgetter(
    "st_size", "st_mtime_ns", "st_ctime_ns", "st_dev", "st_ino"
)


class FileStat(NamedTuple):
    """What tells that a file is untouched since it was hashed, as git's index does."""

    size: int
    mtime_ns: int
    ctime_ns: int
    dev: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "FileStat":
        """The five parts out of an `os.stat_result`."""
        return cls.of_parts(stat_parts(status))

    @classmethod
    def of_parts(cls, parts: StatParts) -> "FileStat":
        """The five parts as the system gave them."""
        size, mtime_ns, ctime_ns, dev, inode = parts
        # They are unsigned 64-bit, and hardly ever so large; stores keep signed ones.
        if (dev | inode) >> 63:
            dev, inode = _signed(dev), _signed(inode)
        return cls(size, mtime_ns, ctime_ns, dev, inode)

    def trusted_since(self, hashed_at_ns: int) -> bool:
        """Whether an equal stat today proves equal bytes, for a hash taken at `hashed_at_ns`."""
        return is_trusted(self.mtime_ns, self.ctime_ns, hashed_at_ns)


def is_trusted(mtime_ns: int, ctime_ns: int, hashed_at_ns: int) -> bool:
    """Whether these times, unchanged today, prove equal bytes, for a hash taken at `hashed_at_ns`.

    Both clocks count nanoseconds since the Unix epoch. A timestamp of the future, or one within
    `RACY_NS` of the hashing, is never trusted.
    """
    return max(mtime_ns, ctime_ns) < hashed_at_ns - RACY_NS


class CacheKey(NamedTuple):
    """What a result is kept under: which bytes, and which action with which config."""

    file_hash: str
    config_hash: str


class _Hasher(Protocol):
    def update(self, data: Any, /) -> Any: ...
    def hexdigest(self) -> str: ...


def _sha256() -> _Hasher:
    from hashlib import sha256  # noqa: PLC0415 - OpenSSL, for those who ask for it

    return sha256()


_NEW: dict[str, Callable[[], _Hasher]] = {"blake3": blake3, "sha256": _sha256}


def hash_bytes(data: bytes, algorithm: Algorithm = DEFAULT_ALGORITHM) -> str:
    """The hash of bytes in memory, as `"algo:hexdigest"`."""
    hasher = _NEW[algorithm]()
    hasher.update(data)
    return f"{algorithm}:{hasher.hexdigest()}"


def hash_file(
    path: str | os.PathLike[str],
    algorithm: Algorithm = DEFAULT_ALGORITHM,
    *,
    settled: bool = False,
) -> tuple[str, FileStat]:
    """Hash a regular file.

    Args:
        path: The file; symbolic links are followed.
        algorithm: `blake3` or `sha256`.
        settled: The file surely doesn't shrink meanwhile, so it may be mapped into memory.
            A mapped file that is truncated ends the process with SIGBUS; never say so of a
            file that somebody may still be writing. Only a process that never forks may say so
            (a child forked after a multi-threaded blake3 deadlocks).

    Returns:
        The hash as `"algo:hexdigest"` and the stat that it belongs to.

    Raises:
        ChangedWhileHashing: The file's stat was not the same before and after.
        IsADirectoryError: The path is a folder.
        OSError: The file can't be read, or is not a regular file.
    """
    # O_NONBLOCK: opening a FIFO that nobody writes to must not hang.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if stat_module.S_ISDIR(status.st_mode):
            raise IsADirectoryError(21, "Is a directory", os.fspath(path))
        if not stat_module.S_ISREG(status.st_mode):
            raise OSError(22, "Not a regular file", os.fspath(path))
        before = FileStat.of(status)
        if algorithm == "blake3" and settled and before.size >= MMAP_FROM_BYTES:
            mapped = blake3(max_threads=blake3.AUTO)
            # By descriptor: the path may lead to another file by now.
            mapped.update_mmap(f"/dev/fd/{descriptor}")
            digest = mapped.hexdigest()
        else:
            digest = _read_into(_NEW[algorithm](), descriptor)
        after = FileStat.of(os.fstat(descriptor))
    finally:
        os.close(descriptor)
    if before != after:
        raise ChangedWhileHashing(f"{os.fspath(path)!r} changed while it was hashed")
    return f"{algorithm}:{digest}", before


def verify_file(path: str | os.PathLike[str], expected: str) -> bool:
    """Whether the file's bytes have the expected hash; a file that is gone does not.

    Raises:
        ValueError: `expected` is no hash of a known algorithm.
        OSError: The file is there but can't be read.
    """
    try:
        actual, _ = hash_file(path, algorithm_of(expected))
    except FileNotFoundError:
        return False
    return actual == expected


def algorithm_of(value: str) -> Algorithm:
    """The algorithm that a hash names.

    Raises:
        ValueError: It names none that is known, or its digest isn't 64 hexadecimal digits.
    """
    name, _, digest = value.partition(":")
    if len(digest) == 64 and set(digest) <= set("0123456789abcdef"):  # noqa: PLR2004 - 256 bits
        for algorithm in ALGORITHMS:
            if name == algorithm:
                return algorithm
    raise ValueError(f"{value!r} is not a hash such as 'blake3:<64 hexadecimal digits>'")


def config_hash(
    action: str,
    version: int,
    config: Mapping[str, Any],
    inputs: Mapping[str, str] | None = None,
    algorithm: Algorithm = DEFAULT_ALGORITHM,
) -> str:
    """The hash of all that decides a result except the media file's bytes.

    Args:
        action: The action's name.
        version: The action's version.
        config: The whole config, with defaults, as plain values.
        inputs: For each step that the action follows, the hash of the result it hands over.
        algorithm: `blake3` or `sha256`.

    Raises:
        ValueError: A number is NaN or infinite.
        TypeError: A value is none of None, bool, int, float, str, list, tuple or mapping.
    """
    parts = [CONFIG_FORMAT, action, version, dict(config), dict(inputs or {})]
    return hash_bytes(canonical(parts), algorithm)


def canonical(value: Any) -> bytes:
    """One spelling for each plain value, and no spelling shared by two.

    `1`, `"1"`, `1.0`, `True`, None and a missing key are all told apart; the order of a
    mapping's keys is not. The form is that of netstrings: tag, length, payload.

    Raises:
        ValueError: A number is NaN or infinite.
        TypeError: The value is none of the plain ones.
    """
    spell = _SPELLED_BY.get(type(value)) or _spelled_by(value)
    return spell(value)


def _spelled_by(value: Any) -> Callable[[Any], bytes]:
    """What spells a value that is of no plain type itself, such as an enumeration's member."""
    for kind, spell in _SPELLED_BY.items():
        if isinstance(value, kind):
            return spell
    if isinstance(value, Mapping):
        return _spelled_mapping
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return _spelled_sequence
    raise TypeError(f"{type(value).__name__} is no plain value, so it can't be hashed")


def _spelled_text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(data), data)


def _spelled_float(value: float) -> bytes:
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in a config: it never equals itself or overflows")
    return b"f" + repr(value).encode() + b";"


def _spelled_mapping(value: Mapping[Any, Any]) -> bytes:
    items = sorted([canonical(key) + canonical(item) for key, item in value.items()])
    return b"d%d:%b" % (len(items), b"".join(items))


def _spelled_sequence(value: Sequence[Any]) -> bytes:
    return b"l%d:%b" % (len(value), b"".join([canonical(item) for item in value]))


# In this order for `_spelled_by`: True is an int as well.
_SPELLED_BY: Mapping[type, Callable[[Any], bytes]] = {
    bool: lambda value: b"b1;" if value else b"b0;",
    int: lambda value: b"i%d;" % value,
    float: _spelled_float,
    str: _spelled_text,
    dict: _spelled_mapping,
    list: _spelled_sequence,
    tuple: _spelled_sequence,
    type(None): lambda _value: b"n;",
}


def _read_into(hasher: _Hasher, descriptor: int) -> str:
    buffer = bytearray(BUFFER_BYTES)
    view = memoryview(buffer)
    while count := os.readv(descriptor, [buffer]):
        hasher.update(view[:count])
    return hasher.hexdigest()


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
