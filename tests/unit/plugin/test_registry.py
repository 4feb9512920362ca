"""The registry: a broken plugin is a row with its error, the others live."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl
from mediahost.errors import ActionConflict, UnknownName
from mediahost.plugin.registry import PluginRow, Registry


class Looks(Analyzer, name="test.looks"):
    """Look."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


class Nameless(Looks):
    """Inherits a name, but has none of its own."""


class Unfinished(Analyzer, name="test.unfinished"):
    """Has no analyze."""


def _plugin(**hooks: Callable[..., Any]) -> Any:
    module = ModuleType("plugin")
    vars(module).update({name: hookimpl(function) for name, function in hooks.items()})
    return module


def _registering(*actions: Any) -> Any:
    return _plugin(mediahost_register_actions=lambda: list(actions))


def _row(name: str = "tested", distribution: str = "mediahost-tested") -> PluginRow:
    return PluginRow(name, distribution, "1.0")


WorkingModule = Callable[[str, str], EntryPoint]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkingModule:
    """Writes a module and gives an entry point that leads to it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, code: str) -> EntryPoint:
        (tmp_path / f"{name}.py").write_text(code)
        return EntryPoint(name, name, "mediahost")

    return write


GOOD = """
from mediahost import Analyzer, hookimpl, MediaAnalysisResult

class Good(Analyzer, name="{0}.good"):
    def analyze(self, media, context):
        return MediaAnalysisResult()

@hookimpl
def mediahost_register_actions():
    return [Good]
"""


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit('sorry')", "SystemExit: sorry"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
    ],
)
def test_a_plugin_that_cant_be_imported_is_a_row_with_its_error(
    module: WorkingModule, code: str, complaint: str
) -> None:
    registry = Registry()
    registry.load_entry_point(module("breaks_on_import", code))
    registry.load_entry_point(module("loads_after_it", GOOD.format("after")))
    broken, good = registry.rows
    assert (broken.error or "").startswith("Plugin breaks_on_import can't be loaded: ")
    assert complaint in (broken.error or "")
    assert "\n" not in (broken.error or "")
    assert "Traceback" in broken.traceback
    assert (good.error, good.actions) == (None, ["after.good"])


def test_an_entry_point_that_leads_nowhere_is_a_row_with_its_error() -> None:
    registry = Registry()
    registry.load_entry_point(EntryPoint("lost", "json:no_such_thing", "mediahost"))
    assert "AttributeError" in (registry.rows[0].error or "")


@pytest.mark.parametrize(
    ("plugin", "complaint"),
    [
        (_plugin(mediahost_regster_actions=lambda: [Looks]), "mediahost_regster_actions"),
        (_plugin(mediahost_event=lambda happening: None), "happening"),
        (_registering(Nameless), "its action Nameless has no name="),
        (_registering(Unfinished), "its action Unfinished doesn't define analyze"),
        (_registering("test.looks"), "it registered 'test.looks', which is no action class"),
        (_registering(Looks()), "which is no action class"),
        (_registering(Analyzer), "its action Analyzer has no name="),
        (_plugin(mediahost_register_actions=lambda: Looks), "TypeError"),
        (_plugin(mediahost_register_actions=lambda: 1 / 0), "ZeroDivisionError"),
        (_plugin(mediahost_register_actions=lambda: sys.exit(1)), "SystemExit"),
    ],
)
def test_a_plugin_that_breaks_the_contract_is_a_row_with_its_error(
    registry: Registry, plugin: Any, complaint: str
) -> None:
    row = _row()
    registry.register(plugin, row)
    assert (row.error or "").startswith("Plugin tested breaks the contract of its hooks: ")
    assert complaint in (row.error or "")
    assert not registry.plugins.is_registered(plugin)
    after = _row("after")
    registry.register(_registering(Looks), after)
    assert after.error is None
    assert registry.action("test.looks") is Looks


def test_a_plugin_without_actions_is_fine(registry: Registry) -> None:
    row = _row()
    registry.register(_plugin(mediahost_event=lambda event: None), row)
    assert (row.error, row.actions) == (None, [])


def test_two_distributions_may_give_their_plugins_one_name(registry: Registry) -> None:
    one, other = _row("plugin", "mediahost-one"), _row("plugin", "mediahost-other")
    registry.register(_registering(Looks), one)
    registry.register(_plugin(mediahost_event=lambda event: None), other)
    assert (one.error, other.error) == (None, None)


def test_a_plugin_that_is_announced_twice_works_once(registry: Registry) -> None:
    plugin = _registering(Looks)
    first, second = _row("first"), _row("second")
    registry.register(plugin, first)
    registry.register(plugin, second)
    assert first.error is None
    assert second.error
    assert registry.action("test.looks") is Looks
    assert registry.plugins.is_registered(plugin)


def test_an_action_that_two_plugins_claim_is_neithers(registry: Registry) -> None:
    class Sees(Analyzer, name="test.looks"):
        """Look, too."""

        def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
            return MediaAnalysisResult()

    one, other = _row("one", "mediahost-one"), _row("other", "mediahost-other")
    registry.register(_registering(Looks), one)
    registry.register(_registering(Sees), other)
    with pytest.raises(ActionConflict) as caught:
        registry.action("test.looks")
    sentence = "Action test.looks is claimed by one (mediahost-one) and other (mediahost-other)"
    assert caught.value.message == sentence
    assert one.error == other.error == sentence
    assert list(registry.actions()) == []


def test_an_unknown_action_is_refused_with_a_suggestion(registry: Registry) -> None:
    registry.register(_registering(Looks), _row())
    with pytest.raises(
        UnknownName, match=r"No action named 'test\.lokos'; did you mean test\.looks"
    ):
        registry.action("test.lokos")


def test_a_missing_action_may_be_a_broken_plugins(module: WorkingModule) -> None:
    registry = Registry()
    registry.load_entry_point(module("breaks_too", "1 / 0"))
    with pytest.raises(UnknownName) as caught:
        registry.action("breaks.too")
    assert "These plugins are broken: breaks_too." in (caught.value.hint or "")


def test_a_shipped_action_that_is_not_installed_says_how_to_get_it(registry: Registry) -> None:
    with pytest.raises(UnknownName) as caught:
        registry.action("speech.vad")
    assert caught.value.hint == "Install it with: mediahost plugins install mediahost-speech"
    registry.rows.append(_row("speech", "mediahost-speech"))
    with pytest.raises(UnknownName) as caught:
        registry.action("speech.wad")
    assert caught.value.hint == "See them all with: mediahost plugins list"


def test_actions_come_by_name(registry: Registry) -> None:
    class Adds(Looks, name="test.adds"):
        """Sort before."""

    registry.register(_registering(Looks, Adds), _row())
    assert list(registry.actions()) == [Adds, Looks]


def test_executors_of_a_broken_plugin_dont_cost_those_of_the_others(registry: Registry) -> None:
    bad, good = _row("bad"), _row("good")
    factory = object()
    registry.rows += [bad, good]
    registry.register(_plugin(mediahost_register_executors=lambda: {"good": factory}), good)
    registry.register(_plugin(mediahost_register_executors=lambda: 1 / 0), bad)
    assert registry.executors() == {"good": factory}
    assert "can't give its executors: ZeroDivisionError" in (bad.error or "")
    assert good.error is None


def test_listing_the_installed_plugins_imports_none_of_them() -> None:
    code = (
        "import sys; from mediahost.plugin.installed import installed; "
        "names = [point.name for point in installed()]; "
        "print('builtin' in names, 'mediahost.plugin.builtin' in sys.modules, "
        "'mediahost.executor' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "False", "False"]


def test_a_plugin_under_development_is_loaded_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text(GOOD.format("draft"))
    monkeypatch.setenv("MEDIAHOST_PLUGINS", os.pathsep.join([str(tmp_path / "json.py"), "gone.py"]))
    registry = Registry.load()
    assert registry.action("draft.good")
    assert [bool(row.error) for row in registry.rows[-2:]] == [False, True]
    assert isinstance(sys.modules["json"], ModuleType)
    assert not (sys.modules["json"].__file__ or "").startswith(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mediahost_plugin_json")
