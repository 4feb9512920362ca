"""One plugin's fault reaches nobody else: at import, in each hook, and how to get out of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

HOOKS = """
from mediahost import hookimpl
@hookimpl
def mediahost_plan_jobs(media, proposed): proposed.clear(); raise RuntimeError("plan boom")
@hookimpl
def mediahost_probe_media(path): raise RuntimeError("probe boom")
@hookimpl
def mediahost_worker_started(worker): raise RuntimeError("worker boom")
@hookimpl
def mediahost_register_commands(): raise RuntimeError("commands boom")
@hookimpl
def mediahost_register_views(): raise RuntimeError("views boom")
@hookimpl
def mediahost_register_executors(): raise RuntimeError("exec boom")
@hookimpl
def mediahost_register_models(): raise RuntimeError("models boom")
@hookimpl
def mediahost_diagnose(): raise RuntimeError("diagnose boom")
"""
GOOD = """
from mediahost import Analyzer, MediaAnalysisResult, MediaInfo, hookimpl
from mediahost.model.finding import Finding
import typer
class Ask(Analyzer, name="good.ask", version=1, accepts={"audio"}):
    def analyze(self, media, context):
        return MediaAnalysisResult(metadata={"container": context.probe(media).container})
@hookimpl
def mediahost_register_actions(): return [Ask]
@hookimpl
def mediahost_probe_media(path):
    return MediaInfo(container="good", duration=1.0)
@hookimpl
def mediahost_register_commands():
    return {"good-command": lambda: typer.echo("it works")}
@hookimpl
def mediahost_diagnose(): return [Finding("ok", "good is well")]
"""


@pytest.fixture
def with_plugins(home: "Home") -> "Home":
    """A home whose plugins are a good one between others that fail in every hook."""
    names = []
    for name, text in (("first", HOOKS), ("good", GOOD), ("last", HOOKS)):
        path = home.folder / f"{name}.py"
        path.write_text(text)
        names.append(str(path))
    home.environ["MEDIAHOST_PLUGINS"] = ":".join(names)
    home.tone("a.wav")
    return home


def test_a_plugin_that_fails_in_each_hook_reaches_no_other(with_plugins: "Home") -> None:
    ran = with_plugins.run("--action", "good.ask")
    assert ran.code == 0, ran.err
    assert ran.counts == {"done": 1}
    assert f"The plugin {with_plugins.folder}/first.py failed in mediahost_plan_jobs" in ran.err
    assert f"The plugin {with_plugins.folder}/last.py failed in mediahost_plan_jobs" in ran.err
    assert with_plugins.call("good-command").out == "it works\n"
    findings = with_plugins.call("doctor", "--json").json
    messages = [one["message"] for one in findings]
    assert "good is well" in messages
    assert sum("can't examine itself: RuntimeError: diagnose boom" in one for one in messages) == 2


def test_what_a_plugin_prints_at_import_breaks_no_json(home: "Home") -> None:
    plugin = home.folder / "prints.py"
    plugin.write_text('print("IMPORT PRINT")\nimport warnings; warnings.warn("old")\n')
    home.environ["MEDIAHOST_PLUGINS"] += f":{plugin}"
    home.tone("a.wav")
    answer = home.run("--action", "count.look")
    assert answer.counts == {"done": 1}
    assert "IMPORT PRINT" in answer.err


def test_a_plugin_that_ends_the_process_at_import_is_a_broken_one(home: "Home") -> None:
    plugin = home.folder / "exits.py"
    plugin.write_text("import os; os._exit(7)")
    home.environ["MEDIAHOST_PLUGINS"] += f":{plugin}"
    home.tone("a.wav")
    assert home.run("--action", "count.look").counts == {"done": 1}
    listed = {row["name"]: row for row in home.call("plugins", "list", "--json").json}
    assert "it called os._exit(7) while it was imported" in listed[str(plugin)]["error"]


def test_a_plugin_is_left_out_for_a_call_or_until_it_is_enabled(home: "Home") -> None:
    plugin = home.folder / "broken.py"
    plugin.write_text("import time; time.sleep(600)")
    home.environ["MEDIAHOST_PLUGINS"] += f":{plugin}"
    home.tone("a.wav")
    ran = home.call("--without", str(plugin), "run", "media", "--action", "count.look", "--json")
    assert ran.counts == {"done": 1}
    assert home.call("plugins", "disable", str(plugin)).code == 0
    (row,) = [one for one in home.call("plugins", "list", "--json").json if one["disabled"]]
    assert row["name"] == str(plugin)
    assert "(left out)" in home.call("plugins", "list").out
    assert home.run("--action", "count.look").counts == {"cached": 1}
    plugin.write_text("")
    assert json.loads(home.call("plugins", "enable", str(plugin), "--json").out)["enabled"]
    assert not [one for one in home.call("plugins", "list", "--json").json if one["disabled"]]
    assert home.call("plugins", "enable", str(plugin)).code == 2
    unknown = home.call("plugins", "disable", "nothing-of-that-name")
    assert unknown.code == 2
    assert "No plugin named 'nothing-of-that-name'" in unknown.err
    assert Path(home.folder, "config", "mediahost", "disabled").read_text() == ""
