"""`mediahost results` and `mediahost explain`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli import complete
from mediahost.cli.output import clock, local_time, place, print_json, seconds, size
from mediahost.cli.paths import as_on_disk
from mediahost.cli.state import state
from mediahost.errors import UsageError
from mediahost.model.kinds import kind_of
from mediahost.model.paths import display, is_remote

if TYPE_CHECKING:
    from mediahost.host.host import Host
    from mediahost.host.known import Known
    from mediahost.model.result import MediaAnalysisResult, MediaProcessingResult
    from mediahost.ports import StoredResult
    from mediahost.store import SqlStore
    from mediahost.watch.preview import Preview

MOST_RANGES = 20
MOST_ITEMS = 10

OnePath = Annotated[str, typer.Argument(help="A media file.", metavar="PATH", callback=as_on_disk)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def results(
    *,
    path: OnePath,
    action: Annotated[
        str | None,
        typer.Option(
            "--action",
            "-a",
            help="Only of this action.",
            metavar="NAME",
            autocompletion=complete.actions,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is stored about a file's content.

    It doesn't matter what the file is called or where it lies. What is stored about files that
    were made of it, such as its sound, follows; times are those in the file itself.
    """
    check_is_file(path)
    with state.host(browse=True) as host:
        found = [one for one in host.known(path) if action in (None, one.stored.action)]
    if as_json:
        print_json([to_json(one) for one in found])
        return
    if not found:
        about = f" of {action}" if action else ""
        typer.echo(f"Nothing{about} is stored for {display(path)}")
        typer.echo(f"Get something with: mediahost run {display(path)} --action NAME")
    for one in found:
        typer.echo("\n".join(in_words(one.stored, one.made_by)))


def explain(
    *,
    path: OnePath,
    action: Annotated[
        list[str] | None,
        typer.Option(
            "--action",
            "-a",
            help="This action with this config; may be given again.",
            metavar="NAME[:KEY=VALUE,...]",
            autocompletion=complete.actions,
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            "-p",
            help="The steps of this pipeline.",
            metavar="NAME",
            autocompletion=complete.pipelines,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say for each action whether its result is cached, and why not.

    A result is kept under the hash of the file and the hash of the action with its config; this
    names the part that differs.
    """
    from mediahost.cli.run import chosen_recipe

    check_is_file(path)

    host, store = state.watched_host()
    with host:
        watched = _by_watches(host, store, path)
        chosen = chosen_recipe(host, action or [], pipeline) if action or pipeline else None
        # A watch may know why it leaves out what is no media file at all.
        is_left_out = bool(watched) and kind_of(path) is None
        explained = [] if is_left_out else host.explain(path, chosen)
    if as_json:
        print_json([*(one.to_json() for one in explained), *(one.to_json() for one in watched)])
        return
    for by_watch in watched:
        typer.echo(_watch_line(by_watch))
    if not explained and not watched:
        typer.echo(f"No {'step' if chosen else 'installed action'} works on {display(path)}")
    for one in explained:
        typer.echo(f"{one.step}: {'cached' if one.cached else 'not cached'}")
        for reason in one.reasons:
            typer.echo(f"  {display(reason)}")


def _by_watches(host: "Host", store: "SqlStore", path: str) -> "list[Preview]":
    """What the watches whose folders hold the file would do with it."""
    if is_remote(path) or path.startswith("file:") or not store.watches():
        return []
    from mediahost.watch.preview import previews_of

    return previews_of(host, store, os.path.abspath(path))  # noqa: PTH100 - may not be UTF-8


def _watch_line(one: "Preview") -> str:
    """`watch inbox: done`, or why it is left out, or what is still to do."""
    from mediahost.model.watch import FileState

    name = f"watch {display(one.watch)}"
    if one.state is FileState.IGNORED:
        return f"{name}: left out, {display(one.reason)}"
    reason = f" ({display(one.reason.partition(chr(10))[0])})" if one.reason else ""
    to_do = f"; to do: {', '.join(one.to_do)}" if one.to_do else ""
    return f"{name}: {one.state or 'not seen'}{reason}{to_do}"


def check_is_file(path: str) -> None:
    """Refuse what is no file.

    Raises:
        UsageError: There is none, or it is a folder.
    """
    if is_remote(path) or path.startswith("file:"):
        return
    if not os.path.lexists(path):
        raise UsageError(f"There is no file {display(path)}")
    if os.path.isdir(path):  # noqa: PTH112 - keeps names that aren't UTF-8
        raise UsageError(f"{display(path)} is a folder", "Name one file in it.")


def to_json(known: "Known") -> dict[str, Any]:
    """A stored result as plain values."""
    one = known.stored
    return {
        "action": one.action,
        "action_version": one.action_version,
        "config": dict(one.config),
        "media": one.media_url,
        "made_by": list(known.made_by),
        "file_hash": one.hit.key.file_hash,
        "config_hash": one.hit.key.config_hash,
        "result_hash": one.hit.result_hash,
        "elapsed_ms": one.hit.elapsed_ms,
        "created_at": datetime.fromtimestamp(one.created_at, UTC).isoformat(),
        "incomplete": one.hit.missing or None,
        "result": one.result.model_dump(mode="json"),
    }


def in_words(one: "StoredResult", made_by: Sequence[str] = ()) -> Iterator[str]:
    """A stored result as a person would want to read it.

    Args:
        one: The result.
        made_by: The actions that made the file that it is about; none: it is the one asked for.
    """
    when = local_time(datetime.fromtimestamp(one.created_at, UTC))
    config = ", ".join(f"{name}={value}" for name, value in one.config.items() if value is not None)
    about = f" of what {' and '.join(made_by)} made" if made_by else ""
    yield f"{one.action}{about}  ({when}, took {seconds(one.hit.elapsed_ms)})"
    if config:
        yield f"  config: {display(config)}"
    if not one.result.completeness.complete:
        yield f"  incomplete: {display(one.result.completeness.describe())}"
    yield from _facts(one.result.metadata, "  ")
    if one.result.kind == "analysis":
        yield from _ranges(one.result)
    else:
        yield from _artifacts(one.result)


def _ranges(result: "MediaAnalysisResult") -> Iterator[str]:
    for at in result.ranges[:MOST_RANGES]:
        sure = "" if at.confidence is None else f"  {at.confidence:.0%}"
        payload = f"  {display(str(at.payload))}" if at.payload else ""
        yield f"  {clock(at.start)} - {clock(at.end)}  {display(at.label)}{sure}{payload}"
    if len(result.ranges) > MOST_RANGES:
        yield f"  ... and {len(result.ranges) - MOST_RANGES} more (--json shows all)"
    if result.transcription:
        said = result.transcription
        yield f"  transcript ({said.provider}): {display(said.text)}"
    if result.analysis and result.analysis.summary:
        yield f"  {result.analysis.analysis_type}: {display(result.analysis.summary)}"


def _artifacts(result: "MediaProcessingResult") -> Iterator[str]:
    for artifact in result.artifacts:
        kind = f"{artifact.asset_type}, {artifact.mime_type}, {size(artifact.size)}"
        yield f"  -> {place(str(artifact.path))}  ({kind})"


def _facts(facts: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Nested plain values as indented lines; what is empty or unknown is left out."""
    for name, value in facts.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            yield f"{indent}{display(name)}:"
            yield from _facts(value, indent + "  ")
        elif isinstance(value, list):
            yield from _listing(name, value, indent)
        else:
            shown = f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
            yield f"{indent}{display(name)}: {display(str(shown))}"


def _listing(name: str, items: list[Any], indent: str) -> Iterator[str]:
    if not any(isinstance(item, Mapping) for item in items):
        shown = ", ".join(display(str(item)) for item in items[:MOST_ITEMS])
        more = f", ... ({len(items)} in all)" if len(items) > MOST_ITEMS else ""
        yield f"{indent}{display(name)}: {shown}{more}"
        return
    yield f"{indent}{display(name)}:"
    for item in items[:MOST_ITEMS]:
        facts = [
            f"{key}={value}"
            for key, value in dict(item).items()
            if value not in (None, "", [], {}) and not isinstance(value, Mapping)
        ]
        yield f"{indent}  - {display(', '.join(facts))}"
    if len(items) > MOST_ITEMS:
        yield f"{indent}  ... and {len(items) - MOST_ITEMS} more"
