"""The folders of the person who runs mediahost: data, settings and caches."""

from pathlib import Path

import platformdirs

from mediahost.errors import SettingsError


def user_data_folder() -> Path:
    """Where results and artifacts are kept unless `data_dir` says otherwise.

    Raises:
        SettingsError: The user has no home folder.
    """
    return _folder("user_data_path")


def user_config_folder() -> Path:
    """Where the person's own settings are.

    Raises:
        SettingsError: The user has no home folder.
    """
    return _folder("user_config_path")


def user_cache_folder() -> Path:
    """Where files are kept that can be made again.

    Raises:
        SettingsError: The user has no home folder.
    """
    return _folder("user_cache_path")


def _folder(kind: str) -> Path:
    try:
        path: Path = getattr(platformdirs, kind)("mediahost", appauthor=False)
    except RuntimeError:
        raise SettingsError(
            "This user has no home folder", "Set HOME to a folder that this user can write to."
        ) from None
    return path
