"""Keys that are typed faster than screens open wait for the screen that they are meant for."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

P = ParamSpec("P")
W = TypeVar("W", bound=Widget)

# Who has waited so long for a screen to open wants the keys back.
PATIENCE_S = 5.0
# Most keys are through at once: that is looked at often first.
AT_ONCE = 100
GLANCE_S = 0.01
# These always work.
ALWAYS = ("ctrl+q", "ctrl+c")
# Enter, typed before the terminal was ours: until then it makes the end of a line of it.
LINE_END = "ctrl+j"


class Opening(Message):
    """Has a screen opened: what is typed after it waits for that screen."""


class PatientApp(App[None]):
    """An application that lets in a key once what the keys before it do is done.

    Textual gives a key to what has the focus when it comes. What the keys before it do is done
    later, and a screen opens later still: of `n` and `d`, typed at once, the `d` was for the list.
    """

    def __init__(self) -> None:
        super().__init__()
        self._openings: dict[object, Screen[Any]] = {}
        self._held: deque[events.Key | events.Paste] = deque()
        self._under_way: events.Key | events.Paste | None = None
        self._lets_in = False

    def on_mount(self) -> None:
        """Hear of screens that open."""
        self.screen_change_signal.subscribe(self, self._has_opened, immediate=True)

    def post_message(self, message: Message) -> bool:
        """As ever; what has a screen opened is heard of at once."""
        if isinstance(message, Opening) and self.screen_stack:
            self.expect_screen()
        return super().post_message(message)

    def expect_screen(self) -> object:
        """Have keys wait until a screen has opened, or until what this returns is taken back."""
        opening = object()
        self._openings[opening] = self.screen
        return opening

    def take_back(self, opening: object) -> None:
        """No screen opens, or it has been there."""
        self._openings.pop(opening, None)

    def _has_opened(self, screen: Screen[Any]) -> None:
        # That one has opened which was there already is told late.
        self._openings = {key: at for key, at in self._openings.items() if at is screen}

    async def on_event(self, event: events.Event) -> None:
        """Let a key in, or keep it until its time has come."""
        if isinstance(event, events.Key) and event.key == LINE_END:
            event = events.Key("enter", "\r")
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif not self.screen_stack:  # it is being left
            return
        elif getattr(event, "key", "") in ALWAYS:
            await super().on_event(event)
        elif event.is_forwarded:  # it comes back: what it does is done here
            if self._is_opening:
                self._held.appendleft(_anew(event))
                self._let_in_later()
            else:
                await super().on_event(event)
            self._end(event)
        elif event is self._under_way or not (self._held or self._must_wait):
            await self._pass_on(event)
        else:
            self._held.append(event)
            self._let_in_later()

    async def _pass_on(self, event: events.Key | events.Paste) -> None:
        self._under_way = event
        # Sent by the application, it would count as stopped before it has come back to it.
        event.set_sender(self.focused or self.screen)
        await super().on_event(event)
        if isinstance(event, events.Paste) or not event.is_forwarded:
            self._end(event)

    async def action_simulate_key(self, key: str) -> None:
        """Do what another key does, now: not after all that was typed meanwhile."""
        if not await self._check_bindings(key):
            self.simulate_key(key)

    @property
    def _is_opening(self) -> bool:
        return bool(self._openings) or not self.screen.is_mounted

    @property
    def _must_wait(self) -> bool:
        """Whether a screen opens, or the key before is still on its way."""
        before = self._under_way
        is_done = before is None or before._stop_propagation  # noqa: SLF001 - nothing else tells
        return not is_done or self._is_opening

    def _end(self, event: events.Event) -> None:
        if event is self._under_way:
            self._under_way = None

    def _let_in_later(self) -> None:
        if not self._lets_in:
            self._lets_in = True
            self.run_worker(self._let_in(), group="held keys")

    async def _let_in(self) -> None:
        while self._held and self.screen_stack:
            await self._until_it_may()
            if self._held:
                self._under_way = _anew(self._held.popleft())
                self.post_message(self._under_way)
        self._lets_in = False

    async def _until_it_may(self) -> None:
        looks = 0
        began = time.monotonic()
        while self.screen_stack and self._must_wait:
            looks += 1
            await asyncio.sleep(0 if looks < AT_ONCE else GLANCE_S)
            waited = time.monotonic() - began
            if waited < PATIENCE_S:
                continue
            self._under_way = None  # what it went to is gone
            if self._openings:
                self._openings.clear()
                self._held.clear()
                self.notify("Nothing has opened: what was typed meanwhile is dropped")


def opens(
    action: Callable[Concatenate[W, P], Awaitable[object]],
) -> Callable[Concatenate[W, P], None]:
    """An action that may open a screen, done by a worker: what is typed after it waits for that.

    Where rows are awaited, it is put off until they are there.
    """

    @wraps(action)
    def acted(self: W, /, *args: P.args, **kwargs: P.kwargs) -> None:
        app = self.app
        opening = app.expect_screen() if isinstance(app, PatientApp) else None

        async def act() -> None:
            try:
                await action(self, *args, **kwargs)
            finally:
                if isinstance(app, PatientApp):
                    app.take_back(opening)

        def begin() -> None:
            self.run_worker(act(), group="opens")

        getattr(self, "when_there", _at_once)(begin)

    return acted


def _at_once(act: Callable[[], object]) -> None:
    act()


def _anew(event: events.Key | events.Paste) -> events.Key | events.Paste:
    """The same, as if it had just come."""
    if isinstance(event, events.Key):
        return events.Key(event.key, event.character)
    return events.Paste(event.text)
