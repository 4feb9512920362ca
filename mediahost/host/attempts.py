"""Attempts: from a claimed job to what an executor runs, and from how that ended to a commit."""

import os
import random
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from traceback import format_exception
from typing import Any

from mediahost.cached import Hit
from mediahost.errors import MediahostError, PluginError, TransientError, Unavailable
from mediahost.hashing import (
    CacheKey,
    ChangedWhileHashing,
    FileStat,
    config_hash,
)
from mediahost.host.artifacts import ArtifactFolder
from mediahost.host.crash import crash_point
from mediahost.host.files import FileHashes, MediaChanged
from mediahost.host.in_hand import Held
from mediahost.host.inputs import Inputs
from mediahost.host.look import Look
from mediahost.model.job import MOST_LOSSES, ClaimedJob, Failure, JobRequest, Outcome
from mediahost.model.media import MediaFile
from mediahost.model.paths import display
from mediahost.model.result import MediaProcessingResult, Result
from mediahost.plugin.attempt import NO_ROOM, result_hash
from mediahost.plugin.registry import Registry
from mediahost.ports import AttemptSpec, Completion, Ended, OnBytes, Setback, Store

# What can be done next once a job and all these results are committed.
FollowUps = Callable[[ClaimedJob, Mapping[CacheKey, Hit]], Sequence[JobRequest]]

BACKOFF_FIRST_S = 0.5
BACKOFF_LONGEST_S = 300.0

# A crash may be the fault of a neighbour or of the moment, so it gets one more chance. What ran
# out of time or memory would do so again.
CRASH_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings say of attempts.

    Attributes:
        timeout_s: Unless the action says; None: no limit.
        attempts: How often a job is tried when it fails for passing reasons.
        threads: How many threads an attempt's decoders may use.
    """

    timeout_s: float | None = None
    attempts: int = 3
    threads: int = 1


class MediaTouched(MediahostError):
    """The media file was touched while an attempt ran, so its result proves nothing."""


class Attempts:
    """Prepares attempts and judges how they ended."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        files: FileHashes,
        artifacts: ArtifactFolder,
        limits: Limits,
        *,
        inputs: Inputs,
    ) -> None:
        self._store = store
        self._registry = registry
        self._files = files
        self._artifacts = artifacts
        self._limits = limits
        self._inputs = inputs

    def is_here(self, job: ClaimedJob) -> bool:
        """Whether the media file is on this machine; otherwise `fetch` it before `prepare`."""
        return self._inputs.is_here(job.request.media)

    def timeout_of(self, job: ClaimedJob) -> float | None:
        """Seconds that an attempt may take, and the fetch of its file before it; None: any."""
        try:
            info = self._registry.action(job.request.action).info
        except MediahostError:  # `prepare` says it
            return self._limits.timeout_s
        return info.timeout_s or self._limits.timeout_s

    def fetch(self, job: ClaimedJob, on_bytes: OnBytes) -> None:
        """Bring the media file here; may take long, and may be called from any thread.

        Args:
            job: What was claimed.
            on_bytes: Told how many bytes are here, of how many if that is known.

        Raises:
            MediahostError: It can't be had.
            OSError: There is no place for it.
        """
        self._inputs.bring(job.request.media, on_bytes)

    def look(self) -> Look:
        """At media files as they are from now on; the next moment needs another one."""
        return Look(self._files)

    def prepare(self, held: Held, look: Look) -> AttemptSpec:
        """What an executor needs to run the attempt.

        Args:
            held: What was claimed; what it reads is noted there.
            look: At its media file; made before the attempt begins.

        Raises:
            MediaChanged: The media file, the action or a followed result is no longer what the
                job is about.
            MediahostError: The action can't be used.
            OSError: There is no place to run it, such as on a full disk.
        """
        job, request = held.job, held.job.request
        info = self._registry.action(request.action).info
        if info.version != request.action_version:
            raise MediaChanged(
                f"Version {request.action_version} of {info.name} was asked for, "
                f"but version {info.version} is installed",
                _ask_for_installed(request),
            )
        media = request.media
        if media.url is not None:
            media, held.let_go = self._inputs.held(media)
        held.media = media
        held.stat = _unchanged(media, look)
        workdir, log_path = self._artifacts.stage(job.token)
        return AttemptSpec(
            token=job.token,
            action=request.action,
            config=request.config,
            media=media,
            workdir=workdir,
            log_path=log_path,
            inputs=self._followed(request),
            timeout_s=self.timeout_of(job),
            threads=self._limits.threads,
            algorithm=self._store.algorithm,
            pool=info.pool,
            variables=info.variables,
            # Its fault shows in a process of its own, and costs nobody else an attempt.
            shared=info.shares_a_process and not job.is_suspect,
        )

    def _followed(self, request: JobRequest) -> Mapping[str, Any]:
        """Results of the steps that this one follows, if they are still those it was planned on."""
        if not request.inputs:
            return {}
        keys = {step: CacheKey(*key) for step, key in request.inputs.items()}
        stored = self._store.load_results(set(keys.values()))
        hashes = {step: stored[key].hit.result_hash for step, key in keys.items() if key in stored}
        planned = config_hash(
            request.action, request.action_version, request.config, hashes, self._store.algorithm
        )
        if planned != request.config_hash:
            raise MediaChanged(
                f"A result that {request.action} follows has changed since the job was made",
                "Run it again.",
            )
        return {step: stored[key].result.model_dump(mode="json") for step, key in keys.items()}

    def completed(
        self,
        held: Held,
        ended: Ended,
        look: Look,
        fresh: dict[CacheKey, Hit],
        follow_ups: FollowUps,
    ) -> Completion:
        """What to commit for an attempt that gave a result.

        Args:
            held: What was claimed.
            ended: How it ended.
            look: At its media file; made after the attempt has ended.
            fresh: The results that are to be committed together; this one is added.
            follow_ups: Asked for what can be done next.

        Raises:
            MediaChanged: The media file changed while the attempt ran.
            MediaTouched: It was written, but is the same again.
            PluginError: The result is none that the action gives.
            OSError: The artifacts can't be kept.
        """
        job, result = held.job, ended.result
        if result is None:
            raise ValueError("an attempt that ended well has a result")
        self._check_kind(job.request.action, result)
        stat = _still(held, look)
        hashed = ended.result_hash or result_hash(result, self._store.algorithm)
        if isinstance(result, MediaProcessingResult):
            media = held.media or job.request.media
            result = self._artifacts.keep(job.token, result, media.path.stem)
            crash_point("renamed")
        hit = hit_of(job.request, result, hashed, ended.elapsed_ms)
        fresh[hit.key] = hit
        following = follow_ups(job, fresh)
        return Completion(job, result, hashed, ended.elapsed_ms, following, stat.size)

    def _check_kind(self, action: str, result: Result) -> None:
        """See that an analyzer gave an analysis and a processor files, whatever its worker says.

        Raises:
            PluginError: It did not.
        """
        wanted = (
            "analysis" if self._registry.action(action).info.kind == "analyzer" else "processing"
        )
        if result.kind != wanted:
            raise PluginError(f"{action} gave a result of the kind {result.kind}, not {wanted}")

    def failed(self, job: ClaimedJob, outcome: Outcome, failure: Failure, ms: int = 0) -> Setback:
        """What to commit for an attempt that gave no result: the end of the job, or a retry."""
        if outcome is Outcome.LOST:
            most, tried = MOST_LOSSES, job.losses + 1
        elif outcome is Outcome.CRASHED:
            most, tried = min(CRASH_ATTEMPTS, self._limits.attempts), job.failures + 1
        elif outcome in (Outcome.ERROR, Outcome.CHANGED) and failure.transient:
            most, tried = self._limits.attempts, job.failures + 1
        else:
            most, tried = 1, 1
        retry_in_s = back_off_s(tried) if tried < most else None
        return Setback(job, outcome, failure, retry_in_s, ms)


def _ask_for_installed(request: JobRequest) -> str:
    """What to call: a retry asks for the old version again."""
    source = shlex.quote(display(request.root_url or request.media.source))
    what = f"--pipeline {request.pipeline}" if request.pipeline else f"--action {request.action}"
    return f"Ask for the installed one with: mediahost run {source} {what}"


def _unchanged(media: MediaFile, look: Look) -> FileStat:
    try:
        stat, file_hash = look.at(media.path_text)
    except FileNotFoundError:
        raise MediaChanged(f"{display(media.path.name)} is gone") from None
    except ChangedWhileHashing:
        raise MediaChanged(f"{display(media.path.name)} is being written") from None
    except OSError as error:
        name = display(media.path.name)
        raise MediaChanged(f"{name} can't be read: {error.strerror}") from None
    if file_hash != media.file_hash:
        raise MediaChanged(f"{display(media.path.name)} has changed since the job was made")
    return stat


def _still(held: Held, look: Look) -> FileStat:
    """The media file's status, if it is what it was before the attempt."""
    asked = held.job.request.media
    media = held.media or asked
    try:
        after = _unchanged(media, look)
    except MediaChanged as error:
        raise MediaChanged(
            f"{display(asked.path.name)} changed or went away while it was processed; "
            "the result was discarded",
            "Run it again when the file is at rest.",
        ) from error
    if held.stat != after or look.is_being_written(media.path_text):
        # The same bytes as before, but who knows which ones were read in between.
        raise MediaTouched(f"{display(asked.path.name)} was touched meanwhile")
    return after


def back_off_s(failures: int) -> float:
    """Seconds to wait after so many failures: exponential, with full jitter.

    The method is "full jitter" of M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture
    Blog, 2015), with half of the wait kept as a floor.
    """
    longest = min(BACKOFF_FIRST_S * 2.0 ** (failures - 1), BACKOFF_LONGEST_S)
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - no secret


def hit_of(request: JobRequest, result: Result, hashed: str, elapsed_ms: int) -> Hit:
    """The result as a cached one."""
    artifacts: tuple[tuple[str, str], ...] = ()
    if isinstance(result, MediaProcessingResult):
        artifacts = tuple((str(one.path), one.file_hash or "") for one in result.artifacts)
    key = CacheKey(request.media.file_hash or "", request.config_hash)
    return Hit(key, hashed, elapsed_ms, artifacts, result.completeness.describe())


def failure_from(error: BaseException) -> Failure:
    """An error of the host's own, as a failure of the attempt."""
    if isinstance(error, MediahostError):
        passing = isinstance(error, MediaTouched | TransientError)
        return Failure(error.message, error.hint, transient=passing)
    if not isinstance(error, OSError):
        return Failure(
            f"This is a fault of mediahost: {type(error).__name__}: {error}",
            traceback="".join(format_exception(error)),
        )
    about = f"{display(error.filename)}: " if isinstance(error.filename, str) else ""
    return Failure(f"{about}{os.strerror(error.errno or 0)}", transient=True)


def outcome_of(error: BaseException) -> Outcome:
    """How an attempt ended that an error of the host's own ended."""
    if isinstance(error, Unavailable) or (isinstance(error, OSError) and error.errno in NO_ROOM):
        return Outcome.UNAVAILABLE
    changed = isinstance(error, MediaChanged | MediaTouched)
    return Outcome.CHANGED if changed else Outcome.ERROR
