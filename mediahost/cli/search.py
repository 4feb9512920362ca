"""`mediahost search`: what was said, shown and written in the media files, and where."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli.output import MOST, clock, made_from, print_json, print_table
from mediahost.cli.state import state
from mediahost.errors import UsageError
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.model.search import Found

HINT = 'Give words, "words in a row", the beginning* of a word, or -words that must not be there.'

_UNITS_S = {"": 1.0, "s": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?([a-z]*)")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")


def search(
    *,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help='Words; "words in a row"; the beginning* of one; -words that are not there.',
            metavar="WORDS",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option("--label", "-l", help="Only what has this label: speech, scene, page..."),
    ] = None,
    at_least: Annotated[
        str | None,
        typer.Option("--min", help="Only what is this long at least: 2s, 500ms, 1:30."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="Only what ends after this: 90s, 1:30.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Only what begins before this: 90s, 1:30.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", max=MOST, help="At most so many.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find words in transcripts, documents, summaries and labels, or time ranges.

    All words must be in one sentence, page or summary. Without words, time ranges are listed.
    """
    from mediahost.host.lineage import origins_of
    from mediahost.model.search import Search, terms_of

    try:
        wanted = Search(
            # What is one argument of several words is what a person put between quotes.
            terms=terms_of(" ".join(words or ())),
            label=label and label.encode(errors="replace").decode(),
            min_s=seconds_of("--min", at_least),
            from_s=seconds_of("--from", begin),
            to_s=seconds_of("--to", end),
            limit=limit,
        )
    except ValueError as error:
        raise UsageError(str(error), HINT) from None
    with state.store() as store:
        found = store.search(wanted)
        origins = origins_of(store, {one.file_hash for one in found})
    if as_json:
        print_json([to_json(one, origins.get(one.file_hash)) for one in found])
    elif not found:
        typer.echo("Nothing was found")
    else:
        rows = [_row(one, origins.get(one.file_hash)) for one in found]
        print_table(("file", "where", "what", "text"), rows)


def to_json(one: "Found", origin: str | None) -> dict[str, Any]:
    """What was found as plain values, and the file that its file was made of, if it was."""
    facts = asdict(one)
    return {"media": facts.pop("media_url"), "made_from": origin, **facts}


def _row(one: "Found", origin: str | None) -> tuple[str, str, str, str]:
    file = made_from(one.media_url, origin or one.media_url)
    return (file, _where(one), display(one.label), display(_text(one)))


def _text(one: "Found") -> str:
    return " ".join((one.snippet or "").split())


def _where(one: "Found") -> str:
    if one.start_s is not None and one.end_s is not None:
        return f"{clock(one.start_s)} - {clock(one.end_s)}"
    return "" if one.page is None else f"page {one.page}"


def seconds_of(option: str, text: str | None) -> float | None:
    """A duration or a place in time as a person writes it: `2s`, `500ms`, `1:30`, `1:02:03.5`.

    Raises:
        UsageError: It is none.
    """
    if text is None:
        return None
    if at := _CLOCK.fullmatch(text):
        hours, minutes, rest = at.groups()
        return float(hours or 0) * 3600 + float(minutes) * 60 + float(rest)
    amount = _AMOUNT.fullmatch(text.lower())
    if amount is None or amount[2] not in _UNITS_S:
        raise UsageError(f"{option}: {text!r} is no time", "Write 2s, 500ms, 5m, 1h or 1:30.")
    return float(amount[1]) * _UNITS_S[amount[2]]
