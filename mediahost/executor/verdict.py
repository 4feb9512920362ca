"""Verdicts: what to tell the user of an attempt whose worker is gone."""

import signal

from mediahost.executor.joblog import JobLog
from mediahost.model.job import Failure, Outcome
from mediahost.model.paths import display

Verdict = tuple[Outcome, Failure]


def cancelled() -> Verdict:
    """Somebody asked for it."""
    return Outcome.CANCELLED, Failure("Cancelled")


def timed_out(action: str, limit_s: float) -> Verdict:
    """It took too long."""
    return Outcome.TIMEOUT, Failure(
        f"{action} was ended after {limit_s:g} s, its time limit",
        "Give the action more time in its config or in the settings if the file is that long.",
    )


def too_large(action: str, used: int, limit: int) -> Verdict:
    """It took too much memory."""
    return Outcome.OOM, Failure(
        f"{action} was ended when it used {_gigabytes(used)} of memory; the limit is"
        f" {_gigabytes(limit)}",
        "Raise the memory limit of workers in the settings, or run fewer of them.",
        transient=True,
    )


def stopped(action: str) -> Verdict:
    """The executor was told to end."""
    return Outcome.LOST, Failure(f"The host stopped before {action} was done", transient=True)


def talked_nonsense(action: str, reason: str) -> Verdict:
    """The worker's messages can't be read, or say what can't be."""
    return Outcome.CRASHED, Failure(
        f"The worker broke its protocol while running {action}: {display(reason)}",
        "Something in the plugin wrote to a file descriptor that isn't its own.",
        transient=True,
    )


def not_sendable(action: str, error: Exception) -> Verdict:
    """The attempt can't even be described to a worker."""
    return Outcome.ERROR, Failure(f"The config of {action} can't be sent to a worker: {error}")


def not_started(python: str, reason: str) -> Verdict:
    """There is no worker to run it."""
    return Outcome.LOST, Failure(
        f"A worker could not be started with {python}: {reason}",
        "See what is wrong with: mediahost doctor",
        transient=True,
    )


def crashed(action: str, code: int | None, log: JobLog) -> Verdict:
    """The worker went away by itself.

    Args:
        action: What it was running.
        code: Its exit code as `subprocess` gives it, None if it isn't known.
        log: What it wrote.
    """
    hint = f"The last line of its output: {log.last_words}" if log.last_words else None
    if code == -signal.SIGKILL:
        hint = "The system may have run out of memory; run fewer workers at a time."
    return Outcome.CRASHED, Failure(
        f"The worker {how_it_ended(code)} while running {action}",
        hint,
        transient=True,
        traceback=log.tail,
    )


def lost_beside(action: str, why: str, others: int, log: JobLog) -> Verdict:
    """The worker that it shared went away, and it can't be told that this was its fault.

    Args:
        action: What it was.
        why: What became of the worker.
        others: How many shared it.
        log: What the worker wrote.
    """
    return Outcome.LOST, Failure(
        f"{action} was lost with the worker that it shared with {others} more: {why}",
        "It is no failure of the job's; its next attempt has a worker of its own.",
        transient=True,
        traceback=log.tail,
    )


def start_failed(python: str, code: int | None, log: JobLog) -> Verdict:
    """The worker went away before it was ready."""
    return not_started(python, log.last_words or f"it {how_it_ended(code)}")


def how_it_ended(code: int | None) -> str:
    """An exit code as `subprocess` gives it, in words."""
    if code is None:
        return "could not be ended"
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # a real-time signal
        name = str(-code)
    return f"was ended by signal {name}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
