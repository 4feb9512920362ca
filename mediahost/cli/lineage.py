"""`mediahost lineage`: what a file was made of, and what was made of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.output import place, print_json
from mediahost.cli.paths import as_on_disk
from mediahost.cli.state import state
from mediahost.model.paths import display

if TYPE_CHECKING:
    from mediahost.host.lineage import Link


def lineage(
    *,
    path: Annotated[
        str,
        typer.Argument(help="A file; it may be gone by now.", metavar="PATH", callback=as_on_disk),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which files a file was made of, and which were made of it.

    Artifacts of artifacts are followed, by content: it doesn't matter what a file is called.
    """
    with state.host() as host:
        known = host.lineage(path)
    if as_json:
        print_json(known.to_json())
        return
    shown = place(known.media_url)
    if not known.origins and not known.descendants:
        typer.echo(f"Nothing was made of {shown}, nor {shown} of anything, as far as is known")
    if known.origins:
        typer.echo(f"{shown} was made of")
        for link in known.origins:
            typer.echo(_indented(link, place(link.making.media_url)))
    if known.descendants:
        typer.echo(f"{shown} was made into")
        for link in known.descendants:
            for made, _ in link.making.made:
                typer.echo(_indented(link, place(made)))


def _indented(link: "Link", file: str) -> str:
    return "  " * link.depth + f"{file}  by {'  '.join(_by(link))}"


def _by(link: "Link") -> Iterator[str]:
    making = link.making
    version = "" if making.action_version is None else f" (version {making.action_version})"
    yield f"{making.action}{version}"
    config = ", ".join(f"{name}={value}" for name, value in making.config.items() if value)
    if config:
        yield display(config)
