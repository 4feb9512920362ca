"""The application with the command `run` alone: it is called most, and has the least to load."""

from mediahost.cli.program import call, new_app


def run_app() -> int:
    """Run the command of `sys.argv`, which is `run`; returns the exit code."""
    return call(new_app())
