"""The command line: the whole program without the TUI.

Exit codes: 0 all good, 1 some jobs failed, 2 usage, 3 the store or the settings can't be used,
70 a fault of mediahost itself, 130 interrupted (Ctrl-C), 143 terminated.
"""

import gc
import os
import signal
import sys
import time

SIGNAL_BASE = 128


def main() -> None:
    """The console script `mediahost`."""
    if sys.argv[1:] == ["--version"]:  # before anything is imported
        from mediahost import __version__

        sys.stdout.write(f"mediahost {__version__}\n")
        return
    # Ten thousand rows are no garbage, and looking for some in them again and again costs more
    # than a tenth of a run over as many files. Nor are the 160,000 objects of all that a run
    # loads: one look through them takes 40 ms.
    gc.set_threshold(200_000, 50, 50)
    # Whoever closed them wants to hear nothing.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 - as those they stand for
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115 - the same
    # Names of files may not be UTF-8, nor may the terminal be.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit_in_order)
    try:
        if "run" in sys.argv and _was_repeated():
            return
        if sys.argv[1:2] == ["run"]:
            from mediahost.cli.run_alone import run_app
        else:
            from mediahost.cli.app import run_app

        code = run_app()
    except KeyboardInterrupt:  # before there was anything to tell of
        code = SIGNAL_BASE + signal.SIGINT
    sys.exit(code)


def _was_repeated() -> bool:
    """Look through the folders of a run that was asked for before; tell if all was cached."""
    from mediahost.cli.output import interrupted, tally
    from mediahost.cli.repeat import sift_repeat

    began = time.monotonic()
    try:
        sifted = sift_repeat(sys.argv[1:])
    except KeyboardInterrupt:
        interrupted()
        sys.exit(SIGNAL_BASE + signal.SIGINT)
    if sifted is None:
        return False
    if not sifted.is_all_cached:
        from mediahost.cli.state import state

        state.sifted = sifted
        return False
    done = sifted.unchanged
    counts = {"done": 0, "cached": done.results, "failed": 0}
    took_s = time.monotonic() - began
    try:
        sys.stdout.write(tally(done.files, counts, 0, took_s, done.saved_ms) + "\n")
        sys.stdout.flush()
    except OSError:
        return False  # whatever is wrong, the run itself will say it
    return True


def _exit_in_order(number: int, _frame: object) -> None:
    """Unwind as on Ctrl-C, so that jobs are given back before the process ends."""
    sys.exit(SIGNAL_BASE + number)
