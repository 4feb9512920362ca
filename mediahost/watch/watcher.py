"""The watcher: all watches of one process, kept in step with the settings and the store."""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from mediahost.errors import MediahostError
from mediahost.host.host import Host
from mediahost.model.event import Event, EventKind
from mediahost.model.watch import FileState, WatchState
from mediahost.ports import WatchRow, WatchStore
from mediahost.threads import GuardedThread, guarded
from mediahost.watch.enrolment import COMMAND, SETTINGS, is_watched_elsewhere
from mediahost.watch.folder import FolderWatch
from mediahost.watch.news import News, Tell
from mediahost.watch.recipes import recipe_of, rule_of

LOOK_S = 1.0

_FINAL = frozenset({EventKind.COMPLETED, EventKind.FAILED, EventKind.CANCELLED})


class Watcher:
    """Runs watches beside a host that works.

    Args:
        host: What runs the jobs.
        store: Its store.
        tell: Called with news, from several threads.
        only: Names of the watches to run; None: all that are kept, also those added later.
    """

    def __init__(
        self, host: Host, store: WatchStore, tell: Tell, only: Iterable[str] | None = None
    ) -> None:
        self._host = host
        self._store = store
        self._tell_person = tell
        # By watch: how many files were done and failed since it was idle last.
        self._through: dict[str, Counter[FileState]] = defaultdict(Counter)
        self._only = None if only is None else frozenset(only)
        self._folders: dict[str, FolderWatch] = {}
        self._rules: dict[str, Mapping[str, Any]] = {}
        self._busy: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = GuardedThread(self._keep_up, name="watcher")

    def start(self) -> None:
        """Start the watches. One that is faulty is said, and tried again; it stops no other.

        Raises:
            StoreError: The store can't be used.
        """
        self._host.join()
        self._host.start_telling()
        self._keep_in_step()
        self._thread.start()

    def stop(self) -> None:
        """Stop them, and write how far they are."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for folder in self._folders.values():
            folder.stop()
        for folder in self._folders.values():
            folder.join()
        self._say_idle()
        for row in self._store.watches():
            if row.host == self._host.name:
                self._store.release_watch(row.name, self._host.name)

    def listen(self, event: Event) -> None:
        """Hear of jobs: what the host's `work` is given."""
        if event.kind in _FINAL and event.job_id is not None:
            touched = event.details.get("outcome") == "changed"
            for folder in list(self._folders.values()):
                folder.job_ended(event.job_id, touched=touched)

    @property
    def is_idle(self) -> bool:
        """Whether no file is on its way anywhere."""
        return all(folder.is_idle for folder in self._folders.values())

    def _keep_up(self) -> None:
        while not self._stopping.wait(LOOK_S):
            guarded(self._keep_in_step, self._say_fault)
            self._say_idle()

    def _tell(self, news: News) -> None:
        """Pass news on, to the person and to plugins. From any thread."""
        self._tell_person(news)
        if isinstance(news.state, WatchState):
            self._host.tell_of_watch(news.watch, str(news.state), news.reason)
        elif news.state in (FileState.DONE, FileState.FAILED):
            self._through[news.watch][news.state] += 1

    def _say_idle(self) -> None:
        """Tell plugins of watches whose files are all through."""
        for name, folder in list(self._folders.items()):
            if folder.is_idle and self._through[name]:
                counts = self._through.pop(name)
                done, failed = counts[FileState.DONE], counts[FileState.FAILED]
                self._host.tell_of_watch(name, "idle", f"{done:,} done, {failed:,} failed")

    def _say_fault(self, error: BaseException) -> None:
        why = error.message if isinstance(error, MediahostError) else repr(error)
        self._tell(News("", "", WatchState.FAULTY, why))

    def _keep_in_step(self) -> None:
        rows = {row.name: row for row in self._store.watches() if self._is_ours(row)}
        for name in self._folders.keys() - rows.keys():
            self._end(name)
        for name, row in rows.items():
            changed = self._rules.get(name) != row.rule
            lost = row.host != self._host.name
            if name in self._folders and (changed or row.paused or lost):
                self._end(name)
            if name in self._folders and not self._folders[name].is_alive():
                # It said why when it ended.
                self._end(name)
            if row.paused:
                self._say_paused(row)
            elif name not in self._folders:
                self._begin(row)
            elif row.scan_asked or row.accepted:
                self._store.change_watch(name, scan_asked=False)
                self._folders[name].scan(accepted=row.accepted)

    def _is_ours(self, row: WatchRow) -> bool:
        if self._only is not None:
            return row.name in self._only
        # What another start named alone is that one's.
        return row.origin in (SETTINGS, COMMAND)

    def _say_paused(self, row: WatchRow) -> None:
        if self._busy.get(row.name) != "paused":
            self._busy[row.name] = "paused"
            self._tell(News(row.name, row.path, WatchState.PAUSED, "as asked for"))
            health = {**row.health, "state": str(WatchState.PAUSED), "reason": "as asked for"}
            self._store.change_watch(row.name, health=health)

    def _begin(self, row: WatchRow) -> None:
        if not self._take(row):
            return
        try:
            rule = rule_of(row)
            recipe = recipe_of(self._host, row)
        except (MediahostError, ValueError) as error:
            self._be_faulty(row, error)
            return
        order = self._host.standing_order(
            recipe, source=f"watch:{row.name}", priority=rule.priority
        )
        self._busy.pop(row.name, None)
        self._rules[row.name] = row.rule
        self._folders[row.name] = FolderWatch(
            row,
            rule,
            order,
            self._store,
            wake_host=self._host.wake,
            has_room=self._host.has_room,
            tell=self._tell,
            outside=[str(self._host.settings.data_dir)],
        )
        self._folders[row.name].start()

    def _take(self, row: WatchRow) -> bool:
        """Make a watch this process's, if no other that lives has it."""
        if is_watched_elsewhere(row, self._host.roster, self._host.name):
            self._refuse(row, "another mediahost process watches it")
            return False
        return row.host == self._host.name or self._store.take_watch(
            row.name, self._host.name, row.host
        )

    def _be_faulty(self, row: WatchRow, error: MediahostError | ValueError) -> None:
        """Say what is wrong with a watch; it is tried again at each look."""
        reason = error.message if isinstance(error, MediahostError) else str(error)
        self._refuse(row, reason)
        health = {**row.health, "state": str(WatchState.FAULTY), "reason": reason}
        if health != row.health:
            self._store.change_watch(row.name, health=health)

    def _refuse(self, row: WatchRow, reason: str) -> None:
        if self._busy.get(row.name) != reason:
            self._busy[row.name] = reason
            self._tell(News(row.name, row.path, WatchState.FAULTY, reason))

    def _end(self, name: str) -> None:
        folder = self._folders.pop(name)
        self._rules.pop(name, None)
        folder.stop()
        folder.join()
        self._store.release_watch(name, self._host.name)
