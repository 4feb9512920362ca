"""The command line: the whole program without the TUI.

Exit codes: 0 all good, 1 some jobs failed, 2 usage, 3 the store or the settings can't be used,
70 a fault of mediahost itself, 130 interrupted (Ctrl-C), 143 terminated.
"""

import gc
import sys


def main() -> None:
    """The console script `mediahost`."""
    if sys.argv[1:] == ["--version"]:  # before anything is imported
        from mediahost import __version__

        sys.stdout.write(f"mediahost {__version__}\n")
        return
    # Ten thousand rows are no garbage, and looking for some in them again and again costs more
    # than a tenth of a run over as many files.
    gc.set_threshold(100_000, 50, 50)
    from mediahost.cli.app import run_app

    sys.exit(run_app())
