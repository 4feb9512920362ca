"""The line at the top: where one is, and how the host stands."""

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from mediahost.tui.words import count

SCREENS = {"1": "jobs", "2": "watch", "3": "plugins", "4": "stats", "5": "hosts"}
# What goes first where there is little room: the title, then the names of the other screens.
FULLEST_FIRST = ((True, True), (False, True), (False, False))


class TopBar(Widget):
    """The screens with their keys, and three facts about the whole."""

    DEFAULT_CSS = """
    TopBar { dock: top; height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self, here: str) -> None:
        super().__init__()
        self._here = here
        self._facts = ("", 0, 0, 0)
        self._stale = ""

    def tell(
        self,
        *,
        hosts: int | None,
        running: int,
        failed: int,
        waiting: int,
        paused: bool = False,
    ) -> None:
        """Say how things stand; hosts None: not known yet."""
        standing = "" if hosts is None else ("● " if hosts else "○ ") + _hosts(hosts)
        if paused:
            standing = f"‖ paused  {standing}"
        facts = (standing, running, failed, waiting)
        if facts != self._facts:
            self._facts = facts
            self.refresh()

    def stale(self, why: str) -> None:
        """The data is old: why, or nothing."""
        if why != self._stale:
            self._stale = why
            self.refresh()

    def render(self) -> Text:
        """The line: as much of it as there is room for; how things stand matters most."""
        right = self._right(self.app.theme_variables)
        room = self.size.width - right.cell_len - 1
        lefts = (self._left(title=title, names=names) for title, names in FULLEST_FIRST)
        left = next((left for left in lefts if left.cell_len < room), Text(" "))
        return Text.assemble(left, " " * max(0, room - left.cell_len), right)

    def _left(self, *, title: bool, names: bool) -> Text:
        left = Text(" mediahost " if title else "", style="bold")
        for key, name in SCREENS.items():
            here = name == self._here
            shown = f" {name.capitalize()}" if names or here else ""
            left.append(f" {key}{shown} ", style="reverse" if here else "")
        return left

    def _right(self, colors: dict[str, str]) -> Text:
        standing, running, failed, waiting = self._facts
        right = Text()
        if self._stale:
            right.append(f"! {self._stale} ", style=f"bold {_rich(colors['error'])}")
        if standing:
            color = colors["success"] if "●" in standing else colors["warning"]
            right.append(standing, style=_rich(color))
        if running or waiting:
            right.append(
                f"  ▶ {count(running)}  · {count(waiting)}", style=_rich(colors["primary"])
            )
        if failed:
            right.append(f"  ✖ {count(failed)}", style=_rich(colors["error"]))
        return right


class NoHost(Static):
    """A line that says that jobs wait for a host, and how to start one; hidden while none does."""

    DEFAULT_CSS = """
    NoHost { height: 1; display: none; padding: 0 1; background: $surface; color: $warning;
        text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._waiting = 0

    def tell(self, *, hosts: int | None, waiting: int) -> None:
        """Say how things stand; hosts None: not known yet."""
        self.display = hosts == 0 and waiting > 0
        if self.display and waiting != self._waiting:
            self._waiting = waiting
            jobs = "1 job waits" if waiting == 1 else f"{waiting:,} jobs wait"
            said = f"No host runs: {jobs}. Press h to start one, or: mediahost work"
            self.update(Text(said), layout=False)


def _hosts(number: int) -> str:
    if number == 0:
        return "no host runs"
    return "1 host" if number == 1 else f"{number} hosts"


def _rich(color: str) -> str:
    """A theme's colour as Rich calls it."""
    return color.removeprefix("ansi_") if color.startswith("ansi_") else color
