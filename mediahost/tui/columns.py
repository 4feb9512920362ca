"""A job as one line of cells: which columns there are at a width, and what stands in them."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from mediahost.model.job import JobStatus
from mediahost.model.paths import display, url_to_path
from mediahost.store.browse import JobLine
from mediahost.tui import words
from mediahost.tui.signs import sign_of

Cell = tuple[str, str]  # text, name of a style

MARK, NUMBER, STATE, ACTION_LEAST, ACTION_MOST, TRY, TOOK, AGE = 2, 7, 13, 12, 22, 5, 9, 5
BAR = 8
MADE_OF = "↳ "
NARROW, WIDE = 70, 118


class Columns(NamedTuple):
    """How wide each column is, the space behind it included; 0: not shown."""

    number: int
    state: int
    action: int
    media: int
    note: int
    tries: int
    took: int
    age: int

    @classmethod
    def for_width(cls, width: int) -> "Columns":
        """The columns of a list that is so many cells wide."""
        wide, narrow = width >= WIDE, width < NARROW
        number = NUMBER + (2 if wide else 0)
        tries = 0 if narrow else TRY
        took = TOOK if wide else 0
        rest = max(0, width - MARK - number - STATE - tries - took - AGE)
        action = max(ACTION_LEAST, min(ACTION_MOST, rest * 3 // 10))
        note = 0 if narrow else (rest - action) * 4 // 10
        return cls(number, STATE, action, max(0, rest - action - note), note, tries, took, AGE)


def header(columns: Columns) -> str:
    """The names of the columns."""
    names = (
        ("JOB", columns.number),
        ("STATE", columns.state),
        ("ACTION", columns.action),
        ("MEDIA", columns.media),
        ("PROGRESS", columns.note),
        ("TRY", columns.tries),
        ("TOOK", columns.took),
    )
    text = "".join(words.fit(name, width) for name, width in names)
    return " " * MARK + text + words.right("AGE", columns.age - 1) + " "


def cells(
    job: JobLine, columns: Columns, now: datetime, *, attempts: int, marked: bool
) -> Iterator[Cell]:
    """The cells of a job's line."""
    sign = sign_of(job)
    yield (f"{'✓' if marked else ' '} ", "mark")
    yield (words.fit(str(job.number), columns.number), "number")
    state = f"{sign.glyph} {sign.word}"
    yield (words.fit(state, columns.state), sign.style)
    yield (words.fit(display(job.action), columns.action - 1) + " ", "action")
    if columns.media:
        yield (_media(job, columns.media - 1) + " ", "media")
    if columns.note:
        yield from _note(job, columns)
    if columns.tries:
        yield (words.fit(f"{job.attempt}/{max(attempts, job.attempt)}", columns.tries), "dim")
    if columns.took:
        yield (words.right(words.took(job.processing_time_ms), columns.took - 1) + " ", "dim")
    yield (words.right(words.age(job.created_at, now), columns.age - 1) + " ", "dim")


def _media(job: JobLine, width: int) -> str:
    """The media file; what an action made goes by the file that a person knows."""
    if job.origin_url is None:
        return words.media_name(job.media_url, width)
    return words.fit(MADE_OF + words.media_name(job.origin_url, width - len(MADE_OF)), width)


def _note(job: JobLine, columns: Columns) -> Iterator[Cell]:
    """How far it is, why it failed, that its turn is another one, or how long it took."""
    width, inner = columns.note, columns.note - 1
    if job.status is JobStatus.PROCESSING and job.fraction is not None:
        bar = min(BAR, inner - 5)
        if bar > 0:
            yield (words.bar(job.fraction, bar), "processing")
        share = f" {job.fraction:4.0%}"
        told = words.fit(f" {display(job.message or '')}", inner - max(bar, 0) - len(share))
        yield (share + told + " ", "dim")
    elif job.status is JobStatus.FAILED:
        yield (words.fit(display(_why(job)), inner) + " ", "error")
    elif job.status is JobStatus.COMPLETED and job.error:
        yield (words.fit(f"incomplete: {display(_why(job))}", inner) + " ", "cancelled")
    elif job.cached:
        yield (words.fit("cached", width), "cached")
    elif job.status is JobStatus.PENDING and job.priority:
        yield (words.fit(f"priority {job.priority}", inner) + " ", "dim")
    elif not columns.took:  # there is room for it here alone
        yield (words.fit(words.took(job.processing_time_ms), width), "dim")
    else:
        yield (" " * width, "dim")


def _why(job: JobLine) -> str:
    """Why it failed; that it is about this file is said beside it."""
    error = (job.error or "").partition("\n")[0]
    return error.removeprefix(f"{url_to_path(job.media_url).rpartition('/')[2]} ")


def placeholder(number: int, columns: Columns, width: int) -> Cell:
    """The line of a job that is still being read."""
    text = f"{' ' * MARK}{words.fit(str(number), columns.number)}…"
    return words.fit(text, width), "dim"
