"""A context in an empty folder, and a registry with nothing but the host's own hooks."""

from pathlib import Path

import pytest

from mediahost import Context
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.plugin import builtin
from mediahost.plugin.registry import PluginRow, Registry


@pytest.fixture
def context(tmp_path: Path) -> Context:
    workdir = tmp_path / "workdir"
    workdir.mkdir()
    return Context(workdir)


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.register(builtin, PluginRow("builtin", "mediahost", "0"))
    return registry


@pytest.fixture
def media(tmp_path: Path) -> MediaFile:
    path = tmp_path / "talk.wav"
    path.write_bytes(b"sound")
    return MediaFile(path, MediaKind.AUDIO)
