"""The Dask executor: attempts on other machines, each in a process that can be ended there."""

import gc
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from mediahost.errors import MediahostError, SettingsError, UnknownName, UsageError
from mediahost.executor import verdict
from mediahost.executor.answers import SiteAnswer, check_hash, ended_from_json, place_in_run
from mediahost.executor.dask_site import cancel_attempt, key_of, run_attempt
from mediahost.executor.dask_tasks import Forgotten, known_tasks
from mediahost.executor.exchange import Exchange
from mediahost.executor.messages import spec_to_json
from mediahost.executor.verdict import Verdict
from mediahost.installation import docs_hint, extra_hint
from mediahost.model.job import Failure, Outcome, Token
from mediahost.model.result import MediaProcessingResult
from mediahost.ports import AttemptSpec, Ended, ExecutorEvent, Progress, Started
from mediahost.threads import GuardedThread, guarded

_logger = logging.getLogger("mediahost.executor")

GRACE_S = 5.0
CONNECT_S = 10.0
MIB = 1 << 20
# Past a grace, so long a worker may take to end what doesn't stop by itself, and to say so.
END_S = 15.0
# So often the scheduler is asked whether it still knows what was sent.
WATCH_S = 5.0
# Files go to and from the exchange beside each other.
HANDS = 4


@dataclass(slots=True, eq=False)
class _Attempt:
    spec: AttemptSpec
    future: Any = None
    at: str | None = None
    began: float = 0.0
    doom: Verdict | None = None
    grace_s: float = 0.0
    over: bool = False


@dataclass(frozen=True)
class DaskOptions:
    """How to reach Dask, out of `executor_options`.

    Attributes:
        scheduler: Its address, such as tcp://host:8786 or tls://host:8786.
        exchange: Where artifacts and logs pass: a folder that all machines see, or an fsspec URL.
        exchange_options: Options of that file system.
        keep_mb: Mebibytes that copies of media files may take on each Dask worker.
        ca_file, cert, key: PEM files for mutual TLS.
    """

    scheduler: str
    exchange: str
    exchange_options: Mapping[str, Any] = field(default_factory=dict)
    keep_mb: int = 20_480
    ca_file: str | None = None
    cert: str | None = None
    key: str | None = None

    def security(self) -> Any:
        """What Dask takes; None without TLS.

        Raises:
            SettingsError: Only some of the files are named.
        """
        files = (self.ca_file, self.cert, self.key)
        if not any(files):
            return None
        if not all(files):
            raise SettingsError("Mutual TLS takes all of ca_file, cert and key")
        import distributed  # noqa: PLC0415 - an extra

        untyped: Any = distributed
        return untyped.Security(
            tls_ca_file=self.ca_file,
            tls_client_cert=self.cert,
            tls_client_key=self.key,
            require_encryption=True,
        )


def dask_options(scheduler: str | None, data_dir: Path, options: Mapping[str, Any]) -> DaskOptions:
    """The options out of the settings.

    Raises:
        SettingsError: They don't make sense, or name no scheduler.
    """
    if not scheduler:
        raise SettingsError(
            "The executor dask needs the address of a scheduler",
            "Give --scheduler tcp://HOST:8786, or the setting scheduler.",
        )
    given = {"exchange": str(data_dir / "exchange"), **options}
    known = {one.name for one in fields(DaskOptions)} - {"scheduler"}
    for name in given:
        if name not in known:
            raise SettingsError(
                UnknownName("field of executor_options", name, known).message, docs_hint("dask")
            )
    return DaskOptions(scheduler, **given)


class DaskExecutor:
    """Runs each attempt on a Dask worker, in a process of its own there.

    Dask decides where; cancelling, time limits, crashes and logs are as on this machine. A worker
    that is lost costs its attempts nothing: they end as lost, and their jobs are tried again.

    Args:
        options: How to reach Dask.
        plugins: Plugins to load besides the installed ones, by paths that Dask workers see.
        max_rss_bytes: Memory that an attempt may use.
        variables: What of a Dask worker's environment attempts get besides the usual.
        grace_s: How long a cancelled attempt may take to stop by itself.
    """

    def __init__(
        self,
        options: DaskOptions,
        *,
        plugins: Sequence[str] = (),
        max_rss_bytes: int | None = None,
        variables: Sequence[str] = (),
        grace_s: float = GRACE_S,
    ) -> None:
        self._options = options
        self._plugins = list(plugins)
        self._max_rss_bytes = max_rss_bytes
        self._variables = list(variables)
        self._grace_s = grace_s
        self._exchange = Exchange(options.exchange, options.exchange_options)
        self._topic = f"mediahost-{secrets.token_hex(6)}"
        self._lock = threading.Condition()
        self._attempts: dict[Token, _Attempt] = {}
        self._by_key: dict[str, _Attempt] = {}
        self._warm: dict[str, str] = {}
        self._stopping = True
        self._closed = threading.Event()
        self._client: Any = None
        self._hands: ThreadPoolExecutor | None = None
        self._orders: ThreadPoolExecutor | None = None
        self._sink: Callable[[ExecutorEvent], None] | None = None

    def start(self, sink: Callable[[ExecutorEvent], None]) -> None:
        """Connect to the scheduler, after a stop too. Events go to `sink`, from any thread.

        Raises:
            UsageError: Dask is not installed.
            MediahostError: No scheduler answers.
        """
        try:
            import distributed  # noqa: PLC0415 - an extra
        except ImportError:
            raise UsageError("Dask is not installed", extra_hint("mediahost", "dask")) from None
        self._client = _connected(distributed, self._options)
        self._exchange.sweep()
        self._sink = sink
        self._hands = ThreadPoolExecutor(HANDS, "dask-hands")
        # A cancellation must not wait behind a file.
        self._orders = ThreadPoolExecutor(1, "dask-orders")
        self._client.subscribe_topic(self._topic, self._hear)
        self._stopping = False
        self._closed = threading.Event()
        GuardedThread(partial(self._watch, self._client, self._closed), name="dask-watch").start()

    def capacity(self) -> Mapping[str, int]:
        """The threads of all Dask workers, less what is under way. All pools share them."""
        with self._lock:
            client, under_way = self._client, len(self._attempts)
        threads = 0
        with suppress(OSError, TimeoutError, AttributeError):
            threads = sum(client.nthreads().values())
        return {"cpu": max(0, threads - under_way)}

    def warm(self) -> frozenset[tuple[str, str]]:
        """Dask workers that keep something loaded are chosen here, not by the host."""
        return frozenset()

    def submit(self, *attempts: AttemptSpec) -> None:
        """Run attempts as soon as a Dask worker is free. After `stop` they end as lost."""
        for attempt in attempts:
            self._submit(attempt)

    def _submit(self, attempt: AttemptSpec) -> None:
        mine = _Attempt(attempt)
        with self._lock:
            stopping = self._stopping
            if not stopping and self._hands is not None and self._orders is not None:
                self._attempts[attempt.token] = mine
                self._by_key[key_of(attempt.token)] = mine
                # In order, where there is nothing to upload that others would wait behind.
                pool = self._orders if self._exchange.folder else self._hands
                pool.submit(self._send, mine)
        if stopping:
            outcome, failure = verdict.stopped(attempt.action)
            self._tell(Ended(attempt.token, outcome, failure=failure))

    def cancel(self, token: Token, grace_s: float | None = None) -> None:
        """Ask an attempt to stop; after `grace_s` seconds end it. Unknown tokens are ignored."""
        with self._lock:
            attempt = self._attempts.get(token)
        if attempt is not None:
            grace_s = self._grace_s if grace_s is None else grace_s
            self._doom(attempt, verdict.cancelled(), grace_s)

    def alive(self) -> set[Token]:
        """The attempts that were submitted and have not ended."""
        with self._lock:
            return set(self._attempts)

    def stop(self, *, drain: bool, grace_s: float) -> None:
        """End. Drain: let attempts finish first; else each gets `grace_s` seconds."""
        with self._lock:
            self._stopping = True
            attempts = list(self._attempts.values())
        if self._client is None:
            return
        if not drain:
            for attempt in attempts:
                why = attempt.doom or verdict.stopped(attempt.spec.action)
                self._doom(attempt, why, grace_s)
        with self._lock:
            self._lock.wait_for(lambda: not self._attempts, None if drain else grace_s + END_S)
            left = list(self._attempts.values())
        for attempt in left:
            self._end(attempt, verdict.stopped(attempt.spec.action))
        for pool in (self._hands, self._orders):
            if pool is not None:
                pool.shutdown()
        self._closed.set()
        client, self._client = self._client, None
        with suppress(Exception):  # the scheduler may be gone
            client.unsubscribe_topic(self._topic)
        client.close()

    # --- out

    def _send(self, attempt: _Attempt) -> None:
        spec = attempt.spec
        try:
            self._exchange.share_media(spec.media)
            order = {
                "spec": spec_to_json(spec),
                "exchange": self._exchange.url,
                "options": self._exchange.options,
                "topic": self._topic,
                "plugins": self._plugins,
                "max_rss_bytes": self._max_rss_bytes,
                "keep_bytes": self._options.keep_mb * MIB,
                "variables": self._variables,
            }
            with self._lock:
                if attempt.over:
                    return
                attempt.future = self._client.submit(
                    run_attempt,
                    order,
                    key=f"{spec.action}-{key_of(spec.token)}-{secrets.token_hex(4)}",
                    pure=False,
                    retries=0,
                    **self._preferred(spec.action),
                )
            attempt.future.add_done_callback(lambda _future: self._done(attempt))
        except MediahostError as error:
            failure = Failure(error.message, error.hint, transient=True)
            self._end(attempt, (Outcome.ERROR, failure))
        except Exception as error:  # noqa: BLE001 - Dask's own errors are of every kind
            self._end(attempt, _lost(spec.action, error))

    def _preferred(self, action: str) -> dict[str, Any]:
        """The worker that keeps what this action needs loaded, if nothing runs there."""
        at = self._warm.get(action)
        busy = {one.at for one in self._attempts.values()}
        return {"workers": [at], "allow_other_workers": True} if at and at not in busy else {}

    def _doom(self, attempt: _Attempt, why: Verdict, grace_s: float) -> None:
        """End an attempt wherever it is, also on its way."""
        with self._lock:
            attempt.doom = why
            waits = attempt.at is None
            future, client, orders = attempt.future, self._client, self._orders
        if waits:
            self._end(attempt, why)
            if future is not None:
                future.cancel()
        if orders is not None:
            orders.submit(self._order_end, client, key_of(attempt.spec.token), grace_s)

    @staticmethod
    def _order_end(client: Any, key: str, grace_s: float) -> None:
        try:
            # To all of them: where it runs may just be changing.
            client.run(cancel_attempt, key, grace_s, on_error="ignore")
        except Exception as error:  # noqa: BLE001 - a scheduler that is gone ends nothing any more
            _logger.warning("%s could not be cancelled: %s", key, _line(error))

    def _watch(self, client: Any, closed: threading.Event) -> None:
        """End what the scheduler has forgotten, and what its worker should have ended."""
        forgotten = Forgotten()
        while not closed.wait(WATCH_S):
            guarded(partial(self._end_late, time.monotonic()))
            with self._lock:
                sent = {
                    one.future.key: one
                    for one in self._attempts.values()
                    if one.future is not None and one.future.status == "pending"
                }
            try:
                known = client.run_on_scheduler(known_tasks, list(sent)) if sent else []
            except Exception as error:  # noqa: BLE001 - see _send; a scheduler may come back
                _logger.debug("The scheduler can't be asked: %s", _line(error))
                continue
            for key in forgotten.look(sent, known):
                action = sent[key].spec.action
                self._end(sent[key], _lost(action, "the scheduler has forgotten it"))

    def _end_late(self, now: float) -> None:
        with self._lock:
            attempts = list(self._attempts.values())
        for attempt in attempts:
            limit_s = attempt.spec.timeout_s
            if limit_s and attempt.began and now > attempt.began + limit_s + END_S:
                self._doom(attempt, verdict.timed_out(attempt.spec.action, limit_s), 0.0)
                self._end(attempt, verdict.timed_out(attempt.spec.action, limit_s))

    # --- in

    def _hear(self, event: tuple[Any, dict[str, Any]]) -> None:
        told = event[1]
        with self._lock:
            attempt = self._by_key.get(told.get("key", ""))
            if attempt is None or attempt.over:
                return
            if told["kind"] == "started":
                attempt.at = told["at"]
                attempt.began = time.monotonic()
        token = attempt.spec.token
        if told["kind"] == "started":
            self._tell(Started(token))
        else:
            self._tell(Progress(token, told["fraction"], told["message"]))

    def _done(self, attempt: _Attempt) -> None:
        """Dask has an answer: a result, an error, or that the task is gone."""
        future, action = attempt.future, attempt.spec.action
        try:
            if attempt.over:
                return
            if future.status != "finished":
                error = future.exception() if future.status == "error" else None
                self._end(attempt, attempt.doom or _lost(action, error or future.status))
                return
            answer = SiteAnswer.model_validate(future.result())
            ended = ended_from_json(attempt.spec.token, answer.ended)
            check_hash(ended, attempt.spec.algorithm)
            if answer.warm and attempt.at:
                self._warm[action] = attempt.at
            ended = self._taken_over(attempt.spec, answer, ended)
        except MediahostError as error:
            failure = Failure(error.message, error.hint, transient=True)
            self._end(attempt, (Outcome.ERROR, failure))
            return
        except Exception as error:  # noqa: BLE001 - see _send
            self._end(attempt, _lost(action, error))
            return
        if attempt.doom and ended.outcome is not Outcome.OK:
            ended = replace(ended, outcome=attempt.doom[0], failure=attempt.doom[1])
        self._finish(attempt, ended)

    def _taken_over(self, spec: AttemptSpec, answer: SiteAnswer, ended: Ended) -> Ended:
        """The same with its files here.

        Raises:
            BadFrame: A file is none of the run's: it is neither taken nor removed.
        """
        run = answer.run_of(key_of(spec.token))
        try:
            if answer.log:
                self._take_log(Path(spec.log_path), f"{run}.log")
            if not isinstance(ended.result, MediaProcessingResult):
                return ended
            artifacts = []
            for artifact in ended.result.artifacts:
                name = place_in_run(artifact.path, run)
                path = Path(spec.workdir, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                self._exchange.take(artifact.path.as_posix(), path)
                artifacts.append(artifact.model_copy(update={"path": path}))
            result = ended.result.model_copy(update={"artifacts": tuple(artifacts)})
            return replace(ended, result=result)
        finally:
            self._exchange.remove(run)
            self._exchange.remove(f"{run}.log")

    def _take_log(self, log_path: Path, name: str) -> None:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        part = log_path.with_name(f".{log_path.name}.part")
        self._exchange.take(name, part)
        with part.open("rb") as source, log_path.open("ab") as target:
            target.writelines(source)
        part.unlink()

    def _end(self, attempt: _Attempt, why: Verdict) -> None:
        outcome, failure = why
        self._finish(attempt, Ended(attempt.spec.token, outcome, failure=failure))

    def _finish(self, attempt: _Attempt, ended: Ended) -> None:
        with self._lock:
            if attempt.over:
                return
            attempt.over = True
            del self._attempts[attempt.spec.token]
            self._by_key.pop(key_of(attempt.spec.token), None)
        self._tell(ended)
        with self._lock:
            self._lock.notify_all()

    def _tell(self, event: ExecutorEvent) -> None:
        try:
            if self._sink is not None:
                self._sink(event)
        except Exception:
            _logger.exception("What %s should have been told to failed", type(event).__name__)


def _connected(distributed: Any, options: DaskOptions) -> Any:
    security = options.security()
    more = {} if security is None else {"security": security}
    try:
        return distributed.Client(
            options.scheduler, timeout=CONNECT_S, set_as_default=False, **more
        )
    except (OSError, ValueError, TypeError) as error:
        why = _line(error)
    # A client that found no scheduler is closed when its garbage is collected. Should that happen
    # while another is being made, the two would wait for each other for ever.
    gc.collect()
    raise MediahostError(
        f"No Dask scheduler answers at {options.scheduler}: {why}",
        "Start one with: dask scheduler",
    )


def _lost(action: str, error: object) -> Verdict:
    return Outcome.LOST, Failure(
        f"{action} was lost with its Dask worker: {_line(error)}", transient=True
    )


def _line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
