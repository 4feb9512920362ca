"""Without colours, with the terminal's own, on light: all can be read and told apart."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot
from textual.widget import Widget

from mediahost.tui.app import MediahostApp

if TYPE_CHECKING:
    from tests.tui.conftest import Tui

THEMES = ["dark", "light", "ansi", "ansi-light"]
STATES = ["▶ processing", "· pending", "✖ failed", "✔ completed", "⊘ cancelled"]


def fill(tui: "Tui") -> None:
    tui.submit(5)
    one, two, _ = tui.claim(3)
    tui.complete(one)
    tui.fail(two)
    pending = next(job for job in tui.store.jobs() if job.attempt == 0)
    tui.store.request_cancel([pending.job_id])


def painted(app: MediahostApp) -> Iterator[list[Segment]]:
    for strip in app.screen._compositor.render_strips():
        yield list(strip)


def seen_on(style: Style | None) -> tuple[object, object]:
    """The colours of letters and of what is behind them, as they are in the end."""
    if style is None:
        return None, None
    pair = (style.color, style.bgcolor)
    return pair[::-1] if style.reverse else pair


def is_readable(app: MediahostApp) -> bool:
    """Whether nothing is written in the colour behind it; the defaults are the terminal's."""
    pairs = [seen_on(one.style) for line in painted(app) for one in line if one.text.strip()]
    return not any(
        letters == behind and letters is not None and not getattr(letters, "is_default", False)
        for letters, behind in pairs
    )


def style_of(app: MediahostApp, text: str) -> Style:
    """How a text is painted where it is seen first."""
    for line in painted(app):
        at = "".join(one.text for one in line).find(text)
        for one in line if at >= 0 else ():
            if at < len(one.text):
                return one.style or Style()
            at -= len(one.text)
    pytest.fail(f"{text!r} is not seen")


@pytest.mark.parametrize("no_color", [False, True])
@pytest.mark.parametrize("theme", THEMES)
def test_states_and_the_cursor_are_seen(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch, theme: str, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    fill(tui)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "1-5 of 5")
        for state in STATES:
            await until(pilot, state)
        await pilot.press("j")
        await until(pilot, lambda _: is_the_only_one(app, 3, no_color=no_color))
        assert is_readable(app)
        await pilot.press("asterisk", "d")
        await until(pilot, "Delete all 5 jobs?")
        assert is_readable(app)
        yes, no = style_of(app, "Delete (y)"), style_of(app, "No (n)")
        assert yes.reverse != no.reverse

    tui.run(steps, theme=theme)


def is_the_only_one(app: MediahostApp, number: int, *, no_color: bool) -> bool:
    """Whether this job's line looks like the cursor, and no other's does."""
    here, *others = (style_of(app, f"-000{one}.wav") for one in (number, *({*range(5)} - {number})))
    if no_color:
        return bool(here.reverse) and not any(one.reverse for one in others)
    return all(seen_on(here)[1] != seen_on(one)[1] for one in others)


@pytest.mark.parametrize("no_color", [False, True])
@pytest.mark.parametrize("theme", THEMES)
def test_where_the_keys_go_is_seen_in_the_form_for_new_jobs(
    tui: "Tui", until: Any, monkeypatch: pytest.MonkeyPatch, theme: str, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)

    async def steps(pilot: Pilot[None], app: MediahostApp) -> None:
        await until(pilot, "There are no jobs yet.")
        await pilot.press("n")
        await until(pilot, "Nothing is chosen yet.")
        tree = app.screen.query_one("MediaTree")
        for name in ("#what", "#preview"):
            widget = app.screen.query_one(name)
            tree.focus()
            await until(pilot, lambda _: tree.has_focus)
            without = first_cell(app, widget)
            widget.focus()
            await until(pilot, lambda _, at=widget, was=without: first_cell(app, at) != was)
            assert is_readable(app)

    tui.run(steps, theme=theme)


def first_cell(app: MediahostApp, widget: Widget) -> tuple[str, Style]:
    """What stands at the top left of a widget, and how it is painted."""
    left = widget.region.x + 1
    for one in list(painted(app))[widget.region.y]:
        if left < len(one.text):
            return one.text[left], one.style or Style()
        left -= len(one.text)
    pytest.fail(f"{widget} is not seen")
