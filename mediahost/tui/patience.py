"""Keys that are typed faster than screens open wait for the screen that they are meant for."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from textual import events
from textual.app import App
from textual.message import Message
from textual.widget import Widget

P = ParamSpec("P")
W = TypeVar("W", bound=Widget)

# Who has waited so long for a screen to open wants the keys back.
PATIENCE_S = 5.0
GLANCE_S = 0.01
# These always work.
ALWAYS = ("ctrl+q", "ctrl+c")


class Opening(Message):
    """Has a screen opened: what is typed after it waits for that screen."""


class PatientApp(App[None]):
    """An application that gives each key to whom it goes once all before it are done.

    Textual gives a key to what has the focus when it comes. What the keys before it do is done
    later, and a screen opens later still: of `n` and `d`, typed at once, the `d` was for the list.
    """

    def __init__(self) -> None:
        super().__init__()
        self._openings: set[object] = set()
        self._held: list[events.Key | events.Paste] = []
        self._went_to: WeakKeyDictionary[events.Event, Widget] = WeakKeyDictionary()

    def on_mount(self) -> None:
        """Hear of screens that open."""
        self.screen_change_signal.subscribe(self, self._has_opened, immediate=True)

    def post_message(self, message: Message) -> bool:
        """As ever; what has a screen opened is heard of at once."""
        if isinstance(message, Opening):
            self.expect_screen()
        return super().post_message(message)

    def expect_screen(self) -> object:
        """Have keys wait until a screen has opened, or until what this returns is taken back."""
        opening = object()
        self._openings.add(opening)
        return opening

    def take_back(self, opening: object) -> None:
        """No screen opens, or it has been there."""
        self._openings.discard(opening)

    def _has_opened(self, _screen: object) -> None:
        self._openings.clear()

    @property
    def _is_opening(self) -> bool:
        return bool(self._openings) or not self.screen.is_mounted

    async def on_event(self, event: events.Event) -> None:
        """Let a key through, or keep it until a screen is there."""
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif not self.screen_stack:  # it is being left
            return
        elif (self._is_opening or self._held) and getattr(event, "key", "") not in ALWAYS:
            self._hold(event)
        elif not event.is_forwarded:
            self._went_to[event] = self._goes_to
            await super().on_event(event)
        elif self._went_to.pop(event, self._goes_to) is self._goes_to:
            await super().on_event(event)
        else:  # nobody took it there, and the keys before it have moved the focus meanwhile
            await self.on_event(_anew(event))

    async def action_simulate_key(self, key: str) -> None:
        """Do what another key does, now: not after all that was typed meanwhile."""
        if not await self._check_bindings(key):
            self.simulate_key(key)

    @property
    def _goes_to(self) -> Widget:
        return self.focused or self.screen

    def _hold(self, event: events.Key | events.Paste) -> None:
        self._held.append(event)
        if len(self._held) == 1:
            self.run_worker(self._wait_for_screen(), group="held keys")

    async def _wait_for_screen(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self.screen_stack and self._is_opening:  # noqa: ASYNC110 - nothing tells that a screen is mounted
                    await asyncio.sleep(GLANCE_S)
        except TimeoutError:
            self._openings.clear()
            self._held.clear()
            self.notify("Nothing has opened: what was typed meanwhile is dropped")
        else:
            self.call_next(self._let_in)

    async def _let_in(self) -> None:
        # One that came back unused may have been typed before one that came to be held earlier.
        held, self._held = sorted(self._held, key=lambda event: event.time), []
        for event in held:
            await self.on_event(_anew(event))


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
    again = (
        events.Key(event.key, event.character)
        if isinstance(event, events.Key)
        else events.Paste(event.text)
    )
    again.time = event.time
    return again
