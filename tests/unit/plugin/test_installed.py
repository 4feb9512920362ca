"""What is known of plugins without running them."""

from importlib import invalidate_caches
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mediahost.plugin.installed import may_implement, shipped_with, under_development

PLUGINS = Path(__file__).parents[3] / "plugins"
HOOK = "mediahost_register_commands"
SOURCE = f"raise SystemExit('this was run')\ndef {HOOK}(): ...\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("mediahost.plugin.installed.entry_points", lambda group: [])
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def named(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setenv("MEDIAHOST_PLUGINS", ":".join(names))
    invalidate_caches()  # folders that were looked into before they were filled


def test_the_shipped_plugins_add_no_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDIAHOST_PLUGINS", raising=False)
    assert not may_implement(HOOK)
    assert may_implement("mediahost_register_actions")


def test_each_name_under_development_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "one", "", "two", "one")
    assert under_development() == ["one", "two"]


def test_a_file_is_read_and_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "plain.py").write_text("raise SystemExit('this was run')")
    named(monkeypatch, str(folder / "plain.py"))
    assert not may_implement(HOOK)
    (folder / "plain.py").write_text(SOURCE)
    assert may_implement(HOOK)


def test_a_module_is_found_by_its_dotted_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = folder / "invented_outer" / "inner"
    package.mkdir(parents=True)
    (folder / "invented_outer" / "__init__.py").write_text(SOURCE)
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text("")
    named(monkeypatch, "invented_outer.inner.plugin")
    assert not may_implement(HOOK), "its own source counts, not what it stands in"
    (package / "plugin.py").write_text(SOURCE)
    assert may_implement(HOOK)


@pytest.mark.parametrize("value", ["invented_package", "invented_package.commands:Plugin"])
def test_a_package_may_take_its_hooks_from_any_of_its_modules(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    package = folder / "invented_package"
    package.mkdir()
    (package / "__init__.py").write_text("from invented_package.commands import *")
    (package / "commands.py").write_text("")
    named(monkeypatch)
    point = EntryPoint("invented", value, "mediahost")
    monkeypatch.setattr("mediahost.plugin.installed.entry_points", lambda group: [point])
    assert not may_implement(HOOK)
    (package / "hooks.py").write_text(SOURCE)
    assert may_implement(HOOK)


def test_what_has_no_source_may_implement_anything(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, "no_such_module_anywhere")
    assert may_implement(HOOK)
    named(monkeypatch, str(folder / "missing.py"))
    assert may_implement(HOOK)


@pytest.mark.parametrize("distribution", sorted(each.name for each in PLUGINS.glob("mediahost-*")))
def test_what_mediahost_ships_is_known_by_its_actions_first_word(distribution: str) -> None:
    word = distribution.removeprefix("mediahost-")
    assert shipped_with(f"{word}.anything") == distribution
    assert shipped_with(f"x{word}.anything") is None
