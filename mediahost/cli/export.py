"""`mediahost export`: what is stored about a file, as other programs read it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from mediahost.cli import complete
from mediahost.cli.export_formats import FORMATS, Film, Mark
from mediahost.cli.output import counted, print_json, print_text
from mediahost.cli.results import AsJson, OnePath, check_is_file, to_json
from mediahost.cli.state import state
from mediahost.errors import UnknownName, UsageError
from mediahost.model.cues import cues_of
from mediahost.model.paths import display, path_to_url
from mediahost.model.subtitles import Cue, SubtitleFormat, subtitles_as
from mediahost.partfile import write_text

if TYPE_CHECKING:
    from mediahost.host.known import Known
    from mediahost.ports import StoredResult

NAMES = ("json", *FORMATS)


def export(
    *,
    path: OnePath,
    format_name: Annotated[
        str, typer.Option("--format", "-f", help=f"One of {', '.join(NAMES)}.", metavar="FORMAT")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write it there; else it is printed.", metavar="FILE"),
    ] = None,
    action: Annotated[
        str | None,
        typer.Option(
            "--action",
            "-a",
            help="Only what this action found.",
            metavar="NAME",
            autocompletion=complete.actions,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export what is stored about a file's content: subtitles, labels, edit lists, tables.

    Nothing is computed: `mediahost run` does that. What no action found in the file itself is
    taken from what was made of it, such as its sound.
    """
    if format_name not in NAMES:
        raise UnknownName("format", format_name, NAMES)
    check_is_file(path)
    if output and output.exists() and output.samefile(path):
        raise UsageError(f"{display(output)} is the media file itself", "Name another file.")
    with state.host(browse=True) as host:
        known = host.known(path)
    wanted = [one for one in known if action in (None, one.stored.action)]
    text, number = _text(path, wanted, format_name)
    if number == 0:
        what = f" of {action}" if action else ""
        raise UsageError(
            f"Nothing{what} is stored for {display(path)} that {format_name} could hold",
            "Get something with: mediahost run FILE --action NAME",
        )
    if output is None:
        print_text(text)
        return
    write_text(output, text)
    if as_json:
        print_json({"path": path_to_url(output.absolute()), "format": format_name, "items": number})
    else:
        typer.echo(f"{display(output)}: {counted(number, 'item')}")


def _nearest(known: "Sequence[Known]") -> "list[StoredResult]":
    """What each action found in the file itself, or else in the nearest that was made of it."""
    nearest: dict[str, tuple[str, ...]] = {}
    return [
        one.stored
        for one in known
        if nearest.setdefault(one.stored.action, one.made_by) == one.made_by
    ]


def _text(path: str, known: "Sequence[Known]", format_name: str) -> tuple[str, int]:
    if format_name == "json":
        import json

        return json.dumps([to_json(one) for one in known], indent=2) + "\n", len(known)
    found = _nearest(known)
    if format_name in get_args(SubtitleFormat):
        cues = _subtitles(found)
        if cues:
            return subtitles_as(cast("SubtitleFormat", format_name), cues), len(cues)
    marks = sorted(_marks(found), key=lambda mark: (mark.start, mark.end))
    return FORMATS[format_name](marks, _film(path, found)), len(marks)


def _marks(found: "Sequence[StoredResult]") -> Iterator[Mark]:
    for one in found:
        if one.result.kind != "analysis":
            continue
        for at in one.result.ranges:
            payload = dict(at.payload)
            # A chapter has a title.
            text = str(payload.pop("text", "") or payload.pop("title", ""))
            yield Mark(at.start, at.end, at.label, text, one.action, at.confidence, payload)
        if not one.result.ranges:
            for cue in cues_of(one.result):
                yield Mark(cue.start, cue.end, "speech", " ".join(cue.lines), one.action)


def _subtitles(found: "Sequence[StoredResult]") -> list[Cue]:
    """Those of the newest transcription."""
    cut = (cues_of(one.result) for one in found if one.result.kind == "analysis")
    return next(filter(None, cut), [])


def _film(path: str, found: "Sequence[StoredResult]") -> Film:
    """Length and frame rate, if an action told them, as `av.probe` does."""
    duration: float | None = None
    fps: float | None = None
    for one in found:
        facts: dict[str, Any] = one.result.metadata
        if duration is None and isinstance(facts.get("duration"), int | float):
            duration = float(facts["duration"])
        streams = facts.get("streams")
        for stream in streams if isinstance(streams, list) else ():
            rate = stream.get("frame_rate") if isinstance(stream, dict) else None
            fps = fps or (float(rate) if isinstance(rate, int | float) else None)
    return Film(Path(os.path.abspath(path)), duration, fps)  # noqa: PTH100 - may not be UTF-8
