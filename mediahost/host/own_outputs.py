"""Own outputs: what a run wrote into a folder is no source of the same run there."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mediahost.host.files import Candidate
from mediahost.ports import Store

if TYPE_CHECKING:
    from mediahost.host.planner import Recipe


def own_outputs(
    store: Store,
    recipe: "Recipe",
    roots: Sequence[Candidate],
    output: Path,
    paths: Sequence[str | os.PathLike[str]],
) -> set[str]:
    """Paths of files in the output's folder that actions of the recipe made.

    Args:
        store: Knows what was made of what, by content.
        recipe: What is about to run.
        roots: The files that it would run on.
        output: The folder that it writes to.
        paths: What was named: a file that is named itself is a source, whatever made it.
    """
    top = os.path.join(os.path.realpath(output), "")  # noqa: PTH118 - ends with a slash
    named = {os.path.abspath(path) for path in paths}  # noqa: PTH100 - names may not be UTF-8
    there = [
        root
        for root in roots
        if root.path not in named and os.path.realpath(root.path).startswith(top)
    ]
    if not there:
        return set()
    actions = {action.info.name for action in recipe.actions.values()}
    made = {
        file_hash
        for making in store.makings_into({root.file_hash for root in there})
        if making.action in actions
        for _, file_hash in making.made
        # An action that changes nothing must not make its input our own.
        if file_hash != making.file_hash
    }
    return {root.path for root in there if root.file_hash in made}
