"""What the tabs Summary, Attempts and Config say about a job."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from mediahost.model.job import AttemptView, JobStatus, JobView
from mediahost.model.paths import display, url_to_path
from mediahost.tui.facts import facts
from mediahost.tui.signs import CANCELLING, sign_of_status
from mediahost.tui.words import age, size, took


def summary(job: JobView, colors: dict[str, str], now: datetime | None = None) -> Text:
    """Where a job stands, on what, since when; and why it failed."""
    now = now or datetime.now(UTC)
    cancelling = job.status is JobStatus.PROCESSING and job.cancel_requested
    sign = CANCELLING if cancelling else sign_of_status(job.status)
    color = colors[_COLORS[sign.style]].removeprefix("ansi_")
    head = Text.assemble(
        (f"{sign.glyph} {sign.word}", f"bold {color}" if color != "default" else "bold"),
        f"  {display(job.action_name)}",
        (f"  job {job.number}", ""),
    )
    if job.cached:
        head.append("  cached")
    if job.progress is not None and not job.status.final:
        head.append(f"  {job.progress:.0%} {display(job.progress_message)}")
    lines = [head, facts(_standing(job, now))]
    if job.error:
        error, _, hint = job.error.partition("\n")
        lacking = job.status is JobStatus.COMPLETED
        shade = colors["warning" if lacking else "error"].removeprefix("ansi_")
        told = f"incomplete: {display(error)}" if lacking else display(error)
        lines[1:1] = [Text(told, style=f"bold {shade}")]
        if hint:
            lines[2:2] = [Text(display(hint))]
    return Text("\n").join(lines)


_COLORS = {
    "processing": "primary",
    "pending": "foreground",
    "failed": "error",
    "completed": "success",
    "cancelled": "warning",
    "cancelling": "warning",
}


def _standing(job: JobView, now: datetime) -> dict[str, object]:
    return {
        "media": display(url_to_path(job.media_url)),
        "took": took(job.processing_time_ms),
        "attempt": f"{job.attempt}, of them failed: {job.failures}",
        "created": moment(job.created_at, now),
        "started": moment(job.started_at, now),
        "ended": moment(job.completed_at, now),
        # Of a run, the rest is the name of its host.
        "source": job.source.partition("/")[0] if "@" in job.source else job.source,
        "priority": job.priority or "",
        "host": job.host if job.status is JobStatus.PROCESSING else "",
        "file hash": job.file_hash,
        "config hash": job.config_hash,
        "id": str(job.job_id),
    }


def moment(when: datetime | None, now: datetime) -> str:
    """A time of day here, and how long ago."""
    if when is None:
        return ""
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S} ({age(when, now)} ago)"


def config(job: JobView) -> Text:
    """The config as JSON, as it may be given to `--action`."""
    values = dict(job.config)
    written = json.dumps(values, indent=2, ensure_ascii=False)
    shown = "\n".join(display(line) for line in written.splitlines())
    return Text(shown if values else "(no fields)")


def attempts(
    job: JobView,
    tried: Iterable[AttemptView],
    logs: Iterable[tuple[int, Path]],
    now: datetime | None = None,
) -> Text:
    """Each attempt: how it ended, why, and its log."""
    now = now or datetime.now(UTC)
    if not job.attempt:
        return Text("No attempt has begun yet.")
    by_number = {one.attempt: one for one in tried}
    lines = [
        Text(f"{_counted(job.attempt, 'attempt')}, {_counted(job.failures, 'failure')}", "bold")
    ]
    for number, path in logs:
        one = by_number.get(number)
        if one is not None:
            lines += _ended(one, now)
        else:
            lines.append(
                Text(f"{number:>4}  {job.status if number == job.attempt else 'no result'}")
            )
        try:
            log = f"log of {size(path.stat().st_size)}  {display(path)}"
        except OSError:
            log = "no log"
        lines.append(Text(f"      {log}", style="dim"))
    return Text("\n").join(lines)


def _ended(one: AttemptView, now: datetime) -> Iterator[Text]:
    """How an attempt ended that gave no result, and what came of that."""
    elapsed = f" after {took(one.elapsed_ms)}" if one.elapsed_ms else ""
    again = (
        ""
        if one.retry_in_s is None
        else f", tried again {took(round(one.retry_in_s * 1000))} later"
    )
    ended = moment(one.ended_at, now)
    yield Text.assemble((f"{one.attempt:>4}  {one.outcome}", "bold"), f"{elapsed}{again}  {ended}")
    for line in one.error.splitlines():
        yield Text(f"      {display(line)}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
