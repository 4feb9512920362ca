"""Outputs: artifacts, and what analyzers found, where the watch's rules want them."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediahost.hashing import hash_bytes, hash_file, verify_file
from mediahost.host.naming import name_of_part, published_names, short, target_for
from mediahost.host.planner import Planned
from mediahost.host.publish import copy_to, dated, recorded, write_to
from mediahost.host.standing import Standing
from mediahost.model.paths import path_to_url
from mediahost.model.watch import Watch
from mediahost.ports import OwnOutput, WatchStore


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written for a watched one."""

    path: Path
    file_hash: str


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """An error in here is one of this path, whichever path the system names, if any."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(target)) from error


class Outputs:
    """Writes what was made of a file, and remembers it as our own before it can be seen."""

    def __init__(self, store: WatchStore, watch_id: int, rule: Watch) -> None:
        self._store = store
        self._watch_id = watch_id
        self._rule = rule

    def write(self, standing: Standing, folder: str, depth: int) -> list[Written]:
        """Write what was made of a file.

        Args:
            standing: With all results there.
            folder: The file's folder, relative to the watched one.
            depth: How many watches it came through before.

        Raises:
            OutputRefused: A template leads out of its folder.
            OSError: An output can't be written; it has the output's path.
        """
        final = list(_final(standing))
        if self._rule.output is not None or self._rule.on_success == "replace":
            self._record(standing, final, depth)
        if self._rule.output is None:
            return []
        written = []
        source = Path(standing.root.path)
        times_of = self._times_of(standing)
        stored = [(row.step.name, _stored_name(row, path)) for row, path, _ in final]
        names = published_names(source.stem, stored)
        for (row, path, file_hash), name in zip(final, names, strict=True):
            fields = self._fields(standing, row, folder, name)
            target = target_for(self._rule.output, fields)
            with _named(target):
                copy = copy_to(Path(path), target, file_hash, times_of=times_of)
                written.append(Written(copy, file_hash))
        if self._rule.sidecars:
            written += self._sidecars(standing, folder, depth)
        return written

    def final_artifacts(self, standing: Standing) -> list[tuple[str, str]]:
        """Path and hash of what was made and no other step made something of."""
        return [(path, file_hash) for _, path, file_hash in _final(standing)]

    def _record(
        self, standing: Standing, final: list[tuple[Planned, str, str]], depth: int
    ) -> None:
        source = standing.root
        self._store.record_outputs(
            [
                OwnOutput(
                    self._watch_id,
                    file_hash,
                    os.stat(path).st_size,  # noqa: PTH116 - text in
                    path_to_url(source.path),
                    row.step.action,
                    depth + 1,
                )
                for row, path, file_hash in final
                # An action that changes nothing must not make its input our own.
                if file_hash != source.file_hash
            ]
        )

    def _sidecars(self, standing: Standing, folder: str, depth: int) -> Iterator[Written]:
        rows = [row for row in standing.rows if row.key and not _artifacts(row)]
        results = self._store.load_results([row.key for row in rows if row.key])
        taken: set[Path] = set()
        for row in rows:
            if row.key not in results:
                continue
            name = f"{Path(standing.root.path).stem}.{row.step.name}.json"
            target = target_for(self._rule.output or "", self._fields(standing, row, folder, name))
            if target in taken:
                name = f"{target.stem}.{row.step.name}{target.suffix}"
                target = target.with_name(short(name))
            taken.add(target)
            # With the path no two files share a sidecar, of which neither could be replaced.
            document = {
                "media": path_to_url(standing.root.path),
                **results[row.key].result.model_dump(mode="json"),
            }
            yield self._sidecar(standing, row, target, document, depth)

    def _sidecar(
        self, standing: Standing, row: Planned, target: Path, document: Any, depth: int
    ) -> Written:
        """Write it, in place of what was written of the same step and file before."""
        data = f"{json.dumps(document, indent=2)}\n".encode()
        source, algorithm = path_to_url(standing.root.path), self._store.algorithm
        file_hash = hash_bytes(data, algorithm)
        action = row.step.action

        def is_ours(path: Path) -> bool:
            try:
                there, _ = hash_file(path, algorithm)
            except OSError:
                return False
            known = self._store.find_outputs([there]).get(there, ())
            return (self._watch_id, source, action) in (
                (one.watch_id, one.source, one.action) for one in known
            )

        # Before it is seen, as of artifacts.
        self._store.record_outputs(
            [OwnOutput(self._watch_id, file_hash, len(data), source, action, depth + 1)]
        )
        with _named(target):
            times_of = self._times_of(standing)
            return Written(write_to(data, target, is_ours, times_of=times_of), file_hash)

    def _times_of(self, standing: Standing) -> Path | None:
        is_source = self._rule.output_times == "source"
        return Path(standing.root.path) if is_source else None

    def _fields(self, standing: Standing, row: Planned, folder: str, name: str) -> dict[str, str]:
        source = Path(standing.root.path)
        changed = time.localtime(source.stat().st_mtime)
        return {
            "action": row.step.action,
            **dated(changed),
            **recorded(
                self._rule.output or "",
                lambda: self._store.results_of(standing.root.file_hash),
                changed,
            ),
            "folder": folder,
            "hash": standing.root.file_hash.partition(":")[2][:8],
            "kind": str(standing.root.kind),
            "name": name,
            "stem": source.stem,
            "step": row.step.name,
            "suffix": Path(name).suffix,
            "watch": self._rule.name,
        }


def _final(standing: Standing) -> Iterator[tuple[Planned, str, str]]:
    used = {row.step.media for row in standing.rows if _artifacts(row)}
    for row in standing.rows:
        if row.step.name not in used:
            for path, file_hash in _artifacts(row):
                yield row, path, file_hash


def _stored_name(row: Planned, path: str) -> str:
    name = Path(path).name
    if row.media is None or row.media.path == row.root.path:
        return name
    return name_of_part(Path(row.media.path).stem, name)


def _artifacts(row: Planned) -> tuple[tuple[str, str], ...]:
    return row.hit.artifacts if row.hit else ()


def is_there(written: Written) -> bool:
    """Whether the file is on the disk with the content that it should have."""
    try:
        return verify_file(written.path, written.file_hash)
    except OSError:
        return False
