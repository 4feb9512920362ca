"""A shelter: what a stranger's widget does inside, the rest of the TUI goes on."""

from collections.abc import Callable, Iterator

from rich.text import Text
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import WorkerFailed

from mediahost.model.paths import display

# Calls to focus a widget are put off by Textual until other messages are done.
SETTLED_S = 0.1


class Shelter(Vertical):
    """A widget, and in its place, as soon as it or a part of it fails, the fault.

    Args:
        inside: Makes the widget; it may raise.
        instead: Makes what is shown below the fault, or None.
        note: Is told the fault.
    """

    DEFAULT_CSS = """
    Shelter { height: auto; }
    Shelter .fault { height: auto; margin-bottom: 1; padding: 0 1; color: $error;
        border-left: thick $error; }
    """

    def __init__(
        self,
        inside: Callable[[], Widget],
        instead: Callable[[], Widget] | None,
        note: Callable[[BaseException], str],
    ) -> None:
        super().__init__()
        self._inside = inside
        self._instead = instead
        self._note = note
        self._has_failed = False

    async def on_mount(self) -> None:
        """Make the widget."""
        try:
            await self.mount(self._inside())
        except Exception as error:  # noqa: BLE001 - a stranger's code runs here
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Show the fault in place of what is inside."""
        if isinstance(error, WorkerFailed):
            error = error.error
        if not self._has_failed:
            self._has_failed = True
            self.call_later(self._show_fault, error)

    async def _show_fault(self, error: BaseException) -> None:
        await self.remove_children()
        # The next one is the host's own: if it fails too, only the fault is left.
        self._has_failed = False
        instead, self._instead = self._instead, None
        said = Static(Text(display(self._note(error))), markup=False, classes="fault")
        await self.mount(said)
        if instead is not None:
            self._inside = instead
            await self.on_mount()
        self.set_timer(SETTLED_S, self._mend_focus)

    def _mend_focus(self) -> None:
        """A widget that fell over keeps the focus, also when it is gone, and passes no key on."""
        focused = self.screen.focused
        if focused is not None and not focused.is_attached and isinstance(self.parent, Widget):
            self.screen.set_focus(None)
            self.parent.focus()

    def guard(self, widget: Widget) -> None:
        """Have what this widget paints sheltered: all are painted together by the screen."""
        paint = widget.render_lines

        def painted(crop: Region) -> list[Strip]:
            try:
                return paint(crop)
            except Exception as error:  # noqa: BLE001 - a stranger's code runs here
                self.fail(error)
                return [Strip.blank(crop.width)] * crop.height

        # Of this one alone: its class may be used elsewhere.
        setattr(widget, "render_lines", painted)  # noqa: B010 - mypy wants no method assigned


def shelter_around(node: object) -> Shelter | None:
    """The shelter that a part of the screen is in, if any."""
    if not isinstance(node, DOMNode):
        return None
    return next((one for one in node.ancestors if isinstance(one, Shelter)), None)


def shelter_of(error: BaseException) -> Shelter | None:
    """The shelter in which an exception was raised, if any."""
    if isinstance(error, WorkerFailed):
        error = error.error
    return next(filter(None, map(shelter_around, _run_through(error))), None)


def _run_through(error: BaseException) -> Iterator[object]:
    """What had methods under way when it was raised, the outermost first."""
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_locals.get("self")
        trace = trace.tb_next
