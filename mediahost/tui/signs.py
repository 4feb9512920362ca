"""States as a sign, a word and a colour, each of which will do alone."""

from typing import NamedTuple

from mediahost.model.job import JobStatus
from mediahost.store.browse import JobLine


class Sign(NamedTuple):
    """How a state looks.

    Attributes:
        glyph, plain: One cell wide; `plain` is ASCII.
        word: What it is called.
        style: Name of its colour: a component class of the widgets.
    """

    glyph: str
    plain: str
    word: str
    style: str


SIGNS = {
    JobStatus.PROCESSING: Sign("▶", ">", "processing", "processing"),
    JobStatus.PENDING: Sign("·", ".", "pending", "pending"),
    JobStatus.FAILED: Sign("✖", "x", "failed", "failed"),
    JobStatus.COMPLETED: Sign("✔", "+", "completed", "completed"),
    JobStatus.CANCELLED: Sign("⊘", "o", "cancelled", "cancelled"),
}
CANCELLING = Sign("◌", "~", "cancelling", "cancelling")
STYLES = (*dict.fromkeys(sign.style for sign in SIGNS.values()), CANCELLING.style)


def sign_of(job: JobLine) -> Sign:
    """How the state of a job looks."""
    if job.status is JobStatus.PROCESSING and job.cancel_requested:
        return CANCELLING
    return SIGNS[job.status]


def glyph_of(sign: Sign, *, ascii_only: bool) -> str:
    """The sign's glyph for what the terminal can show."""
    return sign.plain if ascii_only else sign.glyph
