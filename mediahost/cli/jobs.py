"""`mediahost jobs`: look at jobs and steer them."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from mediahost.cli.output import counted, local_time, print_json, print_table, seconds
from mediahost.cli.state import state
from mediahost.errors import UnknownName, UsageError
from mediahost.model.job import JobStatus, JobView
from mediahost.model.media import display, url_to_path

if TYPE_CHECKING:
    from mediahost.ports import Store

app = typer.Typer(help="List, show, cancel, retry and delete jobs.", no_args_is_help=True)

Names = Annotated[
    list[str],
    typer.Argument(help="Numbers or ids, as `jobs list` shows.", metavar="JOB..."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_jobs(
    *,
    status: Annotated[
        list[JobStatus] | None, typer.Option(help="Only these; may be given again.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest jobs."""
    store = state.store()
    jobs = store.jobs(statuses=status or (), limit=limit)
    if as_json:
        print_json([to_json(job) for job in jobs])
        return
    print_table(
        ("JOB", "STATUS", "ACTION", "MEDIA", "TRY", "TOOK", "CREATED"),
        (
            (
                str(job.number),
                _status(job),
                job.action,
                display(url_to_path(job.media_url)),
                str(job.attempt),
                "" if job.processing_time_ms is None else seconds(job.processing_time_ms),
                local_time(job.created_at),
            )
            for job in jobs
        ),
    )
    counts = store.count_jobs()
    typer.echo(", ".join(f"{counts.get(one, 0)} {one}" for one in JobStatus))


@app.command()
def show(*, job: Annotated[str, typer.Argument(metavar="JOB")], as_json: AsJson = False) -> None:
    """All about one job: its config, how it ended, its error, its result."""
    view = find(state.store(), job)
    if as_json:
        print_json(to_json(view))
        return
    took = view.processing_time_ms
    facts = {
        "job": f"{view.number} ({view.job_id})",
        "status": _status(view),
        "action": view.action,
        "media": display(url_to_path(view.media_url)),
        "config": _plain(view.parameters.get("config", {})),
        "file hash": view.file_hash,
        "config hash": view.config_hash,
        "source": view.source,
        "attempt": f"{view.attempt} ({counted(view.failures, 'failure')})",
        "created": local_time(view.created_at),
        "started": local_time(view.started_at),
        "ended": local_time(view.completed_at),
        "took": "" if took is None else seconds(took),
        "host": (view.host or "") if view.status is JobStatus.PROCESSING else "",
        "error": view.error or "",
        "log": _log_path(view),
    }
    width = max(map(len, facts))
    for name, value in facts.items():
        if value:
            typer.echo(f"{name:<{width}}  {value.replace(chr(10), chr(10) + ' ' * (width + 2))}")
    if view.result is not None:
        typer.echo(f"see its result with: mediahost results {display(url_to_path(view.media_url))}")


@app.command()
def cancel(*, jobs: Names, as_json: AsJson = False) -> None:
    """Cancel jobs: pending ones at once, running ones as soon as their host hears of it."""
    store = state.store()
    views = _find_all(store, jobs)
    after = store.request_cancel([view.job_id for view in views])
    answers = {view.number: _cancel_answer(view, after[view.job_id]) for view in views}
    _answer(answers, as_json=as_json)
    if any(view.status.final and view.status is not JobStatus.CANCELLED for view in views):
        raise typer.Exit(1)


@app.command()
def retry(*, jobs: Names, as_json: AsJson = False) -> None:
    """Make failed or cancelled jobs pending again. `mediahost work` or the next run does them."""
    store = state.store()
    views = _find_all(store, jobs)
    again = set(store.retry([view.job_id for view in views]))
    answers = {
        view.number: "pending again"
        if view.job_id in again
        else "not needed: another job is at the same already"
        for view in views
    }
    _answer(answers, as_json=as_json)
    if again and not as_json:
        typer.echo("run pending jobs with: mediahost work --drain")


@app.command()
def delete(*, jobs: Names, as_json: AsJson = False) -> None:
    """Delete jobs that are not running. Cached results stay."""
    store = state.store()
    views = _find_all(store, jobs)
    store.delete_jobs([view.job_id for view in views])
    _answer({view.number: "deleted" for view in views}, as_json=as_json)


def find(store: "Store", name: str) -> JobView:
    """The job with that number or id.

    Raises:
        UnknownName: There is none.
        UsageError: The name is neither number nor id.
    """
    try:
        job_id = UUID(name)
    except ValueError:
        if not name.isdecimal():
            raise UsageError(f"{name!r} is neither a job's number nor its id") from None
        found = store.job_numbered(int(name)) if len(name) < 19 else None  # noqa: PLR2004 - int64
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


def _find_all(store: "Store", names: Collection[str]) -> list[JobView]:
    return list({view.job_id: view for view in (find(store, name) for name in names)}.values())


def _answer(answers: dict[int, str], *, as_json: bool) -> None:
    if as_json:
        print_json({str(number): text for number, text in answers.items()})
        return
    for number, text in answers.items():
        typer.echo(f"job {number}: {text}")


def _cancel_answer(before: JobView, after: JobStatus) -> str:
    if before.status.final:
        return f"is {before.status} already"
    return "cancelled" if after is JobStatus.CANCELLED else "cancelling"


def _status(job: JobView) -> str:
    if job.status is not JobStatus.PROCESSING:
        return str(job.status)
    if job.cancel_requested:
        return "cancelling"
    return str(job.status) if job.progress is None else f"processing {job.progress:.0%}"


def _plain(config: Any) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in dict(config).items()) or "(none)"


def _log_path(job: JobView) -> str:
    from mediahost.host.artifacts import log_path
    from mediahost.model.job import Token

    path = log_path(state.settings().data_dir, Token(job.job_id, job.attempt))
    try:
        return str(path) if path.stat().st_size else ""
    except OSError:
        return ""
