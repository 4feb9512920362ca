"""A host without the fence: what `mediahost work --drain` would be without it. For a control.

    python unfenced.py SECONDS

SECONDS is how long it works.
"""

import sys
import threading

from mediahost.settings import load_settings
from mediahost.store import attempts
from mediahost.wiring import make_host


def main() -> None:
    """Work, and commit whatever comes, whoever the job belongs to by now."""
    attempts.Attempts.renew = lambda _self, _host, tokens, _lease_s: set(tokens)
    attempts._held = lambda _connection, _host, tokens: dict.fromkeys(tokens, False)
    with make_host(load_settings()) as host:
        threading.Timer(float(sys.argv[1]), host.drain).start()
        host.work(forever=True)


if __name__ == "__main__":
    main()
