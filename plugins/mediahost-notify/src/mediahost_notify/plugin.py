"""The plugin: gathers facts on the thread that runs jobs, sends digests on its own."""

import logging
import threading
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from mediahost import hookimpl
from mediahost.errors import SettingsError
from mediahost.model.event import Event, EventKind
from mediahost_notify.digest import Fact, body_of, fact_of, fact_of_run, fact_of_watch, title_of
from mediahost_notify.rules import Rule, filled_in, rules_of

log = logging.getLogger("mediahost.notify")

NAME = "notify"
# A host that stops doesn't wait longer for a server that doesn't answer.
LAST_WORDS_S = 10.0
# A flood past this is not counted on: it would fill the memory.
MOST_FACTS = 100_000

_SUBJECTS = {EventKind.COMPLETED, EventKind.FAILED, EventKind.CANCELLED}


class _Letter:
    """One rule with what it has to tell next."""

    def __init__(self, rule: Rule, urls: Sequence[str]) -> None:
        self.rule = rule
        self.urls = urls
        self.facts: list[Fact] = []
        self.due: float | None = None

    def wants(self, subject: str, action: str) -> bool:
        of_action = action == "*" or any(
            fnmatchcase(action, pattern) for pattern in self.rule.actions
        )
        return subject in self.rule.on and of_action

    def add(self, fact: Fact) -> None:
        if len(self.facts) < MOST_FACTS:
            self.facts.append(fact)
        if self.due is None:
            self.due = time.monotonic() + self.rule.every_s


class Notify:
    """Hears of events and sends digests of them."""

    def __init__(self) -> None:
        self._letters: list[_Letter] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    @hookimpl
    def mediahost_host_started(
        self, settings: Mapping[str, Mapping[str, Any]]
    ) -> Collection[EventKind]:
        """Read the rules."""
        rules = rules_of(settings.get(NAME, {}))
        self._letters = [_Letter(rule, _checked(rule)) for rule in rules]
        self._stopping = False
        if self._letters:
            self._thread = threading.Thread(target=self._work, name="notify", daemon=True)
            self._thread.start()
        return _SUBJECTS if self._letters else ()

    @hookimpl
    def mediahost_event(self, event: Event) -> None:
        """Note what somebody wants to know."""
        if self._letters and event.kind in _SUBJECTS:
            self._note(fact_of(event), event.action)

    @hookimpl
    def mediahost_run_finished(self, summary: Mapping[str, Any]) -> None:
        """Tell of the run, and of all before, now: a person who waits is told once."""
        if self._letters:
            self._note(fact_of_run(summary), "*", now=True)

    @hookimpl
    def mediahost_watch_changed(self, watch: str, state: str, reason: str) -> None:
        """Note what becomes of watched folders: no files left, a full disk, a missing drive."""
        fact = fact_of_watch(watch, state, reason)
        if self._letters and fact:
            self._note(fact, "*")

    @hookimpl
    def mediahost_host_stopping(self) -> None:
        """Send what is left."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._changed:
            self._stopping = True
            self._changed.notify()
        thread.join(LAST_WORDS_S)
        if thread.is_alive():
            log.warning("A notification is still on its way; it is not waited for")
        self._letters = []

    def _note(self, fact: Fact, action: str, *, now: bool = False) -> None:
        with self._changed:
            for letter in self._letters:
                wanted = now and fact.subject in letter.rule.on
                if wanted or letter.wants(fact.subject, action):
                    letter.add(fact)
                if now and letter.facts:
                    letter.due = 0.0
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (due := self._due()) and not self._stopping:
                    self._changed.wait(self._until_next())
                if not due:
                    return
                batch = [(letter, letter.facts) for letter in due]
                for letter in due:
                    letter.facts, letter.due = [], None
            for letter, facts in batch:
                try:
                    _send(letter, facts)
                except Exception as error:  # noqa: BLE001 - its text may hold the URL
                    log.warning("A notification failed: %s", type(error).__name__)

    def _due(self) -> list[_Letter]:
        now = time.monotonic()
        return [
            letter
            for letter in self._letters
            if letter.due is not None and (self._stopping or letter.due <= now)
        ]

    def _until_next(self) -> float | None:
        dues = [letter.due for letter in self._letters if letter.due is not None]
        return max(0.0, min(dues) - time.monotonic()) if dues else None


def _checked(rule: Rule) -> list[str]:
    """The rule's URLs, filled in.

    Raises:
        SettingsError: A variable isn't set, or nobody knows such a URL. It isn't told: it may
            hold a password.
    """
    from apprise import Apprise  # noqa: PLC0415 - 0.3 s, which workers don't need

    _hush()
    urls = [filled_in(url) for url in rule.to]
    with warnings.catch_warnings():
        # At its first URL apprise imports all its parts, some of which Python will drop one day.
        warnings.simplefilter("ignore", DeprecationWarning)
        known = [Apprise().add(url) for url in urls]
    for given, is_known in zip(rule.to, known, strict=True):
        if not is_known:
            scheme = given.partition("://")[0]
            raise SettingsError(
                f"plugins.notify: a URL that begins with {scheme}:// is none that apprise knows",
                "See https://github.com/caronc/apprise for how to write it.",
            )
    return urls


def _send(letter: _Letter, facts: Sequence[Fact]) -> None:
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 - see above

    sender = Apprise()
    for url in letter.urls:
        sender.add(url)
    bad = any(fact.subject == "failed" for fact in facts)
    try:
        sent = bool(
            sender.notify(
                title=title_of(facts),
                body=body_of(facts),
                notify_type=NotifyType.FAILURE if bad else NotifyType.INFO,
                body_format=NotifyFormat.TEXT,
            )
        )
    except Exception:  # noqa: BLE001 - its text may hold the URL
        sent = False
    if not sent:
        schemes = ", ".join(sorted({url.partition("://")[0] for url in letter.rule.to}))
        log.warning("%d facts could not be sent to %s", len(facts), schemes)


def _hush() -> None:
    """What apprise and its HTTP client log has URLs in it, with whatever secret is in those."""
    for name in ("apprise", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False
