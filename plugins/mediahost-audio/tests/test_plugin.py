import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import mediahost
from mediahost import Action, MediaFile
from mediahost.testing import check_action
from mediahost_audio import Beats, Chapters, Loudness, Normalize, Silence

# What docs/hooks.md tells authors of views to import.
VIEWS = {"mediahost.tui.parts", "mediahost.tui.views"}
SOURCES = Path(__file__).parents[1] / "src" / "mediahost_audio"


def test_loading_the_plugin_loads_no_decoder() -> None:
    code = "import sys, mediahost_audio; print(*{'av', 'numpy'} & set(sys.modules))"

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert printed.strip() == ""


def test_the_plugin_uses_only_what_a_strangers_could() -> None:
    names = {
        (node.module, alias.name)
        for path in SOURCES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if node.module.split(".")[0] == "mediahost"
    }

    assert {module for module, _ in names} <= {"mediahost", *VIEWS}
    assert {name for module, name in names if module not in VIEWS} <= set(mediahost.__all__)


def test_its_entry_point_registers_five_actions() -> None:
    (point,) = entry_points(group="mediahost", name="audio")

    assert point.load().mediahost_register_actions() == [
        Loudness,
        Normalize,
        Silence,
        Chapters,
        Beats,
    ]


def test_every_field_says_what_it_is() -> None:
    for action in (Loudness, Normalize, Silence, Beats):
        for name, field in action.model_fields.items():
            assert field.description, f"{action.info.name}: {name}"


@pytest.mark.parametrize(
    "action", [Loudness(), Normalize(format="opus"), Silence(), Chapters(), Beats()], ids=str
)
def test_an_action_keeps_to_what_the_host_counts_on(action: Action, film: Path) -> None:
    run = check_action(action, MediaFile.at(film))

    fractions = [fraction for fraction, _ in run.progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9
