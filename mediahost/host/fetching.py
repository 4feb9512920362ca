"""Fetching: media files on their way here, each on a thread, while leases are renewed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mediahost.errors import MediahostError
from mediahost.host.attempts import Attempts, failure_from, outcome_of
from mediahost.host.in_hand import Held
from mediahost.host.inputs import so_far
from mediahost.model.job import Failure, Outcome, Token
from mediahost.ports import Progress
from mediahost.threads import GuardedThread

Verdict = tuple[Outcome, Failure]


@dataclass(frozen=True, slots=True)
class Fetched:
    """The fetch of a media file is over.

    Attributes:
        token: The attempt that needs the file.
        why_not: Why the attempt can't begin; None: the file is here.
    """

    token: Token
    why_not: Verdict | None = None


class GivenUp(Exception):
    """Nobody needs the file any more: raised where its bytes come in."""


class Fetching:
    """Fetches media files for attempts. All but the threads' own work is for one thread.

    Args:
        attempts: Knows how to fetch, and for how long.
        tell: Gets how far each is and, once at least, its end. Called from any thread.
    """

    def __init__(self, attempts: Attempts, tell: Callable[[Progress | Fetched], None]) -> None:
        self._attempts = attempts
        self._tell = tell
        self._ends_at: dict[Token, float | None] = {}

    def __contains__(self, token: Token) -> bool:
        return token in self._ends_at

    @property
    def tokens(self) -> set[Token]:
        """The attempts whose files are on their way: what the host may renew."""
        return set(self._ends_at)

    def begin(self, held: Held) -> None:
        """Fetch a file on a thread of its own."""
        token = held.job.token
        limit_s = self._attempts.timeout_of(held.job)
        self._ends_at[token] = None if limit_s is None else time.monotonic() + limit_s
        GuardedThread(
            partial(self._fetch, held), name="fetch", failed=partial(self._failed, token)
        ).start()

    def end(self, token: Token) -> bool:
        """Take note of an end that was told; whether it is the first one of this fetch."""
        return self._ends_at.pop(token, self) is not self

    def cancel(self, token: Token) -> None:
        """End a fetch for a person. Its thread ends when more bytes come, or by its own limits."""
        if token in self._ends_at:
            self._tell(Fetched(token, (Outcome.CANCELLED, Failure("Cancelled"))))

    def enforce_limits(self) -> None:
        """End the fetches that take longer than their attempts may."""
        now = time.monotonic()
        for token, ends_at in self._ends_at.items():
            if ends_at is not None and now >= ends_at:
                self._tell(Fetched(token, (Outcome.TIMEOUT, _TOO_LONG)))

    def _fetch(self, held: Held) -> None:
        token = held.job.token
        try:
            self._attempts.fetch(held.job, partial(self._tell_progress, held))
        except GivenUp:
            return
        except (MediahostError, OSError) as error:
            self._tell(Fetched(token, (outcome_of(error), failure_from(error))))
        else:
            self._tell(Fetched(token))

    def _failed(self, token: Token, error: BaseException) -> None:
        """An error that nobody foresaw ends this attempt and no other."""
        self._tell(Fetched(token, (Outcome.ERROR, failure_from(error))))

    def _tell_progress(self, held: Held, size: int, whole: int | None) -> None:
        if held.dropped:
            raise GivenUp
        fraction = size / whole if whole else 0.0
        self._tell(Progress(held.job.token, fraction, so_far(size, whole)))


_TOO_LONG = Failure(
    "Its media file took longer to fetch than the attempt may take",
    "Raise timeout_s in the settings if the file is that large.",
)
