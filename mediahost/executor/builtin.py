"""The host's own executors, registered through the same door as everybody's.

Each worker loads this module too, so the executors themselves are imported when asked for.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mediahost.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from mediahost.ports import Executor, ExecutorFactory


@hookimpl
def mediahost_register_executors() -> Mapping[str, "ExecutorFactory"]:
    """Local: processes on this machine. Inline: threads of the host itself."""
    return {"local": _local, "inline": _inline}


def _local(**options: Any) -> "Executor":
    from mediahost.executor.local import LocalExecutor  # noqa: PLC0415 - see the module

    return LocalExecutor(**options)


def _inline(*, plugins: Sequence[str] = (), **_limits: Any) -> "Executor":
    # One thread of the host: limits on the number and the memory of processes don't apply.
    from mediahost.executor.inline import InlineExecutor  # noqa: PLC0415 - see the module

    return InlineExecutor(plugins=plugins)
