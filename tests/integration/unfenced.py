"""A host without the fence: what `mediahost work` would be without it. For a control.

    python unfenced.py

SIGTERM lets it finish what it has.
"""

import signal

from mediahost.settings import load_settings
from mediahost.store import attempts
from mediahost.wiring import make_host


def main() -> None:
    """Work, and commit whatever comes, whoever the job belongs to by now."""
    attempts.Attempts.renew = lambda _self, _host, tokens, _lease_s: set(tokens)
    attempts._held = lambda _connection, _host, tokens: dict.fromkeys(tokens, False)
    with make_host(load_settings()) as host:
        signal.signal(signal.SIGTERM, lambda *_: host.drain())
        host.work(forever=True)


if __name__ == "__main__":
    main()
