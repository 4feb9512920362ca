"""Wanted: which files of a watched folder are meant, and which folders are entered."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from mediahost.model.kinds import MediaKind, kind_of
from mediahost.model.paths import composed, display
from mediahost.model.watch import Watch

IGNORE_FILE = ".mediahostignore"
# Of Android: what is in such a folder is no media of a person.
NO_MEDIA = ".nomedia"

# Half-written files of browsers, copying and torrent programs, and what drives keep for themselves.
UNFINISHED = re.compile(
    r"(?:^~\$|\.(?:part|partial|tmp|temp|crdownload|download|filepart|!ut|aria2)$)", re.IGNORECASE
)
# Parts that yt-dlp and its like join later (`film.f137.mp4`, `song.f140-drc.m4a`), and what they
# join them to (`film.temp.mp4`).
_DOWNLOADED_PART = re.compile(
    r"\.(?:f(?:\d{1,5}|hls|dash)[\w-]*|temp|tmp|part|partial)\."
    r"(?:mp4|m4a|m4v|webm|mkv|mov|flv|3gp|ts|mp3|ogg|opus|aac|wav|flac)$|\.part-frag\d+",
    re.IGNORECASE,
)
SERVICE_FOLDERS = frozenset(
    {"@eaDir", "#recycle", "#snapshot", "lost+found", "$RECYCLE.BIN", "System Volume Information"}
)


class Patterns:
    """Patterns in gitignore's syntax, for which `é` is one letter however it is encoded."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._spec = GitIgnoreSpec.from_lines([composed(line) for line in lines])

    def match_file(self, path: str) -> bool:
        """Whether the path is matched."""
        return self._spec.match_file(composed(path))


@dataclass(frozen=True, slots=True)
class _Ignore:
    """The patterns of one ignore file; they count from its folder."""

    base: str
    patterns: "Patterns"

    def matches(self, path: str) -> bool:
        inside = path[len(self.base) + 1 :] if self.base else path
        return self.patterns.match_file(inside)


class Wanted:
    """Decides by name and place alone. Paths are relative to the watched folder.

    Args:
        rule: The watch.
        kinds: The kinds that its steps work on.
        outside: Absolute paths of folders that are never entered.
    """

    def __init__(
        self, rule: Watch, kinds: Iterable[MediaKind], outside: Iterable[str] = ()
    ) -> None:
        self.kinds = frozenset(kinds) & (rule.kinds or frozenset(MediaKind))
        self._rule = rule
        self._include = Patterns(rule.include) if rule.include else None
        self._exclude = Patterns(rule.exclude) if rule.exclude else None
        top = str(rule.path)
        self._outside = {os.path.relpath(path, top) for path in outside}
        self._ignores: dict[str, tuple[_Ignore, ...]] = {}

    def kind(self, folder: str, name: str) -> MediaKind | None:
        """The file's kind if it is wanted, else None."""
        kind = kind_of(name)
        if kind is None or kind not in self.kinds or name[0] == "." or is_unfinished(name):
            return None
        if self._include or self._exclude or self._ignores:
            path = f"{folder}/{name}" if folder else name
            if self._excluded(folder, path):
                return None
        return kind

    def enters(self, folder: str, name: str) -> bool:
        """Whether to go into a folder in `folder`."""
        if not self._rule.recursive or name[0] == "." or name in SERVICE_FOLDERS:
            return False
        path = f"{folder}/{name}" if folder else name
        if path in self._outside:
            return False
        excluded = self._exclude is not None and self._exclude.match_file(f"{path}/")
        return not excluded and not any(
            ignore.matches(f"{path}/") for ignore in self._ignores_for(folder)
        )

    def enters_all_above(self, folder: str) -> bool:
        """Whether a walk would come to this folder."""
        above = ""
        for part in folder.split("/") if folder else ():
            if not self.enters(above, part):
                return False
            above = f"{above}/{part}" if above else part
        return True

    def learn_ignores(self, folder: str, absolute: str, *, there: bool) -> None:
        """Read what says in a folder what to leave out, if it is there; a walk comes from above."""
        if not there:
            self._ignores.pop(folder, None)
            return
        if os.path.lexists(os.path.join(absolute, NO_MEDIA)):  # noqa: PTH118
            self._ignores[folder] = (_Ignore(folder, Patterns(["*"])),)
            return
        try:
            with open(os.path.join(absolute, IGNORE_FILE), "rb") as file:  # noqa: PTH118, PTH123
                lines = file.read().decode("utf-8", "surrogateescape").splitlines()
        except OSError:
            return
        self._ignores[folder] = (_Ignore(folder, Patterns(lines)),)

    def why_not(self, folder: str, name: str) -> str | None:
        """Why a file is not wanted, in words; None if it is."""
        return next(self._reasons(folder, name), None)

    def _reasons(self, folder: str, name: str) -> Iterator[str]:
        path = f"{folder}/{name}" if folder else name
        kind = kind_of(name)
        if name.startswith("."):
            yield "it is hidden: its name begins with a dot"
        if is_unfinished(name):
            yield "its name says that it is unfinished"
        if kind is None:
            yield "its suffix is of no media file that mediahost knows"
        elif kind not in self.kinds:
            yield f"it is of kind {kind}; this watch takes {', '.join(sorted(self.kinds))}"
        if not self.enters_all_above(folder):
            yield f"the folder {display(folder)} is left out"
        if self._include and not self._include.match_file(path):
            yield "no pattern of include matches it"
        if self._exclude and self._exclude.match_file(path):
            yield "a pattern of exclude matches it"
        if self._excluded(folder, path):
            yield f"a pattern in a {IGNORE_FILE}, or a {NO_MEDIA}, leaves it out"

    def _excluded(self, folder: str, path: str) -> bool:
        if self._include and not self._include.match_file(path):
            return True
        if self._exclude and self._exclude.match_file(path):
            return True
        return any(ignore.matches(path) for ignore in self._ignores_for(folder))

    def _ignores_for(self, folder: str) -> Iterable[_Ignore]:
        if not self._ignores:
            return
        yield from self._ignores.get("", ())
        at = -1
        while folder and at < len(folder):
            at = folder.find("/", at + 1)
            at = len(folder) if at < 0 else at
            yield from self._ignores.get(folder[:at], ())


def is_unfinished(name: str) -> bool:
    """Whether a file's name says that a program has not finished it."""
    return bool(UNFINISHED.search(name) or _DOWNLOADED_PART.search(name))
