"""A site: what runs in a Dask worker. Each attempt has a process of its own there too."""

import queue
import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from mediahost.errors import MediahostError
from mediahost.executor import verdict
from mediahost.executor.copies import Copies
from mediahost.executor.exchange import Exchange
from mediahost.executor.local import LocalExecutor
from mediahost.executor.messages import ended_to_json, spec_from_json
from mediahost.model.job import Failure, Outcome, Token
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaProcessingResult
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent, Progress, Started

_sites: dict[str, "Site"] = {}
_opening = threading.Lock()
# How often is looked whether an attempt is still wanted, in seconds; also while it says nothing.
LOOK_S = 0.5
# Tokens that were cancelled before their attempt came here; a few are enough.
_CANCELLED_MOST = 10_000


def run_attempt(order: dict[str, Any]) -> dict[str, Any]:
    """Run an attempt in this Dask worker; what the executor submits to Dask.

    Args:
        order: The attempt and where its files go, as plain values.

    Returns:
        How it ended, as plain values; the paths of artifacts are names in the exchange.
    """
    from distributed import get_worker  # noqa: PLC0415 - only here it is needed

    worker = get_worker()
    return _site(worker, order).run(order, worker, _task(worker))


def cancel_attempt(key: str, grace_s: float) -> None:
    """Stop an attempt if it runs here, now or later; run on every Dask worker."""
    with _opening:
        sites = list(_sites.values())
        _cancelled_early[key] = None
        while len(_cancelled_early) > _CANCELLED_MOST:
            del _cancelled_early[next(iter(_cancelled_early))]
    for site in sites:
        site.cancel(key, grace_s)


_cancelled_early: dict[str, None] = {}


def key_of(token: Token) -> str:
    """A token as text."""
    return f"{token.job_id.hex}.{token.attempt}"


class Site:
    """The executor of one Dask worker.

    Args:
        workers: How many attempts run at once.
        folder: Where its own files are.
        plugins: Plugins to load that aren't installed.
        max_rss_bytes: Memory after which an attempt is ended.
        keep_bytes: What copies of media files may take.
        variables: What of this machine's environment workers get besides the usual.
    """

    def __init__(
        self,
        workers: int,
        folder: Path,
        plugins: list[str],
        max_rss_bytes: int | None,
        *,
        keep_bytes: int,
        variables: list[str],
    ) -> None:
        self._folder = folder
        self._copies = Copies(folder, keep_bytes)
        self._lock = threading.Lock()
        self._heard: dict[Token, queue.SimpleQueue[ExecutorEvent]] = {}
        self._executor = LocalExecutor(
            workers, plugins=plugins, max_rss_bytes=max_rss_bytes, variables=variables
        )
        self._executor.start(self._hear)

    def run(self, order: dict[str, Any], worker: Any, task: Any) -> dict[str, Any]:
        """Run an attempt to its end, or until nobody wants it: the host has died.

        Args:
            order: The attempt, as `run_attempt` got it.
            worker: The Dask worker.
            task: Its note of the Dask task that this is.
        """
        asked = spec_from_json(order["spec"])
        exchange = Exchange(order["exchange"], order["options"])
        # A lost worker's attempt may be run again under its token: each run has its own place.
        run = f"{key_of(asked.token)}.{uuid4().hex[:8]}"
        own = Path(mkdtemp(dir=self._folder))
        try:
            with self._copies.of(asked.media, exchange) as path:
                spec = _here(asked, path, exchange.workdir(run) or own / "work", own)
                ended = self._watched(spec, worker, order["topic"], task)
            if _is_given_up(task):
                exchange.remove(run)
            return {
                "run": run,
                "log": self._hand_over_log(spec, exchange, run),
                "warm": bool(self._executor.warm()),
                "ended": ended_to_json(_handed_over(ended, spec, exchange, run)),
            }
        except (MediahostError, OSError) as error:
            transient = not isinstance(error, MediahostError) or "changed" not in str(error)
            failure = Failure(str(error), getattr(error, "hint", None), transient=transient)
            ended = Ended(asked.token, Outcome.ERROR, None, failure)
            return {"run": run, "log": False, "warm": False, "ended": ended_to_json(ended)}
        finally:
            shutil.rmtree(own, ignore_errors=True)

    def cancel(self, key: str, grace_s: float) -> None:
        """Stop the attempt with this key if it runs here."""
        with self._lock:
            tokens = [token for token in self._heard if key_of(token) == key]
        for token in tokens:
            self._executor.cancel(token, grace_s)

    def _watched(self, spec: AttemptSpec, worker: Any, topic: str, task: Any) -> Ended:
        heard: queue.SimpleQueue[ExecutorEvent] = queue.SimpleQueue()
        key = key_of(spec.token)
        with self._lock:
            self._heard[spec.token] = heard
        try:
            if key in _cancelled_early:
                outcome, failure = verdict.cancelled()
                return Ended(spec.token, outcome, failure=failure)
            self._executor.submit(spec)
            while not isinstance(event := self._next(heard, spec.token, task), Ended):
                if isinstance(event, Started):
                    told = {"key": key, "kind": "started", "at": worker.address}
                else:
                    told = {"key": key, "kind": "progress", **_of_progress(event)}
                with suppress(Exception):  # a connection that is just breaking
                    worker.log_event(topic, told)
            return event
        finally:
            with self._lock:
                del self._heard[spec.token]

    def _next(
        self, heard: "queue.SimpleQueue[ExecutorEvent]", token: Token, task: Any
    ) -> ExecutorEvent:
        """The next event of an attempt, which is ended as soon as nobody wants it any more."""
        while True:
            if _is_given_up(task):
                self._executor.cancel(token, 0.0)
            with suppress(queue.Empty):
                return heard.get(timeout=LOOK_S)

    def _hear(self, event: ExecutorEvent) -> None:
        with self._lock:
            heard = self._heard.get(event.token)
        if heard is not None:
            heard.put(event)

    @staticmethod
    def _hand_over_log(spec: AttemptSpec, exchange: Exchange, run: str) -> bool:
        log = Path(spec.log_path)
        if not log.exists():
            return False
        exchange.put(log, f"{run}.log")
        return True


def _here(spec: AttemptSpec, path: Path, workdir: Path, own: Path) -> AttemptSpec:
    """The attempt with the paths of this machine."""
    workdir.mkdir(exist_ok=True)
    media = MediaFile(path, spec.media.kind, spec.media.file_hash, spec.media.url)
    return replace(spec, media=media, workdir=str(workdir), log_path=str(own / "log"))


def _task(worker: Any) -> Any:
    """What a Dask worker notes of the task that runs in this thread."""
    return worker.state.tasks.get(worker.get_current_task())


def _is_given_up(task: Any) -> bool:
    """Whether the scheduler no longer wants a task that runs here.

    It tells a worker so when the client that submitted the task lets go of it or is gone, be it by
    `kill -9`: its connection ends. Dask itself lets the task run on.
    """
    return task is not None and task.state == "cancelled"


def _of_progress(event: Progress) -> dict[str, Any]:
    return {"fraction": event.fraction, "message": event.message}


def _handed_over(ended: Ended, spec: AttemptSpec, exchange: Exchange, run: str) -> Ended:
    """The same with its artifacts in the exchange, named by their place there."""
    if not isinstance(ended.result, MediaProcessingResult):
        return ended
    workdir = Path(spec.workdir).resolve()
    artifacts = []
    for artifact in ended.result.artifacts:
        name = f"{run}/{artifact.path.relative_to(workdir)}"
        if exchange.folder is None:
            exchange.put(artifact.path, name)
        artifacts.append(artifact.model_copy(update={"path": Path(name)}))
    result = ended.result.model_copy(update={"artifacts": tuple(artifacts)})
    return replace(ended, result=result)


def _site(worker: Any, order: dict[str, Any]) -> Site:
    """The site of a Dask worker, opened by the first attempt that comes with these plugins."""
    names = ("plugins", "max_rss_bytes", "keep_bytes", "variables")
    given = {name: order[name] for name in names}
    name = repr((worker.address, given))
    with _opening:
        if name not in _sites:
            folder = Path(mkdtemp(prefix="mediahost-", dir=worker.local_directory))
            _sites[name] = Site(worker.state.nthreads, folder, **given)
        return _sites[name]
