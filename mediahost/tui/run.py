"""Opening the TUI on the store that the settings name, and what is left to say at its end."""

from collections.abc import Sequence

from mediahost.errors import MediahostError, StoreError
from mediahost.plugin.registry import Registry
from mediahost.settings import Settings
from mediahost.tui.app import MediahostApp
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
        TuiCrashed: It met a fault of its own.
    """
    session = Session(settings, make_store(settings), Registry.load(), ascii_only=ascii_only)
    app = MediahostApp(session, theme=theme, global_options=global_options)
    try:
        app.run()
        hosts = _hosts(session)
    finally:
        session.close()
    if app.return_code:
        raise TuiCrashed("The TUI met a fault of its own and was closed")
    if hosts:
        return f"{'A host goes' if hosts == 1 else f'{hosts} hosts go'} on with the jobs."
    return "No host runs: pending jobs wait. Start one with: mediahost work"


def _hosts(session: Session) -> int:
    try:
        return sum(map(is_heard, session.store.hosts()))
    except StoreError:  # nothing can be said of them
        return 0
