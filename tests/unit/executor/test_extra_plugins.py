from pathlib import Path

import pytest

from mediahost.plugin.registry import Registry

PLUGIN = """
from mediahost import Action, Analyzer, MediaAnalysisResult, hookimpl

class One(Analyzer, name="{name}.one"):
    def analyze(self, media, context):
        return MediaAnalysisResult()

@hookimpl
def mediahost_register_actions():
    return [One]
"""


def test_a_plugin_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "json.py"
    path.write_text(PLUGIN.format(name="mine"))
    registry = Registry.load(extra=[str(path)])
    assert registry.action("mine.one").__module__ == "mediahost_plugin_json"


def test_plugins_under_development_are_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(PLUGIN.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDIAHOST_PLUGINS", "./first.py:second")
    registry = Registry.load(extra=["second"])
    names = {action.info.name for action in registry.actions()}
    assert {"first.one", "second.one"} <= names


@pytest.mark.parametrize("name", ["no_such_module", "/no/such/file.py"])
def test_one_that_can_not_be_loaded_is_a_row_with_its_error(name: str) -> None:
    row = next(row for row in Registry.load(extra=[name]).rows if row.name == name)
    assert row.error is not None
    assert row.error.startswith(f"Plugin {name} can't be loaded: ")
