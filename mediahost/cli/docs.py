"""`mediahost docs`: the pages of the documentation, as they were installed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mediahost.errors import UnknownName
from mediahost.installation import shipped


def docs(
    *,
    page: Annotated[
        str | None, typer.Argument(help="The page to show; none: list them.", metavar="PAGE")
    ] = None,
) -> None:
    """Show a page of the documentation."""
    pages = {path.stem: path for path in sorted(shipped("docs").glob("*.md"))}
    if page is None:
        width = max(map(len, pages))
        for name, path in pages.items():
            typer.echo(f"{name:{width}}  {_title(path)}")
        typer.echo(f"\nExamples, among them units for systemd: {shipped('examples')}")
        return
    if page not in pages:
        raise UnknownName("page", page, pages)
    text = pages[page].read_text("utf-8")
    if not sys.stdout.isatty():
        typer.echo(text, nl=False)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console()
    with console.pager(styles=True):
        console.print(Markdown(text))


def _title(page: Path) -> str:
    with page.open(encoding="utf-8") as lines:
        return next((line.lstrip("# ").strip() for line in lines if line.startswith("# ")), "")
