"""The host's own executors, registered through the same door as everybody's.

Each worker loads this module too, so the executors themselves are imported when asked for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediahost.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from mediahost.ports import Executor, ExecutorFactory


# What only executors need whose workers are on other machines.
ELSEWHERE = ("scheduler", "data_dir", "options")


@hookimpl
def mediahost_register_executors() -> Mapping[str, "ExecutorFactory"]:
    """Local: processes on this machine. Inline: a thread of the host itself. Dask: elsewhere."""
    return {"local": _local, "inline": _inline, "dask": _dask}


def _local(**given: Any) -> "Executor":
    for name in ELSEWHERE:
        given.pop(name, None)
    from mediahost.executor.local import LocalExecutor  # noqa: PLC0415 - see the module

    return LocalExecutor(**given)


def _inline(*, plugins: Sequence[str] = (), **_limits: Any) -> "Executor":
    # One thread of the host: limits on the number and the memory of processes don't apply.
    from mediahost.executor.inline import InlineExecutor  # noqa: PLC0415 - see the module

    return InlineExecutor(plugins=plugins)


def _dask(
    *,
    max_rss_bytes: int | None = None,
    scheduler: str | None = None,
    data_dir: Path,
    options: Mapping[str, Any],
    variables: Sequence[str] = (),
    **_given: Any,
) -> "Executor":
    # How many workers there are is Dask's own business.
    from mediahost.executor.dask import DaskExecutor, dask_options  # noqa: PLC0415 - see the module

    return DaskExecutor(
        dask_options(scheduler, data_dir, options),
        max_rss_bytes=max_rss_bytes,
        variables=variables,
    )
