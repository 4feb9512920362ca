"""A digest: many facts in one message."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediahost.model.event import Event
from mediahost.model.paths import display

MOST_LINES = 10
MOST_CHARS = 200

_SIGNS = {"completed": "✔", "failed": "✖", "cancelled": "○"}

# States of a watched folder in which a person should look after it.
_TROUBLES = frozenset({"resting", "missing", "faulty", "paused", "degraded"})


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to tell.

    Attributes:
        subject: completed, failed, cancelled or finished; idle or watch: of a watched folder.
        line: The same for a person.
    """

    subject: str
    line: str


def fact_of(event: Event) -> Fact:
    """What an event says of one job."""
    name = display(os.path.basename(event.media_url.partition("?")[0]))  # noqa: PTH119 - or a URL
    about = f": {display(event.message.splitlines()[0])}" if event.message else ""
    line = f"{_SIGNS[event.kind]} {event.action} {name}{about}"
    return Fact(str(event.kind), line[:MOST_CHARS])


def fact_of_run(summary: Mapping[str, Any]) -> Fact:
    """What a summary says of a run."""
    counts = [f"{number:,} {state}" for state, number in summary["counts"].items() if number]
    if summary["problems"]:
        counts.append(f"{summary['problems']:,} not usable")
    told = ", ".join(counts) or "nothing to do"
    return Fact("finished", f"A run has finished: {told} in {summary['seconds']:.0f} s")


def fact_of_watch(watch: str, state: str, reason: str) -> Fact | None:
    """What is worth telling of a watched folder; None: nothing."""
    about = f": {display(reason.splitlines()[0])}" if reason else ""
    if state == "idle":
        return Fact("idle", f"✔ {display(watch)} has no files left{about}"[:MOST_CHARS])
    if state in _TROUBLES:
        return Fact("watch", f"✖ {display(watch)} is {state}{about}"[:MOST_CHARS])
    return None


def title_of(facts: Sequence[Fact]) -> str:
    """What it comes to."""
    counts = Counter(fact.subject for fact in facts)
    finished = counts.pop("finished", 0)
    parts = [f"{number:,} {subject}" for subject, number in counts.most_common()]
    return f"mediahost: {', '.join(parts) if parts else _runs(finished)}"


def body_of(facts: Sequence[Fact]) -> str:
    """The first of them, line by line, and how many more there are."""
    runs = [fact.line for fact in facts if fact.subject == "finished"]
    jobs = [fact.line for fact in facts if fact.subject != "finished"]
    more = [f"... and {len(jobs) - MOST_LINES:,} more"] if len(jobs) > MOST_LINES else []
    return "\n".join([*runs[-MOST_LINES:], *jobs[:MOST_LINES], *more])


def _runs(number: int) -> str:
    return "a run has finished" if number == 1 else f"{number:,} runs have finished"
