"""`mediahost jobs cancel`, `retry`, `delete` and `priority`: what is to become of jobs."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from mediahost.cli import complete
from mediahost.cli.jobs import AsJson, filter_of, find
from mediahost.cli.output import counted, print_json
from mediahost.cli.state import state
from mediahost.errors import UsageError
from mediahost.model.job import HIGHEST_PRIORITY, LOWEST_PRIORITY, JobStatus, JobView

if TYPE_CHECKING:
    from mediahost.store import SqlStore

EVERY_JOB = 1 << 31
MOST_ANSWERS = 20
# Turns are changed so many at a time, so that a host's transactions come in between.
BATCH = 2000
WIDEST_STEP = HIGHEST_PRIORITY - LOWEST_PRIORITY

UNFINISHED = (JobStatus.PENDING, JobStatus.PROCESSING)
TRY_AGAIN = (JobStatus.FAILED, JobStatus.CANCELLED)
IDLE = tuple(status for status in JobStatus if status is not JobStatus.PROCESSING)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Numbers or ids, as `jobs list` shows.",
        metavar="JOB",
        autocompletion=complete.jobs,
    ),
]
Statuses = Annotated[
    list[JobStatus] | None,
    typer.Option("--status", "-s", help="Every job of this status; may be given again."),
]
Filter = Annotated[
    str | None,
    typer.Option(
        "--filter",
        "-f",
        help="Of the jobs that it lets through those that this is for.",
        metavar="FILTER",
    ),
]


def cancel(
    *,
    jobs: Names = None,
    status: Statuses = None,
    filter_text: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Cancel jobs; running ones stop as soon as their host hears of it."""
    with state.store() as store:
        views = _chosen(store, jobs, status, filter_text, UNFINISHED)
        after = store.request_cancel([view.job_id for view in views])
    answers = {view.number: _cancel_answer(view, after.get(view.job_id)) for view in views}
    _answer(answers, as_json=as_json)
    if any(view.status.final and view.status is not JobStatus.CANCELLED for view in views):
        raise typer.Exit(1)


def retry(
    *,
    jobs: Names = None,
    status: Statuses = None,
    filter_text: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Make failed or cancelled jobs pending again."""
    with state.store() as store:
        views = _chosen(store, jobs, status, filter_text, TRY_AGAIN)
        again = set(store.retry([view.job_id for view in views]))
    answers = {
        view.number: "pending again"
        if view.job_id in again
        else "not needed: another job is at the same already"
        for view in views
    }
    _answer(answers, as_json=as_json)
    if not as_json and any(view.action for view in views if view.job_id in again):
        typer.echo("Run pending jobs with: mediahost work --drain")


def delete(
    *,
    jobs: Names = None,
    status: Statuses = None,
    filter_text: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Delete jobs that are not running; cached results stay."""
    with state.store() as store:
        views = _chosen(store, jobs, status, filter_text, IDLE)
        store.delete_jobs([view.job_id for view in views])
    _answer({view.number: "deleted" for view in views}, as_json=as_json)


def priority(
    *,
    jobs: Names = None,
    to: Annotated[
        int | None,
        typer.Option(
            min=LOWEST_PRIORITY, max=HIGHEST_PRIORITY, help="What it is to be; 0 is the usual."
        ),
    ] = None,
    by: Annotated[
        int | None,
        typer.Option(
            min=-WIDEST_STEP, max=WIDEST_STEP, help="So much higher than it is; less than 0: lower."
        ),
    ] = None,
    status: Statuses = None,
    filter_text: Filter = None,
    as_json: AsJson = False,
) -> None:
    """Change the turn of pending jobs: within a source a higher priority goes first."""
    given = [number for number in (to, by) if number is not None]
    if len(given) != 1:
        raise UsageError(
            "Say --to which priority, or --by how much: one of the two",
            "Such as: mediahost jobs priority 12 --to 5",
        )
    after: dict[UUID, int] = {}
    with state.store() as store:
        views = _chosen(store, jobs, status, filter_text, (JobStatus.PENDING,))
        ids = [view.job_id for view in views]
        for at in range(0, len(ids), BATCH):
            after |= store.change_priority(ids[at : at + BATCH], *given, relative=to is None)
    answers = {view.number: _turn_answer(view, after.get(view.job_id)) for view in views}
    _answer(answers, as_json=as_json)
    if len(after) < len(views):
        raise typer.Exit(1)


def _chosen(
    store: "SqlStore",
    names: Collection[str] | None,
    statuses: Collection[JobStatus] | None,
    filter_text: str | None,
    concerned: Collection[JobStatus],
) -> list[JobView]:
    """The jobs that are named; of a filter's those whose status is one of the concerned.

    Raises:
        UnknownName: One that is named is not there.
        UsageError: They are named in several ways or in none, or not so that it is understood.
    """
    if bool(names) + bool(statuses) + (filter_text is not None) != 1:
        raise UsageError(
            "Name jobs, or give a --status or a --filter: one of the three",
            "See: mediahost jobs list",
        )
    if statuses:
        return store.jobs(statuses=statuses, limit=EVERY_JOB)
    if filter_text is not None:
        ids = store.browse().ids(filter_of(filter_text), None, concerned)
        return sorted(store.get_jobs(ids).values(), key=lambda view: -view.number)
    found = (find(store, name) for name in names or ())
    return list({view.job_id: view for view in found}.values())


def _answer(answers: dict[int, str], *, as_json: bool) -> None:
    if as_json:
        print_json({str(number): text for number, text in answers.items()})
    elif len(answers) <= MOST_ANSWERS:
        for number, text in answers.items():
            typer.echo(f"job {number}: {text}")
        if not answers:
            typer.echo("There are no such jobs.")
    else:
        texts = list(answers.values())
        for text in dict.fromkeys(texts):
            typer.echo(f"{counted(texts.count(text), 'job')}: {text}")


def _cancel_answer(before: JobView, after: JobStatus | None) -> str:
    if before.status.final:
        return f"is {before.status} already"
    if after is JobStatus.PROCESSING:
        return "cancelling"
    return "cancelled" if after is JobStatus.CANCELLED else f"is {before.status}, as before"


def _turn_answer(before: JobView, after: int | None) -> str:
    if after is not None:
        return f"has priority {after}"
    now = "no longer pending" if before.status is JobStatus.PENDING else f"{before.status} already"
    return f"is {now}; only pending jobs wait for their turn"
