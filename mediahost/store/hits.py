"""Cached results as rows of the two caches tell them."""

from collections.abc import Iterable, Sequence
from typing import Any

from mediahost.hashing import CacheKey
from mediahost.ports import Hit
from mediahost.store.documents import artifacts_of


def newest_hits(
    analyses: Iterable[Sequence[Any]], processings: Iterable[Sequence[Any]]
) -> dict[CacheKey, Hit]:
    """The newest cached result under each key.

    Args:
        analyses: Rows of (file hash, config hash, created at, id, result hash, elapsed in ms).
        processings: Rows of the same, and the artifacts as the column has them.
    """
    hits: dict[CacheKey, Hit] = {}
    ages: dict[CacheKey, tuple[float, int]] = {}
    for file_hash, config_hash, created_at, number, result_hash, elapsed_ms in analyses:
        key, age = CacheKey(file_hash, config_hash), (created_at, number)
        if ages.setdefault(key, age) <= age:
            ages[key] = age
            hits[key] = Hit(key, result_hash, elapsed_ms, ())
    for file_hash, config_hash, created_at, number, result_hash, elapsed_ms, made in processings:
        key, age = CacheKey(file_hash, config_hash), (created_at, number)
        if ages.setdefault(key, age) <= age:
            ages[key] = age
            hits[key] = Hit(key, result_hash, elapsed_ms, artifacts_of(made))
    return hits
