import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import mediahost
from mediahost_subtitles import Burn, Export, Read

SOURCES = Path(__file__).parents[1] / "src" / "mediahost_subtitles"


def test_loading_the_plugin_loads_no_decoder() -> None:
    code = "import sys, mediahost_subtitles; print(*{'av'} & set(sys.modules))"

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

    assert {module for module, _ in names} == {"mediahost"}
    assert {name for _, name in names} <= set(mediahost.__all__)


def test_its_entry_point_registers_its_actions() -> None:
    (point,) = entry_points(group="mediahost", name="subtitles")

    assert point.load().mediahost_register_actions() == [Burn, Export, Read]


def test_every_field_says_what_it_is() -> None:
    for action in (Burn, Export, Read):
        for name, field in action.model_fields.items():
            assert field.description, f"{action.info.name}: {name}"
