"""One watched folder: a thread that looks where the hints say, and everywhere now and then.

Each watch has a thread of its own: a network drive that hangs stops no other watch.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from mediahost.errors import StoreError
from mediahost.hashing import FileStat
from mediahost.host.found import FoundFile
from mediahost.host.mounts import file_system_of, gives_events
from mediahost.host.standing import StandingOrder
from mediahost.model.paths import display, path_to_url, url_to_path
from mediahost.model.watch import AT_REST, FileState, Watch, WatchState
from mediahost.ports import WatchedFile, WatchRow, WatchStore
from mediahost.threads import GuardedThread, guarded
from mediahost.watch.guard import Guard, is_too_much
from mediahost.watch.health import Health
from mediahost.watch.hints import Hints, HintsUnavailable, Touched
from mediahost.watch.intake import Intake
from mediahost.watch.ledger import Ledger, Place, path_at, place_of
from mediahost.watch.news import News, Tell
from mediahost.watch.reconcile import Changes, reconcile
from mediahost.watch.scan import Scan, found_at
from mediahost.watch.settling import Settling
from mediahost.watch.wanted import IGNORE_FILE, NO_MEDIA, Wanted

log = logging.getLogger(__name__)

SETTLE_LOCAL_S = 5.0
SETTLE_NETWORK_S = 15.0
SCAN_S = 300.0
POLL_S = 10.0

# A full look may take one hundredth of the time.
SCAN_SHARE = 100

# Where the folder is missing or something is wrong, this often is looked again.
RETRY_S = 2.0
REPORT_S = 1.0
HEARTBEAT_S = 15.0

# Where too many jobs wait already, files wait so long before they are looked at again.
FULL_S = 0.5

# So many files are taken in at once; the small ones of them first.
BATCH = 256


class Stopped(Exception):
    """The watch was told to stop."""


class FolderWatch(GuardedThread):
    """Watches one folder.

    Args:
        row: The watch, as the store knows it.
        rule: Its rules.
        order: Its recipe.
        store: What remembers.
        wake_host: Called when there are new jobs.
        has_room: Asked whether more jobs may be submitted now.
        tell: Called with each file that came to be somewhere, on this thread.
        outside: Folders that are never entered.

    Attributes:
        health: How it is.
        is_idle: All that is there was looked at, and nothing is on its way that time or this
            program could bring further.
    """

    def __init__(
        self,
        row: WatchRow,
        rule: Watch,
        order: StandingOrder,
        store: WatchStore,
        *,
        wake_host: Callable[[], None],
        has_room: Callable[[], bool],
        tell: Tell,
        outside: Iterable[str] = (),
    ) -> None:
        super().__init__(self._watch, name=f"watch-{rule.name}")
        self.row = row
        self.rule = rule
        self.health = Health(pid=os.getpid())
        self._guard = Guard(row.health.get("device"), bool(row.health.get("marked")))
        self._is_itself = False
        self._top = str(rule.path)
        self._recipe = order.recipe.fingerprint
        self._store = store
        self._tell = tell
        self._has_room = has_room
        self._wanted = Wanted(rule, order.recipe.kinds, [*outside, *_own_folders(rule)])
        self._ledger = Ledger(store, row.id)
        self._is_network = False
        self._settling = Settling(SETTLE_LOCAL_S)
        self._hints: Hints | None = None
        self._bell = threading.Event()
        self._stopping = False
        self.is_idle = False
        self._scan_asked = "start"
        self._scan_due = 0.0
        self._accepted = row.accepted
        self._said: tuple[WatchState, str] | None = None
        self._reported = Health()
        self._full_until = 0.0
        self._report_due = 0.0
        self._beat_due = 0.0
        self._intake = Intake(
            store=store,
            watch_id=row.id,
            rule=rule,
            order=order,
            ledger=self._ledger,
            wake=wake_host,
            tell=tell,
            resettle=self._resettle,
        )

    # --- from other threads

    def stop(self) -> None:
        """End soon; `join` waits for it."""
        self._stopping = True
        self._bell.set()

    def job_ended(self, job_id: UUID, *, touched: bool) -> None:
        """A job of some watch is final."""
        self._intake.job_ended(job_id, touched=touched)
        if self._intake.has_news:
            self._bell.set()

    def scan(self, *, accepted: bool = False) -> None:
        """Look at everything, soon; accepted: what is gone may be gone."""
        self._accepted |= accepted
        self._scan_asked = "asked for"
        self._bell.set()

    # --- the thread

    def _watch(self) -> None:
        """Watch until told to stop; what goes wrong is said, and tried again."""
        while not self._stopping:
            guarded(self._session, self._say_fault)
            guarded(self._close_hints)
            if not self._stopping:
                self._bell.wait(RETRY_S)
                self._bell.clear()
        self._end()

    def _say_fault(self, error: BaseException) -> None:
        self._be(WatchState.FAULTY, f"{type(error).__name__}: {error}")

    def _end(self) -> None:
        try:
            self._ledger.flush(now=True)
            self._be(WatchState.STOPPED, "")
            self._store.change_watch(self.rule.name, health=self.health.to_json())
        except StoreError as error:
            # What ended the watch says it, mostly: a store that can't be written ends its host.
            log.debug("How the watch %s was could not be written: %s", self.rule.name, error)
        except Exception:
            log.exception("How the watch %s was could not be written", self.rule.name)

    def _session(self) -> None:
        """Watch until told to stop, or until something fundamental goes wrong."""
        with suppress(Stopped):
            self._look_and_turn()

    def _look_and_turn(self) -> None:
        while reason := self._guard.why_missing(self._top, has_files=self._has_files()):
            if self._accepted:
                break
            self._be(WatchState.MISSING, reason)
            self._report()
            self.is_idle = True
            self._rest(RETRY_S)
        self._open()
        self._take_up_recipe()
        self._scan_asked = self._scan_asked or "start"
        while not self._stopping:
            self._turn()

    def _open(self) -> None:
        kind = file_system_of(self._top)
        self.health.file_system = kind
        self._is_network = not gives_events(kind)
        settle_s = self.rule.settle_s or (SETTLE_NETWORK_S if self._is_network else SETTLE_LOCAL_S)
        self._settling = Settling(
            settle_s, follow_links=self.rule.follow_links, min_age_s=self.rule.min_age_s or 0.0
        )
        # Asked before the marker is written again.
        self._is_itself = self._guard.is_marked_here(self._top)
        self._guard.remember(self._top)
        self.health.device, self.health.marked = self._guard.device, self._guard.marked
        self._open_hints()

    def _take_up_recipe(self) -> None:
        """Files that another recipe did are looked at again; what is cached costs nothing."""
        before = self.health.recipe or self.row.health.get("recipe")
        if before not in (None, self._recipe):
            states = (FileState.DONE, FileState.FAILED)
            self._store.reopen_watched(self.row.id, states, "the recipe has changed")
        self.health.recipe = self._recipe

    def _open_hints(self) -> None:
        self._close_hints()
        polls = self._is_network if self.rule.poll is None else self.rule.poll
        if polls:
            return
        try:
            self._hints = Hints(self._top, self._bell.set)
        except HintsUnavailable as error:
            self.health.limit_hits += 1
            self._be(WatchState.DEGRADED, f"no events: {error.strerror or error}")

    def _close_hints(self) -> None:
        if self._hints:
            self._hints.close()
            self._hints = None

    def _turn(self) -> None:
        """Wait until something is to do, then do it."""
        self._bell.wait(max(0.0, self._due() - time.monotonic()))
        self._bell.clear()
        if self._hints:
            self._take_hints(self._hints.take())
        if self._scan_asked or time.monotonic() >= self._scan_due:
            self._look_at_everything(self._scan_asked or "time")
        if self._settling.is_due and time.monotonic() >= self._full_until:
            self._take_what_is_whole()
        self._intake.step()
        self._show_rest()
        self._ledger.flush()
        self._report()
        self.is_idle = not (
            self._scan_asked
            or self._intake.is_busy
            or any(settler.is_hopeful for settler in self._settling)
        )

    def _due(self) -> float:
        times = [self._scan_due, self._report_due if self._is_busy() else self._beat_due]
        if self._settling.due is not None:
            times.append(max(self._settling.due, self._full_until))
        if self._ledger.due is not None:
            times.append(self._ledger.due)
        if self._scan_asked:
            return 0.0
        return min(times)

    def _is_busy(self) -> bool:
        return bool(len(self._settling) or len(self._intake) or self.health != self._reported)

    def _rest(self, seconds: float) -> None:
        self._bell.wait(seconds)
        self._bell.clear()
        if self._stopping:
            raise Stopped

    # --- hints

    def _take_hints(self, touched: Touched) -> None:
        if self._hints and not self._hints.is_alive:
            self.health.overflows += 1
            self._open_hints()
            self._scan_asked = "events had stopped"
        if touched.overflowed:
            self.health.overflows += 1
            self._open_hints()
            self._scan_asked = "events were lost"
        if touched.gone:
            self._scan_asked = "the folder itself was touched"
            self._open_hints()
        for folder in sorted(touched.folders):
            self._look_below(folder)
        if touched.files:
            self._look_at(touched.files)

    def _look_below(self, path: str) -> None:
        """A folder came or went."""
        folder = os.path.relpath(path, self._top)
        if not self._wanted.enters_all_above(folder):
            return
        if not os.path.isdir(path):  # noqa: PTH112 - may not be UTF-8
            if self._hints:
                self._hints.forget(path)
            if (where := self._guard.why_missing(self._top, has_files=True)) is not None:
                self._scan_asked = where
                return
        limit_hits = self.health.limit_hits
        changes = reconcile(self._new_scan(), self._ledger, folder)
        self._apply(changes)
        if self.health.limit_hits > limit_hits and self.health.state is WatchState.WATCHING:
            # What comes to be below gives no event: from now on everything is polled.
            self._scan_asked = "a folder could not be watched"

    def _look_at(self, files: dict[str, bool]) -> None:
        """Files were touched: see how they are now."""
        places: dict[Place, bool] = {}
        for path, closed in files.items():
            folder, name = os.path.split(path)
            relative = "" if folder == self._top else folder[len(self._top) + 1 :]
            if name in (IGNORE_FILE, NO_MEDIA):
                self._scan_asked = "what is ignored has changed"
            elif self._wanted.kind(relative, name):
                places[path_to_url(relative), path_to_url(name)] = closed
        known = self._ledger.at(list(places))
        seen: list[tuple[FoundFile, WatchedFile | None, bool]] = []
        vanished: list[WatchedFile] = []
        for place, closed in places.items():
            folder, name = url_to_path(place[0]), url_to_path(place[1])
            try:
                file = found_at(
                    self._top, folder, name, self._wanted, follow=self.rule.follow_links
                )
            except OSError:
                file = None
            if file is not None:
                seen.append((file, known.get(place), closed))
            elif place in known:
                vanished.append(known[place])
        self._see(seen)
        self._vanish_all(vanished)

    # --- looking at everything

    def _new_scan(self) -> Scan:
        def watch(folder: str) -> None:
            if self._hints and not self._hints.add(folder):
                self.health.limit_hits += 1

        return Scan(self._top, self._wanted, watch, self.rule.follow_links)

    def _look_at_everything(self, why: str) -> None:
        """The reconcile: what is so, whatever events said."""
        self._scan_asked = ""
        self._scan_due = time.monotonic() + POLL_S
        began, cpu = time.monotonic(), time.thread_time()
        if self._is_missing():
            return
        self._ledger.flush(now=True)
        limit_hits = self.health.limit_hits
        scan = self._new_scan()
        changes = reconcile(scan, self._ledger, "")
        if self._is_missing():
            return
        # With the marker in place a person has emptied the folder, and no drive went.
        is_safe = self._accepted or (self._is_itself and self._guard.is_marked_here(self._top))
        if not is_safe and is_too_much(len(changes.vanished), changes.known):
            self._be(
                WatchState.PAUSED,
                f"{len(changes.vanished):,} of {changes.known:,} files are gone at once; "
                f"if they should be: mediahost watch resume {self.rule.name}",
            )
            self._report()
            return
        if self._accepted:
            self._accepted = False
            self._store.change_watch(self.rule.name, accepted=False)
        self._guard.remember(self._top)
        self._is_itself = True
        if why == "time" and self._hints:
            self.health.missed += len(changes.seen)
        self._apply(changes)
        self._note_scan(scan, why, time.monotonic() - began)
        self._be_as_watched(limited=self.health.limit_hits > limit_hits)
        self._plan_next(time.thread_time() - cpu)

    def _is_missing(self) -> bool:
        reason = self._guard.why_missing(self._top, has_files=self._has_files())
        if reason is None or self._accepted:
            return False
        self._be(WatchState.MISSING, reason)
        self._scan_due = time.monotonic() + RETRY_S
        self._report()
        return True

    def _has_files(self) -> bool:
        counts = self._ledger.counts()
        return any(number for state, number in counts.items() if state is not FileState.GONE)

    def _note_scan(self, scan: Scan, why: str, seconds: float) -> None:
        health = self.health
        health.folders, health.files = scan.folders, scan.files
        health.folders_watched = self._hints.count if self._hints else 0
        health.problems = [display(problem) for problem in scan.problems]
        health.scans += 1
        health.scan_ms, health.scan_reason = round(seconds * 1000), why
        health.scanned_at = time.time()

    def _show_rest(self) -> None:
        """Say once that something is missing that every file needs, and once that it is there."""
        if self._intake.resting:
            self._be(WatchState.RESTING, self._intake.resting)
        elif self.health.state is WatchState.RESTING:
            self._be_as_watched(limited=False)

    def _be_as_watched(self, *, limited: bool) -> None:
        if self._intake.resting:
            return
        watched, folders = self.health.folders_watched, self.health.folders
        if self._hints is None and self.health.state is WatchState.DEGRADED:
            return
        if self._hints is None:
            why = f"{self.health.file_system} gives no events" if self._is_network else ""
            self._be(WatchState.POLLING, why)
        elif limited:
            reason = f"{watched:,} of {folders:,} folders watched, the rest is polled"
            if watched and not self.health.problems:
                reason += "; raise fs.inotify.max_user_watches"
            self._be(WatchState.DEGRADED, reason)
        else:
            self._be(WatchState.WATCHING, "")

    def _plan_next(self, cpu_s: float) -> None:
        whole = self.health.state is WatchState.WATCHING
        every = self.rule.scan_s or max(SCAN_S if whole else POLL_S, cpu_s * SCAN_SHARE)
        self._scan_due = time.monotonic() + every

    def _apply(self, changes: Changes) -> None:
        self._see([(file, row, False) for file, row in changes.seen])
        self._vanish_all(changes.vanished)

    # --- files

    def _see(self, seen: Sequence[tuple[FoundFile, WatchedFile | None, bool]]) -> None:
        """Files are there; which of them are new or changed?"""
        fresh = [one for one in seen if one[1] is None or one[1].state is FileState.GONE]
        moved = self._moved(fresh)
        for file, known, closed in seen:
            if file.path in moved:
                continue
            if file.path in self._settling:
                self._settling.touch(file, known, closed=closed)
            elif file.path in self._intake:
                if closed or self._intake.stat_of(file.path) != file.stat:
                    self._intake.drop(file.path)
                    self._settle(file, known, closed=closed, anew=True)
            elif known is None or known.stat != file.stat or known.state not in AT_REST:
                self._settle(file, known, closed=closed)
            elif closed:
                # Somebody wrote and left the stat as it was: only the content can tell.
                self._settle(file, known, closed=True, anew=True)

    def _settle(
        self, file: FoundFile, known: WatchedFile | None, *, closed: bool, anew: bool = False
    ) -> None:
        settler = self._settling.touch(file, known, closed=closed, anew=anew)
        if not closed:
            settler.known = self._ledger.put(file, known, FileState.SETTLING, settler.reason)

    def _resettle(self, file: FoundFile, known: WatchedFile | None, anew: bool) -> None:
        self._settling.touch(file, known, closed=False, anew=anew)

    def _moved(
        self, fresh: Sequence[tuple[FoundFile, WatchedFile | None, bool]]
    ) -> dict[str, WatchedFile]:
        """Files that are new here and gone from elsewhere keep what is known of them."""
        if not fresh:
            return {}
        old = {
            _identity(row.stat): row
            for row in self._ledger.with_inodes({file.stat.inode for file, _, _ in fresh})
            if row.state in AT_REST
        }
        moved: dict[str, WatchedFile] = {}
        for file, _, _ in fresh:
            row = old.get(_identity(file.stat))
            if row is None or os.path.lexists(path_at(self._top, (row.folder, row.name))):
                continue
            self._ledger.keep(row._replace(state=FileState.GONE, reason="moved"))
            folder, name = place_of(file)
            moved[file.path] = row._replace(folder=folder, name=name, stat=file.stat)
            self._ledger.keep(moved[file.path])
        return moved

    def _vanish_all(self, rows: Sequence[WatchedFile]) -> None:
        """Files are gone, but for those that were just seen to be elsewhere."""
        for place, row in self._ledger.at([(row.folder, row.name) for row in rows]).items():
            self._vanish(path_at(self._top, place), row)

    def _vanish(self, path: str, known: WatchedFile | None) -> None:
        self._settling.drop(path)
        self._intake.drop(path)
        if known is not None and known.state is not FileState.GONE:
            gone = known._replace(state=FileState.GONE, reason="", changed_at=time.time())
            self._ledger.keep(gone)
            self._tell(News(self.rule.name, path, FileState.GONE, ""))

    def _take_what_is_whole(self) -> None:
        self.health.full = not self._has_room()
        if self.health.full:
            self._full_until = time.monotonic() + FULL_S
            return
        ready, gone = self._settling.check(BATCH)
        for settler in gone:
            self._vanish(settler.file.path, settler.known)
        if not ready:
            return
        by_size = sorted(ready, key=lambda settler: settler.file.stat.size)
        self._intake.take([(one.file, one.known, one.anew) for one in by_size])

    # --- telling

    def _be(self, state: WatchState, reason: str) -> None:
        self.health.state, self.health.reason = state, reason
        if self._said != (state, reason):
            self._said = state, reason
            self._tell(News(self.rule.name, self._top, state, reason))

    def _report(self) -> None:
        now = time.monotonic()
        if now < self._report_due:
            return
        self.health.settling = len(self._settling)
        self.health.full &= self.health.settling > 0
        changed = self.health != self._reported
        if changed or now >= self._beat_due:
            self._note_reasons()
            self._ledger.flush(now=True)
            self._store.change_watch(
                self.rule.name, health=self.health.to_json(), seen_at=time.time()
            )
            self._reported = Health(**self.health.__dict__)
            self._beat_due = now + HEARTBEAT_S
        self._report_due = now + REPORT_S

    def _note_reasons(self) -> None:
        """Say in the store why files settle, as far as anybody would read."""
        for settler in list(self._settling)[:BATCH]:
            known = settler.known
            if known is None or known.reason != settler.reason:
                settler.known = self._ledger.put(
                    settler.file, known, FileState.SETTLING, settler.reason
                )


def _identity(stat: FileStat) -> tuple[int, int, int, int]:
    return stat.dev, stat.inode, stat.size, stat.mtime_ns


def _own_folders(rule: Watch) -> list[str]:
    """Where files are moved to when they are through."""
    return [str(folder) for folder in (rule.done_folder, rule.failed_folder) if folder]
