"""The kit that plugins are tested with: an action on a file, without a host or a database.

    from mediahost.testing import check_action, run_action

    run_action(Halves(at=0.3), "talk.wav").assert_ranges((0, 3), (3, 10))

pytest finds the fixtures `run_action`, `check_action` and `media_factory` by itself. The names
load on first use, so that a pytest run which has nothing to do with mediahost pays nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediahost.testing.action_run import ActionRun
    from mediahost.testing.conformance import check_action
    from mediahost.testing.media import damaged_copies, write_wav
    from mediahost.testing.run import run_action

_HOMES = {
    "ActionRun": "action_run",
    "check_action": "conformance",
    "damaged_copies": "media",
    "run_action": "run",
    "write_wav": "media",
}

__all__ = ["ActionRun", "check_action", "damaged_copies", "run_action", "write_wav"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mediahost.testing' has no attribute {name!r}")
    value = getattr(import_module(f"mediahost.testing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
