"""Hints: where to look soon. Nothing is lost that they miss, only found later.

The events come by watchdog's inotify layer, one instance for a watch, and each folder is added by
itself: ignored ones are left out, and one that the kernel refuses is known at once. watchdog's own
recursive observer adds them all and logs what it can't (docs/decisions/0015-watching.md).
"""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent, WatchDescriptor

# More touched files than this are no hints any more: a full look is quicker.
MOST_HINTS = 200_000

# linux/inotify.h
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _ISDIR = 0x400, 0x800, 0x2000, 0x40000000
_ONLYDIR, _EXCL_UNLINK = 0x01000000, 0x04000000
_CLOSED = _CLOSE_WRITE | _MOVED_TO
_SELF = _DELETE_SELF | _MOVE_SELF | _UNMOUNT
MASK = _CLOSED | _MOVED_FROM | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
MASK |= _ONLYDIR | _EXCL_UNLINK


@dataclass
class Touched:
    """What was touched since the last time this was asked.

    Attributes:
        files: Paths of files, and whether they were closed after writing, or moved in.
        folders: Paths of folders that came or went, with all below them.
        overflowed: Events were lost.
        gone: The watched folder itself was moved, removed or unmounted.
    """

    files: dict[str, bool] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    overflowed: bool = False
    gone: bool = False


class HintsUnavailable(OSError):
    """The kernel gives no events, so the folder must be polled."""


class Hints:
    """The events of one tree of folders.

    Args:
        top: The watched folder.
        wake: Called, from a thread of its own, when something was touched.

    Raises:
        HintsUnavailable: There are none here.
    """

    def __init__(self, top: str, wake: Callable[[], None]) -> None:
        if sys.platform != "linux":
            raise HintsUnavailable("events are used on Linux only")
        from watchdog.observers.inotify_c import (  # noqa: PLC0415 - loads on Linux only
            InotifyFD,
        )

        self._top = top
        self._wake = wake
        self._lock = threading.Lock()
        self._touched = Touched()
        self._folders: dict[str, tuple[WatchDescriptor, _FolderEvents]] = {}
        try:
            self._kernel = InotifyFD()
        except OSError as error:
            raise HintsUnavailable(error.errno, error.strerror) from None
        self._kernel.start()

    @property
    def count(self) -> int:
        """How many folders give events."""
        return len(self._folders)

    @property
    def is_alive(self) -> bool:
        """Whether the thread that reads the events still does."""
        return self._kernel.is_alive()

    def add(self, folder: str) -> bool:
        """Watch a folder, though not what is below; whether the kernel does."""
        if folder in self._folders:
            return True
        if not os.access(folder, os.R_OK):  # watchdog takes "permission denied" for success
            return False
        events = _FolderEvents(folder, self)
        kernel: Any = self._kernel  # its numbers are NewTypes that it does not export
        try:
            descriptor = kernel.add_callback(os.fsencode(folder), MASK, events, id(events))
        except OSError:
            return False
        with self._lock:
            self._folders[folder] = descriptor, events
        return True

    def forget(self, folder: str) -> None:
        """Let go of a folder and all below it."""
        below = folder + os.sep
        with self._lock:
            gone = [path for path in self._folders if path == folder or path.startswith(below)]
            removed = [self._folders.pop(path) for path in gone]
        kernel: Any = self._kernel
        kernel.remove_callbacks([(number, id(each)) for number, each in removed])

    def take(self) -> Touched:
        """What was touched since the last call."""
        with self._lock:
            taken, self._touched = self._touched, Touched()
        return taken

    def close(self) -> None:
        """Stop."""
        self._kernel.stop()
        self._kernel.join()

    # --- on the thread that reads events

    def learn(self, folder: str, mask: int, name: bytes) -> None:
        """Note one event."""
        path = os.path.join(folder, os.fsdecode(name)) if name else folder  # noqa: PTH118 - hot
        if mask & _SELF:
            self._learn_of_folder(folder, mask)
        elif mask & _ISDIR:
            if mask & _MOVED_FROM:
                # The kernel goes on watching it wherever it is now, under its old name.
                self.forget(path)
            with self._lock:
                self._touched.folders.add(path)
        else:
            closed = bool(mask & _CLOSED)
            with self._lock:
                files = self._touched.files
                files[path] = files.get(path, False) or closed
                if len(files) > MOST_HINTS:
                    self._touched.overflowed = True
                    files.clear()
        self._wake()

    def _learn_of_folder(self, folder: str, mask: int) -> None:
        with self._lock:
            if mask & _UNMOUNT or folder == self._top:
                self._touched.gone = True

    def forget_deleted(self, folder: str, events: "_FolderEvents") -> None:
        """The kernel let go of a folder, for it is deleted or unmounted."""
        with self._lock:
            if folder in self._folders and self._folders[folder][1] is events:
                del self._folders[folder]
            if folder == self._top:
                self._touched.gone = True
        self._wake()

    def overflow(self) -> None:
        """Events were lost."""
        with self._lock:
            self._touched.overflowed = True
        self._wake()


class _FolderEvents:
    """What watchdog calls for one folder: it knows which one."""

    __slots__ = ("_folder", "_hints")

    def __init__(self, folder: str, hints: Hints) -> None:
        self._folder = folder
        self._hints = hints

    def on_event(self, event: "InotifyEvent") -> None:
        """Something in the folder was touched."""
        self._hints.learn(self._folder, event.mask, event.name)

    def on_watch_deleted(self, wd: "WatchDescriptor") -> None:  # noqa: ARG002 - watchdog's signature
        """The kernel watches the folder no longer."""
        self._hints.forget_deleted(self._folder, self)

    def on_queue_overflow(self) -> None:
        """The kernel dropped events."""
        self._hints.overflow()
