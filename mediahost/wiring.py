"""From settings to a host: the only place that names concrete classes."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mediahost.errors import UnknownName
from mediahost.executor.environments import load_registry
from mediahost.executor.isolated import IsolatedExecutor
from mediahost.host.host import Host
from mediahost.host.life_locks import LifeLocks
from mediahost.plugin.registry import Registry
from mediahost.ports import Executor, RemoteFiles, Store
from mediahost.remote.allowed import Allowed
from mediahost.remote.cache import RemoteCache
from mediahost.settings import Settings
from mediahost.store.glance import glance_first

if TYPE_CHECKING:
    from mediahost.store import SqlStore

MIB = 1 << 20


def make_store(settings: Settings, *, browse: bool = False) -> "SqlStore":
    """The store that the settings name, made if it is not there yet.

    Args:
        settings: The settings.
        browse: Only to look: a newer mediahost's store will do.

    Raises:
        StoreError: It can't be used.
    """
    from mediahost.store import open_store  # noqa: PLC0415 - half of a start, not always needed

    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    is_gone = LifeLocks(settings.data_dir).is_let_go
    return open_store(settings.store_url, settings.hash_algorithm, browse=browse, is_gone=is_gone)


def make_host(
    settings: Settings,
    registry: Registry | None = None,
    *,
    browse: bool = False,
    reading: AbstractContextManager[object] | None = None,
) -> Host:
    """A host by these settings, with all installed plugins unless given others.

    Args:
        settings: The settings.
        registry: The plugins; None: all that are installed.
        browse: Only to look: a newer mediahost's store will do.
        reading: Entered while plugins are loaded.

    Raises:
        StoreError: The store can't be used.
        UnknownName: No plugin has the executor that the settings name.
    """
    make = partial(make_store, settings, browse=browse)
    return _assembled(
        settings,
        registry,
        lambda: glance_first(settings.store_url, settings.hash_algorithm, make),
        reading,
    )


def make_watched_host(
    settings: Settings, registry: Registry | None = None
) -> "tuple[Host, SqlStore]":
    """A host, and its store as one that remembers watches; the host closes it.

    Raises:
        StoreError: The store can't be used.
        UnknownName: No plugin has the executor that the settings name.
    """
    host = _assembled(settings, registry, partial(make_store, settings))
    return host, cast("SqlStore", host.store)


def _assembled(
    settings: Settings,
    registry: Registry | None,
    make_its_store: Callable[[], Store],
    reading: AbstractContextManager[object] | None = None,
) -> Host:
    # The store comes last: what is wrong with the settings is said before a file is made.
    with reading or nullcontext():
        plugins, interpreters = (registry, {}) if registry else load_registry(settings.plugins_dir)
        make_executor = _executor_factory(settings, plugins, interpreters)
    store = make_its_store()
    return Host(settings, store, plugins, make_executor, time, remote=make_remote(settings))


def make_remote(settings: Settings) -> RemoteFiles:
    """What fetches media files by URL, as far as the settings allow it."""
    return RemoteCache(
        settings.data_dir / "remote",
        Allowed(settings.remote_allow, settings.remote_networks),
        max_bytes=settings.remote_max_mb * MIB,
        limit_s=settings.remote_timeout_s,
        keep_bytes=settings.remote_keep_mb * MIB,
        options=settings.remote_options,
    )


def check_executor(settings: Settings) -> None:
    """Start the executor that the settings name, and stop it again.

    Raises:
        UnknownName: No plugin has it.
        MediahostError: It can't start.
    """
    executor = _executor_factory(settings, Registry.load(), {})()
    executor.start(lambda _event: None)
    executor.stop(drain=True, grace_s=settings.cancel_grace_s)


def _executor_factory(
    settings: Settings, registry: Registry, interpreters: Mapping[str, Path]
) -> Callable[[], Executor]:
    executors = registry.executors()
    if settings.executor not in executors:
        raise UnknownName("executor", settings.executor, executors)
    limit = settings.max_memory_mb
    make = partial(
        executors[settings.executor],
        workers=settings.workers,
        max_rss_bytes=limit * MIB if limit else None,
        pools=settings.pools,
        scheduler=settings.scheduler,
        data_dir=settings.data_dir,
        options=settings.executor_options,
        variables=settings.worker_variables,
    )

    def make_executor() -> Executor:
        main: Executor = make()
        # Only the local one is known to start the interpreter that it is told.
        if settings.executor != "local" or not interpreters:
            return main
        return IsolatedExecutor(main, interpreters, lambda python: make(python=str(python)))

    return make_executor
