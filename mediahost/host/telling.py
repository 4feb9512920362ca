"""Telling: who listens to a host's events, and what the events of a job say."""

from collections.abc import Callable, Collection

from mediahost.model.event import Event, EventKind
from mediahost.model.job import JobRequest, Outcome
from mediahost.ports import Completion, Setback

Listener = Callable[[Event], None]


class Teller:
    """Tells a listener what happens to jobs, of the kinds that it wants to hear of.

    An event is made only if somebody listens: most hosts have nobody who does.
    """

    def __init__(self, listener: Listener, kinds: Collection[EventKind]) -> None:
        self._listener = listener
        self._kinds = frozenset(kinds)

    def tell(
        self,
        request: JobRequest,
        kind: EventKind,
        message: str = "",
        fraction: float | None = None,
        **details: object,
    ) -> None:
        """Tell of one job."""
        if kind not in self._kinds:
            return
        details["key"] = [request.media.file_hash, request.config_hash]
        url = request.media.source
        self._listener(Event(kind, request.action, url, request.job_id, fraction, message, details))

    def ended(self, done: Completion | Setback) -> None:
        """Tell how an attempt ended, and what was submitted along with it."""
        if not self._kinds:
            return
        request = done.job.request
        if isinstance(done, Completion):
            self.tell(request, EventKind.COMPLETED, elapsed_ms=done.elapsed_ms)
            for following in done.follow_ups:
                self.tell(following, EventKind.SUBMITTED)
        elif done.retry_in_s is not None:
            why = done.failure.message
            self.tell(request, EventKind.RETRIED, why, retry_in_s=done.retry_in_s)
        elif done.outcome is Outcome.CANCELLED:
            self.tell(request, EventKind.CANCELLED, done.failure.message)
        else:
            outcome, hint = str(done.outcome), done.failure.hint
            self.tell(request, EventKind.FAILED, done.failure.message, outcome=outcome, hint=hint)
