"""What the global options said, and the settings and hosts made of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mediahost.errors import SettingsError

if TYPE_CHECKING:
    from mediahost.host.host import Host
    from mediahost.host.unchanged import Sifted
    from mediahost.plugin.registry import Registry
    from mediahost.settings import Settings
    from mediahost.store import SqlStore


@dataclass
class State:
    """The global options of this call, and the folders that it has looked through already.

    Attributes:
        settings_file, data_dir, debug: As given.
        asks: A person at a terminal may be asked: it is no completion.
        sifted: The folders.
    """

    settings_file: Path | None = None
    data_dir: Path | None = None
    debug: bool = False
    asks: bool = False
    sifted: "Sifted | None" = None

    def settings(self, **changes: object) -> "Settings":
        """The settings, with changes from the command's own options; None changes nothing."""
        from mediahost.settings import load_settings
        from mediahost.trust import UntrustedSettings

        given = {name: value for name, value in changes.items() if value is not None}
        if self.data_dir is not None:
            given["data_dir"] = self.data_dir
        try:
            return load_settings(self.settings_file, overrides=given)
        except UntrustedSettings as error:
            from mediahost.cli.trust import ask_to_trust

            if not (self.asks and ask_to_trust(error)):
                raise
        # Read again: should it be another file by now, it is not the one that was trusted.
        return load_settings(self.settings_file, overrides=given)

    def host(
        self,
        *,
        browse: bool = False,
        reading: AbstractContextManager[object] | None = None,
        **changes: object,
    ) -> "Host":
        """A host by these settings; to browse, a newer mediahost's store will do.

        Plugins are loaded within `reading`.
        """
        from mediahost.wiring import make_host

        settings = _with_folder(self.settings(**changes))
        return make_host(settings, browse=browse, reading=reading)

    def watched_host(self, **changes: object) -> "tuple[Host, SqlStore]":
        """A host by these settings, and its store as one that remembers watches."""
        from mediahost.wiring import make_watched_host

        return make_watched_host(_with_folder(self.settings(**changes)))

    def as_options(self) -> list[str]:
        """The global options as they would be written for another call."""
        options: list[str] = []
        if self.settings_file is not None:
            options += ["--settings", str(self.settings_file.absolute())]
        if self.data_dir is not None:
            options += ["--data-dir", str(self.data_dir.absolute())]
        return options

    def registry(self) -> "Registry":
        """The plugins, those in environments of their own too."""
        from mediahost.executor.environments import load_registry

        return load_registry(self.settings().plugins_dir)[0]

    @contextmanager
    def store(self, *, browse: bool = False) -> Iterator["SqlStore"]:
        """The store alone, for commands that run nothing; to browse, a newer one will do."""
        from mediahost.wiring import make_store

        store = make_store(_with_folder(self.settings()), browse=browse)
        try:
            yield store
        finally:
            store.close()


def _with_folder(settings: "Settings") -> "Settings":
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"The data folder {settings.data_dir} can't be made: {error.strerror}",
            "Set data_dir, MEDIAHOST_DATA_DIR or --data-dir to a folder that you may write to.",
        ) from None
    return settings


state = State()
