"""The screen Hosts: who runs the jobs, the store, the disk, what the last host said."""

import shutil
import signal
from pathlib import Path
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from mediahost.model.media import display
from mediahost.tui.confirm import Confirm
from mediahost.tui.facts import facts
from mediahost.tui.hosts import HOST_LOG, running_hosts, stop_host
from mediahost.tui.log_pane import readable
from mediahost.tui.news import StartHost
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.top_bar import TopBar
from mediahost.tui.words import size

READ_EVERY_S = 2.0
LAST_LINES = 12
LOG_TAIL = 8 * 1024
HINTS = (("h", "start a host"), ("S", "stop them"), ("?", "help"))


class HostsScreen(Screen[None]):
    """Hosts on this machine, and what they work with."""

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
        self._data_dir = session.settings.data_dir
        self._settings = session.settings
        self._hosts: list[str] = []

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
        self.set_interval(READ_EVERY_S, self._look)
        self._look()

    def _look(self) -> None:
        if not self.is_current:
            return
        self._hosts = running_hosts(self._data_dir)
        self.query_one("#hosts", Static).update(listing(self._hosts))
        self.query_one("#store", Static).update(facts(self._standing()))
        self.query_one("#said", Static).update(last_words(self._data_dir))
        number = len(self._hosts)
        self.query_one(StatusLine).tell("1 host" if number == 1 else f"{number} hosts")

    def _standing(self) -> dict[str, object]:
        try:
            disk = shutil.disk_usage(self._data_dir)
            free = f"{size(disk.free)} of {size(disk.total)}"
        except OSError:
            free = "unknown"
        path = self._data_dir / "store.db"
        return {
            "data folder": display(self._data_dir),
            "store": "a database server" if self._settings.database_url else display(path),
            "store size": size(path.stat().st_size) if path.exists() else "",
            "disk free": free,
            "workers": self._settings.workers,
            "executor": self._settings.executor,
        }

    def action_start(self) -> None:
        """Start one more."""
        self.app.post_message(StartHost())

    @work
    async def action_stop(self) -> None:
        """Stop them in order: they give their jobs back."""
        if not self._hosts:
            self.notify("No host runs")
            return
        number = len(self._hosts)
        what = "the host" if number == 1 else f"all {number} hosts"
        details = "Jobs that run are given back and wait for the next host."
        if await self.app.push_screen_wait(Confirm(f"Stop {what}?", details, "Stop")) is True:
            for name in self._hosts:
                stop_host(name, signal.SIGTERM)


def listing(hosts: list[str]) -> Table | Text:
    """A line for each host."""
    if not hosts:
        return Text("No host runs: pending jobs wait. Press h to start one.", style="bold")
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in ("MACHINE", "PROCESS", "NAME"):
        table.add_column(name)
    for host in hosts:
        machine, _, pid, *rest = host.split("/")
        table.add_row(Text(display(machine)), pid, Text(display(rest[-1])))
    return table


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
