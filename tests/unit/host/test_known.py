"""What is known of a file: in which order what was made of it is looked at."""

from collections.abc import Sequence
from pathlib import Path

from mediahost.cached import Hit
from mediahost.hashing import CacheKey
from mediahost.host.known import MOST_MADE, known_of
from mediahost.model.result import Artifact, MediaAnalysisResult, MediaProcessingResult, Result
from mediahost.ports import StoredResult
from mediahost.store.memory import MemoryStore


class _Shelf(MemoryStore):
    """A store that answers with these results, by the content that they are of."""

    def __init__(self, results: dict[str, Sequence[Result]]) -> None:
        super().__init__()
        self._shelved = results

    def results_of(self, file_hash: str) -> list[StoredResult]:
        return [_stored(file_hash, result) for result in self._shelved.get(file_hash, ())]


def _stored(file_hash: str, result: Result) -> StoredResult:
    hit = Hit(CacheKey(file_hash, "blake3:config"), "blake3:result", 0, ())
    action = "cut" if isinstance(result, MediaProcessingResult) else "look"
    return StoredResult(hit, action, 1, {}, f"/media/{file_hash}", result, 0.0)


def _made(*file_hashes: str) -> MediaProcessingResult:
    artifacts = [
        Artifact(path=Path(f"/made/{one}"), asset_type="audio", file_hash=one)
        for one in file_hashes
    ]
    return MediaProcessingResult(artifacts=tuple(artifacts))


def _contents(store: MemoryStore) -> list[str]:
    return [known.stored.hit.key.file_hash for known in known_of(store, "film")]


def test_what_was_made_is_looked_at_in_the_order_of_its_files_and_once() -> None:
    parts = [f"part{number}" for number in range(MOST_MADE)]
    shelf: dict[str, Sequence[Result]] = {part: [MediaAnalysisResult()] for part in parts}
    shelf["film"] = [_made(*parts), _made(*reversed(parts))]
    assert _contents(_Shelf(shelf)) == ["film", "film", *parts]


def test_what_is_made_by_the_dozen_is_left_out() -> None:
    pictures = [f"picture{number}" for number in range(MOST_MADE + 1)]
    shelf: dict[str, Sequence[Result]] = {one: [MediaAnalysisResult()] for one in pictures}
    assert _contents(_Shelf({**shelf, "film": [_made(*pictures)]})) == ["film"]
