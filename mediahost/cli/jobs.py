"""`mediahost jobs`: look at jobs."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from mediahost.cli import complete
from mediahost.cli.output import (
    MOST,
    counted,
    examples,
    local_time,
    paragraph,
    paused,
    place,
    print_json,
    print_table,
    seconds,
)
from mediahost.cli.state import state
from mediahost.errors import UnknownName, UsageError
from mediahost.model.job import AttemptView, JobStatus, JobView
from mediahost.model.paths import display, path_to_url, url_to_path

if TYPE_CHECKING:
    from mediahost.model.job_filter import JobFilter
    from mediahost.ports import Store
    from mediahost.store import SqlStore

INT64_DIGITS = 18

app = typer.Typer(
    help="List, show, cancel, retry, pause and delete jobs, change their turn; read their logs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

OneJob = Annotated[
    str,
    typer.Argument(
        help="Its number or id, as `jobs list` shows.",
        metavar="JOB",
        autocompletion=complete.jobs,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("jobs list --status failed", "jobs list --limit 10 --json"))
def list_jobs(
    *,
    status: Annotated[
        list[JobStatus] | None,
        typer.Option("--status", "-s", help="Only of this status; may be given again."),
    ] = None,
    filter_text: Annotated[
        str | None,
        typer.Option(
            "--filter", "-f", help="Such as 'state:failed age<2d \"no audio\"'.", metavar="FILTER"
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=MOST, help="At most so many.")
    ] = 50,
    plain: Annotated[
        bool, typer.Option("--plain", help="A sentence for each job, as a screen reader likes it.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Then a line for each change, until interrupted.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the newest jobs."""
    if plain or watch:
        _tell(filter_of(filter_text or "", status or ()), limit, watch=watch, as_json=as_json)
        return
    with state.store(browse=True) as store:
        if filter_text is None:
            jobs = store.jobs(statuses=status or (), limit=limit)
        else:
            jobs = _filtered(store, filter_text, status or (), limit)
        counts = {one: number for one, number in store.count_jobs().items() if number}
        pauses = store.pauses()
    if as_json:
        print_json([to_json(job) for job in jobs])
        return
    if not counts:
        typer.echo("There are no jobs yet. Make some with: mediahost run PATH --action NAME")
        return
    if jobs:
        print_table(
            ("JOB", "STATUS", "ACTION", "MEDIA", "TRY", "TOOK", "CREATED"), map(_cells, jobs)
        )
    if filter_text is not None:
        typer.echo(f"{counted(len(jobs), 'job')} shown")
        return
    asked = sum(counts.get(one, 0) for one in status or counts)
    shown = f" (the newest {len(jobs)} are shown)" if asked > len(jobs) else ""
    in_all = ", ".join(f"{counts[one]:,} {one}" for one in counts)
    typer.echo(f"{in_all}{shown}")
    if pauses:
        typer.echo(paused(pauses))


def _tell(wanted: "JobFilter", limit: int, *, watch: bool, as_json: bool) -> None:
    """Jobs line by line, the oldest first, and then what changes."""
    from mediahost.cli import job_watch
    from mediahost.store.browse import Order

    with state.store(browse=True) as store:
        before = store.changes() if watch else None
        for line in reversed(store.browse().first(wanted, Order.NEWEST, limit)):
            typer.echo(job_watch.as_line(line, as_json=as_json))
        if before is not None:
            job_watch.watch(store, wanted, before, as_json=as_json)


def _filtered(
    store: "SqlStore", text: str, statuses: Collection[JobStatus], limit: int
) -> list[JobView]:
    """The newest jobs that a filter lets through.

    Raises:
        UsageError: It can't be understood.
    """
    from mediahost.store.browse import Order

    lines = store.browse().first(filter_of(text, statuses), Order.NEWEST, limit)
    views = store.get_jobs([line.job_id for line in lines])
    return [views[line.job_id] for line in lines if line.job_id in views]


def filter_of(text: str, statuses: Collection[JobStatus] = ()) -> "JobFilter":
    """What a filter means, and one of these statuses besides.

    Raises:
        UsageError: It can't be understood.
    """
    from mediahost.model.job_filter import InvalidFilter, JobFilter

    words = f"state:{','.join(statuses)} {text}" if statuses else text
    try:
        return JobFilter.parse(words)
    except InvalidFilter as error:
        raise UsageError(error.message, error.hint) from None


def _cells(job: JobView) -> tuple[str, ...]:
    took = job.processing_time_ms
    return (
        str(job.number),
        _status(job),
        display(job.action_name),
        place(job.media_url),
        str(job.attempt),
        "" if took is None else seconds(took),
        local_time(job.created_at),
    )


@app.command(epilog=examples("jobs show 12"))
def show(*, job: OneJob, as_json: AsJson = False) -> None:
    """Show all about one job: its config, how it ended, its error, its log."""
    with state.store(browse=True) as store:
        view = find(store, job)
        attempts = store.attempts_of(view.job_id)
    log = _log_path(view)
    if as_json:
        tried = [_attempt_to_json(one) for one in attempts]
        print_json({**to_json(view), "log": path_to_url(log) if log else None, "attempts": tried})
        return
    took = view.processing_time_ms
    facts = {
        "job": f"{view.number} ({view.job_id})",
        "status": _status(view),
        "action": display(view.action_name),
        "media": display(url_to_path(view.media_url)),
        "config": display(_plain(view.config)),
        "file hash": view.file_hash,
        "config hash": view.config_hash,
        "source": view.source,
        "priority": str(view.priority) if view.priority else "",
        "attempt": f"{view.attempt} ({counted(view.failures, 'failure')})",
        "created": local_time(view.created_at),
        "started": local_time(view.started_at),
        "ended": local_time(view.completed_at),
        "took": "" if took is None else seconds(took),
        "host": (view.host or "") if view.status is JobStatus.PROCESSING else "",
        ("incomplete" if view.status is JobStatus.COMPLETED else "error"): paragraph(
            view.error or ""
        ),
        **{f"attempt {one.attempt}": _tried(one) for one in attempts},
        "log": display(log),
    }
    width = max(map(len, facts))
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<{width}}  {value.replace(chr(10), chr(10) + ' ' * (width + 2))}")
    if log:
        typer.echo(f"Read the log with: mediahost jobs log {view.number}")
    if view.status is JobStatus.COMPLETED:
        typer.echo(f"See its result with: mediahost results {place(view.media_url)}")
    elif view.status.final:
        typer.echo(f"Try it again with: mediahost jobs retry {view.number}")


def find(store: "Store", name: str) -> JobView:
    """The job with that number or id.

    Raises:
        UnknownName: There is none.
        UsageError: The name is neither number nor id.
    """
    try:
        job_id = UUID(name)
    except ValueError:
        if not (name.isascii() and name.isdecimal()):
            raise UsageError(
                f"{name!r} is neither a job's number nor its id", "See: mediahost jobs list"
            ) from None
        found = store.job_numbered(int(name)) if len(name) <= INT64_DIGITS else None
    else:
        found = store.get_jobs([job_id]).get(job_id)
    if found is None:
        raise UnknownName("job", name, (), "See them with: mediahost jobs list")
    return found


def to_json(job: JobView) -> dict[str, Any]:
    """A job as plain values."""
    from dataclasses import asdict

    data = asdict(job)
    for name, value in data.items():
        if hasattr(value, "isoformat"):
            data[name] = value.isoformat()
    return {**data, "job_id": str(job.job_id), "status": str(job.status)}


def _tried(attempt: AttemptView) -> str:
    """How an attempt ended, and what came of that."""
    took = f" after {seconds(attempt.elapsed_ms)}" if attempt.elapsed_ms else ""
    again = attempt.retry_in_s
    next_one = "" if again is None else f", tried again {seconds(again * 1000)} later"
    trace = f"\n{paragraph(attempt.traceback)}" if attempt.traceback else ""
    first_line = f"{attempt.outcome}{took}{next_one} ({local_time(attempt.ended_at)})"
    return f"{first_line}\n{paragraph(attempt.error)}{trace}"


def _attempt_to_json(attempt: AttemptView) -> dict[str, Any]:
    from dataclasses import asdict

    ended_at = attempt.ended_at.isoformat()
    return {**asdict(attempt), "outcome": str(attempt.outcome), "ended_at": ended_at}


def _status(job: JobView) -> str:
    if job.status is JobStatus.PENDING and job.priority:
        return f"pending (priority {job.priority})"
    if job.status is not JobStatus.PROCESSING:
        return str(job.status)
    if job.cancel_requested:
        return "cancelling"
    return str(job.status) if job.progress is None else f"processing {job.progress:.0%}"


def _plain(config: Any) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in dict(config).items()) or "(none)"


def _log_path(job: JobView) -> str:
    """Where the log of the last attempt is; empty if it wrote nothing."""
    from mediahost.host.artifacts import log_path
    from mediahost.model.job import Token

    path = log_path(state.settings().data_dir, Token(job.job_id, job.attempt))
    try:
        return str(path) if path.stat().st_size else ""
    except OSError:
        return ""
