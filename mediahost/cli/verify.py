"""`mediahost verify`: read everything again and say what is no longer what it was."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from mediahost.cli.output import print_json
from mediahost.cli.state import state
from mediahost.errors import UsageError
from mediahost.model.paths import display, path_to_url

EXIT_LOST = 1


def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Only these files, and those in and below these folders."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read media files and artifacts again and say which changed, are missing, or rotten."""
    from mediahost.cli.pages import counting
    from mediahost.host.verify import Verdict, known_files, unknown_among
    from mediahost.host.verify import verify as verified
    from mediahost.store.care import Care

    settings = state.settings()
    with state.store() as store:
        files = known_files(Care(store.database), settings.data_dir, paths or ())
    for path in unknown_among(paths or (), files):
        raise UsageError(
            f"Nothing at {path} has been hashed yet, so there is nothing to compare with",
            "Hash them with a run: mediahost run PATH --action NAME",
        )
    with counting("files") as count:
        found = list(verified(files, settings.workers, lambda done: count(done, len(files))))
    bad = [one for one in found if one.verdict is not Verdict.OK]
    counts = Counter(one.verdict for one in found)
    if as_json:
        print_json(
            {
                "counts": {str(verdict): counts[verdict] for verdict in Verdict},
                "files": [
                    {
                        "path": path_to_url(one.known.path),
                        "verdict": str(one.verdict),
                        "reason": one.reason or None,
                        "artifact": one.known.artifact,
                        "file_hash": one.known.file_hash,
                    }
                    for one in bad
                ],
            }
        )
    else:
        for one in bad:
            made = "  (artifact)" if one.known.artifact else ""
            reason = f": {one.reason}" if one.reason else ""
            typer.echo(f"{one.verdict:<10}  {display(one.known.path)}{made}{reason}")
        in_all = ", ".join(
            f"{counts[verdict]:,} {verdict}" for verdict in Verdict if counts[verdict]
        )
        typer.echo(in_all or "No file has been hashed yet")
    if any(counts[one] for one in (Verdict.MISSING, Verdict.ROTTEN, Verdict.UNREADABLE)):
        raise typer.Exit(EXIT_LOST)
