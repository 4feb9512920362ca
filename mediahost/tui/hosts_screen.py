"""The screen Hosts: who runs the jobs, the store, the disk, what the last host said."""

import shutil
import signal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from mediahost.errors import StoreError
from mediahost.model.hosts import HostView
from mediahost.model.paths import display
from mediahost.model.pause import Pause
from mediahost.tui.confirm import Confirm
from mediahost.tui.facts import facts
from mediahost.tui.hosts import HOST_LOG, is_heard, is_here, stop_host
from mediahost.tui.log_pane import readable
from mediahost.tui.news import StartHost, Trouble
from mediahost.tui.patience import opens
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.top_bar import TopBar
from mediahost.tui.words import bar, size, span

READ_EVERY_S = 2.0
BAR = 8
LAST_LINES = 12
LOG_TAIL = 8 * 1024
IN_ORDER = (
    "It takes up no more jobs and ends with those that run. "
    "To stop at once, ask again: they are given back then."
)
AT_ONCE = "Jobs that run are given back and wait for the next host."
HINTS = (("hosts.start", "start a host"), ("hosts.stop", "stop them"), ("help", "help"))


class HostsScreen(Screen[None]):
    """Hosts that share the store, and what they work with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "start", "Start a host", show=False, id="hosts.start"),
        Binding("S", "stop", "Stop the hosts", show=False, id="hosts.stop"),
    ]
    DEFAULT_CSS = """
    HostsScreen VerticalScroll { padding: 0 2; }
    HostsScreen Static { height: auto; margin-bottom: 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._data_dir = session.settings.data_dir
        self._settings = session.settings
        self._hosts: list[HostView] = []
        self._asked: set[str] = set()

    def compose(self) -> ComposeResult:
        """The hosts, the store, the log."""
        yield TopBar("hosts")
        with VerticalScroll():
            yield Static("", id="hosts", markup=False)
            yield Static("", id="store", markup=False)
            yield Static("", id="said", markup=False)
        yield StatusLine(HINTS)

    def on_mount(self) -> None:
        """Look now and then."""
        self.set_interval(READ_EVERY_S, self._look_if_seen)

    def on_screen_resume(self) -> None:
        """Look at once: what is shown may be from long ago."""
        self._look()

    def _look_if_seen(self) -> None:
        if self.is_current:
            self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        try:
            self._hosts = await self._session.hosts()
            pauses = await self._session.pauses()
        except StoreError as error:
            self.app.post_message(Trouble(error))
            return
        self.query_one("#hosts", Static).update(listing(self._hosts))
        self.query_one("#store", Static).update(facts(self._standing(pauses)))
        self.query_one("#said", Static).update(last_words(self._data_dir))
        number = sum(map(is_heard, self._hosts))
        self.query_one(StatusLine).tell("1 host" if number == 1 else f"{number} hosts")

    def _standing(self, pauses: Sequence[Pause]) -> dict[str, object]:
        try:
            disk = shutil.disk_usage(self._data_dir)
            free = f"{size(disk.free)} of {size(disk.total)}"
        except OSError:
            free = "unknown"
        path = self._data_dir / "store.db"
        return {
            "data folder": display(self._data_dir),
            "store": "a database server" if self._settings.database_url else display(path),
            "read-only": self._session.why_read_only,
            "store size": size(path.stat().st_size) if path.exists() else "",
            "disk free": free,
            "pools": pools(self._settings.workers, self._settings.pools),
            "executor": self._settings.executor,
            "paused": ", ".join(f"{one.kind} {display(one.name)}".strip() for one in pauses)
            or "no",
        }

    def action_start(self) -> None:
        """Start one more."""
        self.app.post_message(StartHost())

    @opens
    async def action_stop(self) -> None:
        """Stop those of this machine in order; asked again, at once."""
        hosts = [host for host in self._hosts if is_heard(host) and is_here(host)]
        if not hosts:
            self.notify("No host runs on this machine")
            return
        what = "the host" if len(hosts) == 1 else f"all {len(hosts)} hosts on this machine"
        names = {host.heartbeat.host for host in hosts}
        again = names <= self._asked
        question = f"Stop {what} at once?" if again else f"Stop {what}?"
        details = AT_ONCE if again else IN_ORDER
        if await self.app.push_screen_wait(Confirm(question, details, "Stop")) is True:
            for name in names:
                stop_host(name, signal.SIGTERM)
            self._asked |= names


NO_HOST = "No host runs: pending jobs wait. Press h to start one."
COLUMNS = ("MACHINE", "PROCESS", "STATUS", "RUNNING", "EXECUTOR", "VERSION", "UP", "HEARD")


def listing(hosts: Sequence[HostView]) -> Group:
    """A line for each host."""
    none = () if any(map(is_heard, hosts)) else (Text(NO_HOST, style="bold"),)
    if not hosts:
        return Group(*none)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in COLUMNS:
        # The widest that it says of itself: nothing moves when it says something else.
        least = len("● draining") if name == "STATUS" else None
        table.add_column(name, no_wrap=True, min_width=least)
    for host in hosts:
        table.add_row(*map(Text, _cells(host)), style="" if is_heard(host) else "dim")
    return Group(*none, table)


def _cells(host: HostView) -> tuple[str, ...]:
    said = host.heartbeat
    up = (datetime.now(UTC) - host.started_at).total_seconds()
    return (
        display(said.machine),
        str(said.pid),
        _status(host),
        f"{bar(said.running / max(1, said.slots), BAR)} {said.running}/{said.slots}",
        display(said.executor),
        display(said.version),
        span(max(0.0, up)),
        f"{span(host.silent_s)} ago",
    )


def _status(host: HostView) -> str:
    if is_heard(host):
        return f"● {host.heartbeat.status}"
    return "✖ gone" if host.is_gone else "○ silent"


def pools(workers: int, others: Mapping[str, int]) -> str:
    """How many jobs of each pool a host runs at once."""
    return ", ".join(f"{name} {number}" for name, number in {"cpu": workers, **others}.items())


def last_words(data_dir: Path) -> Text:
    """The end of what hosts said that the TUI started."""
    try:
        with (data_dir / HOST_LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:]
    except OSError:
        return Text("")
    said = "\n".join(f"  {readable(line)}" for line in lines)
    return Text.assemble(("What hosts said that were started here\n", "bold"), said)
