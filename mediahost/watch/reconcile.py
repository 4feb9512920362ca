"""The reconcile: what is in the folders, compared in bulk with what is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mediahost.host.found import FoundFile
from mediahost.model.paths import path_to_url, url_to_path
from mediahost.model.watch import AT_REST, FileState
from mediahost.ports import WatchedFile
from mediahost.watch.ledger import Ledger, Place
from mediahost.watch.scan import Listing, Scan

# The known files of so many folders are read at once.
FOLDERS_AT_ONCE = 256


@dataclass
class Changes:
    """What is otherwise than it was known.

    Attributes:
        seen: Files that are new, or changed, or were on their way.
        vanished: Files that are no longer there.
        known: How many files were known that are not gone.
    """

    seen: list[tuple[FoundFile, WatchedFile | None]] = field(default_factory=list)
    vanished: list[WatchedFile] = field(default_factory=list)
    known: int = 0


def reconcile(scan: Scan, ledger: Ledger, start: str) -> Changes:
    """Compare a folder and all below it with what is known. Nothing is changed."""
    ledger.flush(now=True)
    changes = Changes()
    visited: set[str] = set()
    for listings in _in_batches(scan.listings(start)):
        _compare(listings, ledger, changes, visited)
    _find_vanished_folders(scan, ledger, start, visited, changes)
    return changes


def _in_batches(listings: Iterator[Listing]) -> Iterator[Sequence[Listing]]:
    while batch := list(islice(listings, FOLDERS_AT_ONCE)):
        yield batch


def _compare(
    listings: Sequence[Listing], ledger: Ledger, changes: Changes, visited: set[str]
) -> None:
    urls = [path_to_url(listing.folder) for listing in listings]
    visited.update(urls)
    stats_in = ledger.stats_in(urls)
    odd: list[tuple[Place, FoundFile]] = []
    vanished: list[Place] = []
    for url, listing in zip(urls, listings, strict=True):
        stats = stats_in.get(url, {})
        changes.known += sum(state != FileState.GONE for _, state in stats.values())
        for file in listing.files:
            name = path_to_url(file.name)
            known = stats.pop(name, None)
            # Most files are as they were: no row is made of those.
            if known is None:
                changes.seen.append((file, None))
            elif known[0] != file.stat or known[1] not in AT_REST:
                odd.append(((url, name), file))
        vanished += [(url, name) for name, (_, state) in stats.items() if state != FileState.GONE]
    rows = ledger.at([place for place, _ in odd] + vanished) if odd or vanished else {}
    changes.seen += [(file, rows.get(place)) for place, file in odd]
    changes.vanished += [rows[place] for place in vanished if place in rows]


def _find_vanished_folders(
    scan: Scan, ledger: Ledger, start: str, visited: set[str], changes: Changes
) -> None:
    """Folders with known files that the walk did not come to, unless it was kept out."""
    unread = tuple(f"{folder}/" if folder else "" for folder in scan.unread)
    missing = []
    for url in ledger.folders() - visited:
        folder = url_to_path(url)
        inside = not start or folder == start or folder.startswith(f"{start}/")
        if inside and not (unread and f"{folder}/".startswith(unread)):
            missing.append(url)
    for known in ledger.in_folders(missing).values() if missing else ():
        rows = [row for row in known.values() if row.state is not FileState.GONE]
        changes.known += len(rows)
        changes.vanished += rows
