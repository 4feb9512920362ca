"""`mediahost duplicates`: the same file twice, and pictures that look alike."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediahost.cli.output import counted, place, print_json, size
from mediahost.cli.paths import as_on_disk
from mediahost.cli.state import state
from mediahost.errors import MediahostError
from mediahost.installation import install_hint
from mediahost.model.kinds import MediaKind
from mediahost.model.paths import display, path_to_url

if TYPE_CHECKING:
    from mediahost.host.files import Candidate
    from mediahost.host.found import Problem
    from mediahost.host.host import Host

PHASH = "images.phash"


@dataclass(frozen=True, slots=True)
class Group:
    """Files of which one would do.

    Attributes:
        alike: They look alike; else they have the same content.
        files: Their paths, with in how many of 64 bits each one's look differs from the first's.
    """

    alike: bool
    files: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": "alike" if self.alike else "same",
            "files": [
                {"path": path_to_url(path), "size": _size(path), "distance": distance}
                for path, distance in self.files
            ],
        }


def duplicates(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files and folders; all that is known if none.",
            metavar="PATH",
            callback=as_on_disk,
        ),
    ] = None,
    *,
    distance: Annotated[
        int,
        typer.Option(
            "--distance", help="Pictures alike differ in at most so many of 64 bits.", min=0, max=24
        ),
    ] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find files with the same content, and pictures that look alike.

    Nothing is removed. How pictures look is told by the action images.phash, which is run on those
    whose hash is not cached.
    """
    problems: list[Problem] = []
    with state.host() as host:
        files = host.hashed(paths or _known_files(), problems)
        groups = same_content(files)
        looks = _looks(host, files, problems)
    groups += look_alikes(files, looks, distance)
    if as_json:
        print_json(
            {
                "groups": [group.to_json() for group in groups],
                "problems": [
                    {"path": path_to_url(one.path), "message": one.message} for one in problems
                ],
            }
        )
    else:
        _print(groups, len(files))
        for problem in problems:
            typer.echo(f"✖ {display(problem.message.partition(chr(10))[0])}", err=True)
    if problems:
        raise typer.Exit(1)


def same_content(files: "Iterable[Candidate]") -> list[Group]:
    """Files with equal bytes. Two names of one file (hard links) take no room twice."""
    by_hash: dict[str, dict[tuple[int, int], str]] = defaultdict(dict)
    for file in files:
        status = os.stat(file.path)  # noqa: PTH116 - may not be UTF-8
        by_hash[file.file_hash].setdefault((status.st_dev, status.st_ino), file.path)
    return [
        Group(alike=False, files=tuple((path, 0) for path in sorted(found.values())))
        for found in by_hash.values()
        if len(found) > 1
    ]


def look_alikes(files: "Iterable[Candidate]", looks: dict[str, int], distance: int) -> list[Group]:
    """Pictures of other content whose looks differ in few bits, from one to the next.

    Args:
        files: The files.
        looks: Perceptual hashes, by content hash.
        distance: In how many bits they may differ.
    """
    first_at: dict[str, str] = {}
    for file in sorted(files, key=lambda file: file.path):
        first_at.setdefault(file.file_hash, file.path)
    contents = [one for one in first_at if one in looks]
    groups: list[Group] = []
    for members in _clusters([looks[one] for one in contents], distance):
        found = sorted((first_at[contents[index]], looks[contents[index]]) for index in members)
        first = found[0][1]
        groups.append(
            Group(
                alike=True, files=tuple((path, (look ^ first).bit_count()) for path, look in found)
            )
        )
    return sorted(groups, key=lambda group: group.files)


def _clusters(looks: Sequence[int], distance: int) -> list[list[int]]:
    """Indexes of those that are near each other, or near one that is."""
    parents = list(range(len(looks)))

    def top(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for index, look in enumerate(looks):
        for other in range(index):
            if (look ^ looks[other]).bit_count() <= distance:
                parents[top(index)] = top(other)
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(looks)):
        members[top(index)].append(index)
    return [found for found in members.values() if len(found) > 1]


def _looks(host: "Host", files: "Sequence[Candidate]", problems: "list[Problem]") -> dict[str, int]:
    """How pictures look, by content hash, computed where it is not cached."""
    from mediahost.host.found import Problem
    from mediahost.model.pipeline import Pipeline, Step

    pictures = list(
        {file.file_hash: file for file in files if file.kind is MediaKind.IMAGE}.values()
    )
    if len(pictures) < 2:  # noqa: PLR2004 - one looks like no other
        return {}
    if PHASH not in {action.info.name for action in host.registry.actions()}:
        hint = install_hint("mediahost-images")
        raise MediahostError("No installed action tells how pictures look", hint)
    recipe = host.recipe(Pipeline(name=PHASH, steps=(Step(action=PHASH),)), named=False)
    summary = host.run([file.path for file in pictures], recipe)
    problems += summary.problems
    problems += [
        Problem(row.media_url, f"{place(row.media_url)}: {row.error}")
        for row in summary.rows
        if row.error
    ]
    stored = host.store.load_results([row.key for row in summary.rows if row.key])
    return {
        key.file_hash: int(str(one.result.metadata["phash"]), 16) for key, one in stored.items()
    }


def _known_files() -> list[str]:
    """All files that were hashed before and are there."""
    from mediahost.host.verify import known_files
    from mediahost.store.care import Care

    with state.store() as store:
        known = known_files(Care(store.database), state.settings().data_dir, ())
    return [one.path for one in known if not one.artifact and os.path.isfile(one.path)]  # noqa: PTH113


def _print(groups: Sequence[Group], number: int) -> None:
    for group in groups:
        each = size(_size(group.files[0][0])) if not group.alike else ""
        typer.echo(
            f"look alike ({len(group.files)}):" if group.alike else f"the same ({each} each):"
        )
        for path, distance in group.files:
            far = f"  {distance} of 64 bits differ" if distance else ""
            about = f"  {size(_size(path))}{far}" if group.alike else ""
            typer.echo(f"  {place(path_to_url(path))}{about}")
    spare = sum(_size(path) for group in groups if not group.alike for path, _ in group.files[1:])
    same = sum(not group.alike for group in groups)
    alike = len(groups) - same
    said = f"{counted(number, 'file')}: {counted(same, 'group')} with the same content"
    said += f" ({size(spare)} could be spared)" if spare else ""
    typer.echo(f"{said}, {counted(alike, 'group')} of pictures that look alike")


def _size(path: str) -> int:
    return os.stat(path).st_size  # noqa: PTH116 - may not be UTF-8
