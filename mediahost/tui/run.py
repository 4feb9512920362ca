"""Opening the TUI on the store that the settings name, and what is left to say at its end."""

from collections.abc import Sequence

from mediahost.errors import MediahostError, StoreError
from mediahost.executor.environments import load_registry
from mediahost.settings import Settings
from mediahost.tui.app import MediahostApp
from mediahost.tui.drawers import drawer_of
from mediahost.tui.hosts import is_heard
from mediahost.tui.session import Session
from mediahost.wiring import make_store


class TuiCrashed(MediahostError):
    """The TUI met a fault of its own."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h


def run_tui(
    settings: Settings, *, theme: str, ascii_only: bool, global_options: Sequence[str]
) -> str:
    """Run the TUI until it is left; returns the sentence to leave with.

    Raises:
        StoreError: The store can't be used.
        UsageError: Pictures can't be drawn as the settings want it.
        TuiCrashed: It met a fault of its own.
    """
    pictures = "off" if ascii_only else settings.tui_pictures
    drawer = drawer_of(pictures)
    registry, _ = load_registry(settings.plugins_dir)
    store = make_store(settings, browse=True)
    session = Session(settings, store, registry, pictures=pictures != "off")
    try:
        app = MediahostApp(
            session,
            theme=theme,
            ascii_only=ascii_only,
            drawer=drawer,
            global_options=global_options,
        )
        app.run()
        hosts = _hosts(session)
    finally:
        session.close()
    if app.return_code:
        hint = f"Where it happened is in {app.report}" if app.report else None
        raise TuiCrashed("The TUI met a fault of its own and was closed; hosts go on", hint)
    if hosts:
        return f"{'A host goes' if hosts == 1 else f'{hosts} hosts go'} on with the jobs."
    return "No host runs: pending jobs wait. Start one with: mediahost work"


def _hosts(session: Session) -> int:
    try:
        return sum(map(is_heard, session.roster.views()))
    except StoreError:  # nothing can be said of them
        return 0
