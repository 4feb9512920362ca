"""Typed paths: what a person names, as the disk spells it."""

import os

from mediahost.model.paths import composed, is_remote


def on_disk(path: str) -> str:
    """The path as it is on the disk, where it differs in the spelling of accents (NFC, NFD) alone.

    A path that is there as typed is meant so. What is in no spelling there stays as typed, as
    URLs do.
    """
    if path.isascii() or is_remote(path) or os.path.lexists(path):
        return path
    head, name = os.path.split(path.rstrip("/"))
    folder = on_disk(head)
    whole = os.path.join(folder, name)  # noqa: PTH118 - names may not be UTF-8
    if os.path.lexists(whole):
        return whole
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - text in, text out
    except OSError:
        return whole
    same = [one for one in names if composed(one) == composed(name)]
    return os.path.join(folder, min(same)) if same else whole  # noqa: PTH118
