"""What is known of a file: its own results, and those of what was made of it, such as its sound."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mediahost.model.result import MediaAnalysisResult, MediaProcessingResult
from mediahost.ports import Store, StoredResult

# What is made by the dozen, such as single pictures of a film, says little of the whole.
MOST_MADE = 8


@dataclass(frozen=True, slots=True)
class Known:
    """A result that says something of a file.

    Attributes:
        stored: The result; its times are those of the file.
        made_by: Empty if it is the file's own; else the actions that led from the file to the one
            that it was computed from, in their order.
    """

    stored: StoredResult
    made_by: tuple[str, ...] = ()


def known_of(store: Store, file_hash: str) -> Iterator[Known]:
    """All results for a content, the newest first, then those for what was made of it.

    The nearest come first, and each content once. Where a file begins later in the one that it was
    made of, as a segment does, times are moved accordingly.

    Raises:
        StoreError: The store can't be used.
    """
    seen = {file_hash}
    contents: deque[tuple[str, tuple[str, ...], float]] = deque([(file_hash, (), 0.0)])
    while contents:
        content, made_by, begins_s = contents.popleft()
        for stored in store.results_of(content):
            yield Known(_moved(stored, begins_s), made_by)
            result = stored.result
            if not isinstance(result, MediaProcessingResult) or len(result.artifacts) > MOST_MADE:
                continue
            for made in (one.file_hash for one in result.artifacts):
                if made and made not in seen:
                    seen.add(made)
                    contents.append((made, (*made_by, stored.action), begins_s + result.begins_s))


def _moved(stored: StoredResult, by_s: float) -> StoredResult:
    if not by_s or not isinstance(stored.result, MediaAnalysisResult):
        return stored
    return replace(stored, result=stored.result.moved(by_s))
