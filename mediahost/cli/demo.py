"""`mediahost demo`: the main job on real media."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediahost.cli.results import in_words
from mediahost.cli.state import state
from mediahost.installation import shipped
from mediahost.model.paths import display
from mediahost.partfile import PartFile

if TYPE_CHECKING:
    from mediahost.host.host import Host
    from mediahost.host.run import Summary
    from mediahost.model.pipeline import Pipeline


def demo(
    *,
    folder: Annotated[
        Path, typer.Option(help="Where to put media, store and artifacts.", metavar="DIR")
    ] = Path("demo"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Analyse and convert example media; see it cached next time."""
    from mediahost.cli.summary import print_summary
    from mediahost.cli.terminal import progress_on_stderr

    media = folder / "media"
    _copy_media(media)
    state.data_dir = folder / "data"
    with state.host() as host:
        recipe = host.recipe(
            _pipeline(known={action.info.name for action in host.registry.actions()})
        )
        with progress_on_stderr(quiet=as_json) as watcher:
            summary = host.run(
                [media],
                recipe,
                output=folder / "artifacts",
                listener=watcher.listen,
                on_hashed=watcher.hashed,
            )
        print_summary(summary, recipe, as_json=as_json)
        if not as_json:
            _print_results(host, media, summary)
            typer.echo(f"\nEverything is in {display(folder)}. Run it again: all of it is cached.")
    if not summary.all_good:
        raise typer.Exit(1)


def _print_results(host: "Host", media: Path, summary: "Summary") -> None:
    """What this recipe found or made, file by file, and nothing that was there besides."""
    for path in sorted(media.iterdir()):
        found = {one.hit.key: one for one in host.results(path)}
        of_this_run = [found.pop(row.key) for row in summary.rows if row.key in found]
        if of_this_run:
            typer.echo(f"\n--- {display(path)}")
        for one in of_this_run:
            typer.echo("\n".join(in_words(one)))


def _pipeline(known: set[str]) -> "Pipeline":
    """What to do with each kind of media; pictures and papers as far as their plugins are there."""
    from mediahost.model.pipeline import Pipeline, Step

    steps = (
        Step(action="av.probe"),
        Step(action="speech.vad", after=("av.probe",)),
        Step(action="av.contact_sheet"),
        Step(action="av.convert", name="to-mp3", config={"format": "mp3"}),
        Step(action="av.probe", name="probe-mp3", media="to-mp3"),
    )
    extras = (Step(action="images.thumbnail"), Step(action="documents.text"))
    return Pipeline(
        name="demo",
        description="What is in it, who speaks when, and small copies to look at and listen to",
        steps=(*steps, *(step for step in extras if step.action in known)),
    )


def _copy_media(target: Path) -> None:
    """Copy what is not there yet, so that a second call finds the files untouched."""
    target.mkdir(parents=True, exist_ok=True)
    for file in example_media().iterdir():
        if file.suffix == ".md" or (target / file.name).exists():
            continue
        with file.open("rb") as source, PartFile(target / file.name) as part:
            shutil.copyfileobj(source, part.file)
            part.keep_new()


def example_media() -> Path:
    """The folder of the example media.

    Raises:
        MediahostError: It is nowhere.
    """
    return shipped("examples") / "media"
