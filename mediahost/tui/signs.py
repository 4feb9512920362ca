"""States as a sign, a word and a colour, each of which will do alone."""

from typing import NamedTuple

from mediahost.model.job import JobStatus
from mediahost.model.paths import display
from mediahost.store.browse import JobLine


class Sign(NamedTuple):
    """How a state looks.

    Attributes:
        glyph: One cell wide.
        word: What it is called.
        style: Name of its colour: a component class of the widgets.
    """

    glyph: str
    word: str
    style: str


SIGNS = {
    JobStatus.PROCESSING: Sign("▶", "processing", "processing"),
    JobStatus.PENDING: Sign("·", "pending", "pending"),
    JobStatus.FAILED: Sign("✖", "failed", "failed"),
    JobStatus.COMPLETED: Sign("✔", "completed", "completed"),
    JobStatus.CANCELLED: Sign("⊘", "cancelled", "cancelled"),
}
CANCELLING = Sign("◌", "cancelling", "cancelling")
STYLES = (*dict.fromkeys(sign.style for sign in SIGNS.values()), CANCELLING.style)


def sign_of(job: JobLine) -> Sign:
    """How the state of a job looks."""
    if job.status is JobStatus.PROCESSING and job.cancel_requested:
        return CANCELLING
    return sign_of_status(job.status)


def sign_of_status(status: JobStatus) -> Sign:
    """How a status looks. One that a newer mediahost wrote is shown by its word."""
    return SIGNS.get(status) or Sign("?", display(status), "pending")
