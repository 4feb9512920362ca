"""Garbage: what nobody needs any more in the data folder and the store.

Never garbage is what a pending or processing job needs, what was made of content that is still
among the media files, and any file that mediahost did not make.
"""

import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from mediahost.host.artifacts import ARTIFACTS, LOGS, STAGING
from mediahost.host.moved import Memo, find_moved, media_memos
from mediahost.model.care import KeptResult, Needs, OldJob
from mediahost.model.job import JobStatus, Token
from mediahost.ports import CaredStore

DAY_S = 86_400


class Kind(StrEnum):
    """Why something is garbage."""

    STAGING = "staging"
    UNUSED = "unused"
    RESULT = "result"
    LOG = "log"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is old. None: nothing is.

    Attributes:
        jobs_days: Jobs that ended so many days ago.
        results_days: Results with files, made so many days ago.
        logs_days: Logs last written so many days ago.
        most_bytes: Let artifacts take no more than this, if results that nobody needs can go,
            the oldest first.
    """

    jobs_days: float | None = None
    results_days: float | None = None
    logs_days: float | None = None
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Waste:
    """One thing that nobody needs.

    Attributes:
        kind: Why.
        name: A path, or a job's number.
        size: Bytes on the disk that it takes; 0 for a file that has another name elsewhere.
        result: The result, if it is one.
        job_id: The job, if it is one.
    """

    kind: Kind
    name: str
    size: int = 0
    result: KeptResult | None = None
    job_id: UUID | None = None


class Garbage:
    """Finds garbage and takes it away.

    Args:
        store: The store.
        data_dir: The folder of artifacts, staging and logs.
        is_gone: Whether the host of that name surely doesn't run any more.
    """

    def __init__(self, store: CaredStore, data_dir: Path, is_gone: Callable[[str], bool]) -> None:
        self._store = store
        self._data_dir = data_dir
        self._is_gone = is_gone

    def find(self, rules: Rules) -> list[Waste]:
        """What may go by these rules. Nothing is changed."""
        # Folders first: what is kept from now on has its row when the rows are read.
        folders = dict(attempt_folders(self._data_dir))
        logs = dict(_logs(self._data_dir / LOGS))
        results = self._store.kept_results()
        needs = self._store.needs()
        needed = Needed(self._store, self._data_dir, results, needs)
        old_jobs = self._ended_long_ago(rules)
        # Files that were renamed are looked for only where something would go without them.
        going = {one.result for one in _old_results(folders, results, needed, rules)}
        needed.look_for(
            {result.input_hash for result in going if result}
            | {job.file_hash for job in old_jobs if job.file_hash}
        )
        attempts = self._store.attempts({token.job_id for token in (*folders, *logs)})
        return [
            *self._staging(),
            *_unused(folders, results, needs),
            *_old_results(folders, results, needed, rules),
            *_old_logs(logs, attempts, needs, rules),
            *_old_jobs(old_jobs, needed),
        ]

    def take_away(self, waste: Iterable[Waste]) -> list[Waste]:
        """Remove this; returns what was removed. Of what is needed again nothing is."""
        by_kind: dict[Kind, list[Waste]] = defaultdict(list)
        for one in waste:
            by_kind[one.kind].append(one)
        # Rows first: a file without a row is found again, a row without its file is a lie.
        results = {one.result: one for one in by_kind[Kind.RESULT] if one.result}
        dropped = self._store.drop_results(results) if results else set()
        gone = [one for result, one in results.items() if result.id in dropped]
        folders = dict(attempt_folders(self._data_dir))
        for one in gone:
            for token in _tokens_of(one.result):
                if token in folders:
                    shutil.rmtree(folders[token], ignore_errors=True)
        for one in (*by_kind[Kind.STAGING], *by_kind[Kind.UNUSED]):
            shutil.rmtree(one.name, ignore_errors=True)
        for one in by_kind[Kind.LOG]:
            Path(one.name).unlink(missing_ok=True)
        jobs = by_kind[Kind.JOB]
        if jobs:
            self._store.drop_jobs([one.job_id for one in jobs if one.job_id])
        return [*by_kind[Kind.STAGING], *by_kind[Kind.UNUSED], *gone, *by_kind[Kind.LOG], *jobs]

    def _staging(self) -> Iterator[Waste]:
        for folder in _listing(self._data_dir / STAGING):
            if self._is_gone(folder.name.replace("+", "/")):
                yield Waste(Kind.STAGING, str(folder), size_of(folder))

    def _ended_long_ago(self, rules: Rules) -> list[OldJob]:
        return [] if rules.jobs_days is None else self._store.old_jobs(rules.jobs_days * DAY_S)


class Needed:
    """Which contents somebody may still ask about.

    Those of active jobs, those among the media files, and those made of either.
    """

    def __init__(
        self, store: CaredStore, data_dir: Path, results: Collection[KeptResult], needs: Needs
    ) -> None:
        self._made_in = str(data_dir / ARTIFACTS) + os.sep
        self._store = store
        self._results = results
        self._there = _There()
        self._paths = needs.paths
        self._hashes = {hashed for hashed in needs.hashes if hashed}
        # Contents that a person's files have had, whether or not one of them is there.
        self._of_media: set[str] = set()
        for memo in self._memos():
            self._of_media.add(memo.hashed.file_hash)
            path = os.path.join(memo.folder, memo.name)  # noqa: PTH118 - bad UTF-8
            if self._there.may_be(path, memo.hashed.stat.dev):
                self._hashes.add(memo.hashed.file_hash)
        for result in results:
            path = result.input_path
            if not path.startswith(self._made_in):
                self._of_media.add(result.input_hash)
                if self._there.may_be(path):
                    self._hashes.add(result.input_hash)
            if any(file.path in self._paths for file in result.files):
                self._hashes.update(file.file_hash for file in result.files)
                self._hashes.add(result.input_hash)
        self._follow()

    def look_for(self, contents: AbstractSet[str]) -> None:
        """Look for those of these contents that seem lost under other names."""
        lost = (contents & self._of_media) - self._hashes
        if lost:
            self._hashes |= find_moved(lost, self._memos())
            self._follow()

    def content(self, file_hash: str | None) -> bool:
        """Whether somebody may ask about this content."""
        return file_hash in self._hashes

    def _memos(self) -> Iterator[Memo]:
        return media_memos(self._store.memos(), self._made_in)

    def _follow(self) -> None:
        """What was made of needed content is needed too, and what was made of that."""
        made_of: dict[str, list[KeptResult]] = defaultdict(list)
        for result in self._results:
            made_of[result.input_hash].append(result)
        waiting = list(self._hashes)
        while waiting:
            for result in made_of.get(waiting.pop(), ()):
                fresh = {file.file_hash for file in result.files} - self._hashes
                self._hashes |= fresh
                waiting += fresh


class _There:
    """Whether files are there, folder by folder."""

    def __init__(self) -> None:
        self._listings: dict[str, set[str] | None] = {}
        self._devices: dict[str, int] = {}

    def may_be(self, path: str, device: int | None = None) -> bool:
        """Whether a file is there or may be.

        It may be if its whole folder is out of sight, as on a disk that is not mounted, and if the
        path is a URL.

        Args:
            path: Of the file.
            device: Where it was; None: unknown.
        """
        folder, name = os.path.split(path)
        if folder not in self._listings:
            try:
                self._listings[folder] = set(os.listdir(folder))  # noqa: PTH208 - names as text
            except OSError:
                self._listings[folder] = None
        names = self._listings[folder]
        if names is None or name in names:
            return True
        if device is not None and not names:
            self._devices.setdefault(folder, device)
        return not names and self._is_bare_mount_point(folder)

    def _is_bare_mount_point(self, folder: str) -> bool:
        """Whether an empty folder is on another device than its files were."""
        try:
            return self._devices.get(folder, -1) not in (-1, os.stat(folder).st_dev)  # noqa: PTH116
        except OSError:
            return True


def attempt_folders(data_dir: Path) -> Iterator[tuple[Token, Path]]:
    """The folders of artifacts, by the attempt that made each."""
    for group in _listing(data_dir / ARTIFACTS):
        for folder in _listing(group):
            if token := token_of(folder.name):
                yield token, folder


def token_of(name: str) -> Token | None:
    """The attempt that a folder or a log is named after, or None if it is none of ours."""
    job_id, _, attempt = name.rpartition(".")
    try:
        return Token(UUID(job_id), int(attempt))
    except ValueError:
        return None


def size_of(folder: Path) -> int:
    """Bytes that would be free without the folder: a file with another name too frees none."""
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(at, name))  # noqa: PTH118 - bad UTF-8
            except FileNotFoundError:
                continue  # a host works there
            total += status.st_size if status.st_nlink == 1 else 0
    return total


def used_tokens(results: Iterable[KeptResult]) -> set[Token]:
    """The attempts whose folders hold the results' files, wherever the data folder was then."""
    return {token for result in results for token in _tokens_of(result)}


def _tokens_of(result: KeptResult | None) -> set[Token]:
    if result is None:
        return set()
    parts = {part for file in result.files for part in Path(file.path).parts[:-1]}
    return {token for part in parts if (token := token_of(part))}


def _old_jobs(ended: Iterable[OldJob], needed: Needed) -> Iterator[Waste]:
    for job in ended:
        # Search and lineage read the completed jobs of the files that are there.
        if job.status is not JobStatus.COMPLETED or not needed.content(job.file_hash):
            yield Waste(Kind.JOB, str(job.number), job_id=job.job_id)


def _unused(
    folders: dict[Token, Path], results: Collection[KeptResult], needs: Needs
) -> Iterator[Waste]:
    """Folders of attempts that no result speaks of: of hosts that died before they committed."""
    used = used_tokens(results)
    for token, folder in folders.items():
        if token not in used and token not in needs.live:
            yield Waste(Kind.UNUSED, str(folder), size_of(folder))


def _old_results(
    folders: dict[Token, Path], results: Collection[KeptResult], needed: Needed, rules: Rules
) -> Iterator[Waste]:
    if rules.results_days is None and rules.most_bytes is None:
        return
    sizes = {token: size_of(folder) for token, folder in folders.items()}
    too_much = 0 if rules.most_bytes is None else sum(sizes.values()) - rules.most_bytes
    for result in results:  # the oldest first
        old = rules.results_days is not None and result.age_s > rules.results_days * DAY_S
        tokens = _tokens_of(result) & folders.keys()
        if needed.content(result.input_hash) or not tokens or not (old or too_much > 0):
            continue
        size = sum(sizes[token] for token in tokens)
        too_much -= size
        yield Waste(Kind.RESULT, str(folders[min(tokens)]), size, result=result)


def _old_logs(
    logs: dict[Token, Path],
    attempts: dict[UUID, tuple[int, JobStatus]],
    needs: Needs,
    rules: Rules,
) -> Iterator[Waste]:
    if rules.logs_days is None:
        return
    before = time.time() - rules.logs_days * DAY_S
    for token, path in logs.items():
        attempt, status = attempts.get(token.job_id, (0, JobStatus.CANCELLED))
        try:
            written = path.stat()
        except OSError:
            continue
        # The last attempt of a failed job says why, for as long as the job is listed.
        tells_why = status is JobStatus.FAILED and token.attempt == attempt
        if written.st_mtime < before and token not in needs.live and not tells_why:
            yield Waste(Kind.LOG, str(path), written.st_size)


def _logs(folder: Path) -> Iterator[tuple[Token, Path]]:
    for path in _listing(folder):
        if path.suffix == ".log" and (token := token_of(path.stem)):
            yield token, path


def _listing(folder: Path) -> list[Path]:
    """What is in a folder, but for links: those are somebody's own, and so is what they lead to."""
    try:
        return sorted(path for path in folder.iterdir() if not path.is_symlink())
    except (FileNotFoundError, NotADirectoryError):
        return []
