"""Plugins in environments of their own: conflicting requirements and other Pythons side by side."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any
from zipfile import ZipFile

import pytest

PLUGIN = '''
import platform

import shade
from pydantic import Field, SecretStr

from mediahost import Action, Analyzer, Context, MediaAnalysisResult, MediaFile, hookimpl


class Shade(Analyzer, name="{name}.shade", version=3, accepts={{"audio"}}, timeout_s=50):
    """Tell which shade it has."""

    depth: int = Field(2, ge=1, description="How dark")
    key: SecretStr | None = None

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.progress(0.5)
        if self.depth == 66:
            __import__("os").abort()
        return MediaAnalysisResult(
            metadata={{
                "shade": shade.VERSION, "python": platform.python_version(), "depth": self.depth
            }}
        )


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    return [Shade]
'''


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], **info: str) -> str:
    """Make a wheel by hand: nothing is built, nothing is fetched for it."""
    folder.mkdir(exist_ok=True)
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    about += "".join(
        f"Requires-Dist: {one}\n" for one in info.get("requires", "").split(",") if one
    )
    tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents = {
        **files,
        "METADATA": about,
        "WHEEL": tag,
        "entry_points.txt": info.get("points", ""),
    }
    with ZipFile(path, "w") as archive:
        record = ""
        for file, text in contents.items():
            inside = file if file.endswith(".py") else f"{module}-{version}.dist-info/{file}"
            archive.writestr(inside, text)
            record += f"{inside},,\n"
        archive.writestr(f"{module}-{version}.dist-info/RECORD", record)
    return str(path)


def plugin(folder: Path, name: str, shade: str) -> list[str]:
    """A plugin, and the one version of `shade` that it can use."""
    return [
        wheel(
            folder,
            f"mediahost-{name}",
            "1.0",
            {f"mediahost_{name}.py": PLUGIN.format(name=name)},
            requires=f"mediahost,shade=={shade}",
            points=f"[mediahost]\n{name} = mediahost_{name}\n",
        ),
        wheel(folder, "shade", shade, {"shade.py": f"VERSION = {shade!r}\n"}),
    ]


def another_python() -> Path | None:
    """An interpreter of another version than this one, where the machine has one."""
    beside = Path(sys.base_prefix).parent.glob("3.1[1-9]*/bin/python3")
    named = (shutil.which(f"python3.{minor}") for minor in range(11, 20))
    for found in [*sorted(beside, reverse=True), *(Path(one) for one in named if one)]:
        code = "import platform; print(platform.python_version())"
        out = subprocess.run([found, "-I", "-c", code], capture_output=True, text=True, check=False)
        version = out.stdout.strip()
        if version and version.rpartition(".")[0] != platform.python_version().rpartition(".")[0]:
            return found
    return None


@pytest.fixture(autouse=True)
def _registry(home: Any) -> None:
    """What installers need to know of the package registry."""
    names = ("PIP_", "UV_", "SSL_CERT", "REQUESTS_CA")
    home.environ |= {name: value for name, value in os.environ.items() if name.startswith(names)}


def test_plugins_that_can_not_live_together_live_side_by_side(home: Any) -> None:
    other = another_python()
    home.tone("tone.wav")
    shelf = home.folder / "wheels"
    first = home.call("plugins", "install", *plugin(shelf, "one", "1.0"), "--isolated", "--json")
    assert first.code == 0, first.err
    assert first.json["name"] == "mediahost-one"
    assert first.json["actions"] == ["one.shade"]
    choice = ["--python", str(other)] if other else []
    second = home.call("plugins", "install", *plugin(shelf, "two", "2.0"), "--isolated", *choice)
    assert second.code == 0, second.err

    answer = home.run("-a", "one.shade", "-a", "two.shade:depth=5")
    assert (answer.code, answer.counts) == (0, {"done": 2}), answer.out
    found = {
        one["action"]: one["result"]["metadata"]
        for one in home.call("results", "media/tone.wav", "--json").json
    }
    own, theirs = found["one.shade"], found["two.shade"]
    assert (own["shade"], theirs["shade"]) == ("1.0", "2.0")
    assert (own["depth"], theirs["depth"]) == (2, 5)
    assert own["python"] == platform.python_version()
    assert (theirs["python"] != own["python"]) == bool(other)
    assert home.run("-a", "one.shade", "-a", "two.shade:depth=5").counts == {"cached": 2}

    listed = {row["name"]: row for row in home.call("plugins", "list", "--json").json}
    assert listed["one"]["environment"] != listed["two"]["environment"]
    shown = home.call("plugins", "show", "two.shade", "--json").json
    assert (shown["version"], shown["accepts"]) == (3, ["audio"])
    assert shown["config"]["properties"]["depth"]["minimum"] == 1

    wrong = home.run("-a", "one.shade:depth=0")
    assert wrong.code == 2
    assert "depth: input should be greater than or equal to 1" in wrong.err
    assert "did you mean depth?" in home.run("-a", "one.shade:dept=1").err

    crash = home.run("-a", "one.shade:depth=66", "-a", "two.shade:depth=7")
    assert crash.counts == {"done": 1, "failed": 1}
    assert "SIGABRT" in crash.rows(action="one.shade")[0]["error"]

    gone = home.call("plugins", "uninstall", "mediahost-one")
    assert gone.code == 0
    assert not Path(listed["one"]["environment"]).exists()
    assert home.run("-a", "one.shade").code == 2
    assert home.run("-a", "two.shade:depth=5").counts == {"cached": 1}
    home.assert_sound()


def test_what_can_not_be_installed_leaves_nothing(home: Any) -> None:
    bare = wheel(home.folder / "wheels", "shade", "1.0", {"shade.py": "VERSION = 1\n"})
    for requirement in (bare, "./no-such-folder"):
        answer = home.call("plugins", "install", requirement, "--isolated")
        assert answer.code == 1
        assert answer.err.startswith("mediahost: ")
    plugins = home.data / "plugins"
    assert list(plugins.iterdir()) == []


def test_an_environment_that_was_removed_by_hand_is_said_to_be_gone(home: Any) -> None:
    note = home.data / "plugins" / "mediahost-one" / "environment.json"
    note.parent.mkdir(parents=True)
    plugin = {"name": "one", "distribution": "mediahost-one", "version": "1.0", "error": None}
    note.write_text(
        dedent(f"""
            {{"name": "mediahost-one", "requirements": ["mediahost-one"], "folder": ".new-0",
              "python": "3.11", "mediahost": "0", "plugins":
              [{str({**plugin, "actions": []}).replace("'", '"').replace("None", "null")}]}}
        """)
    )
    (row,) = [row for row in home.call("plugins", "list", "--json").json if row["name"] == "one"]
    assert "is gone" in row["error"]
    assert "mediahost plugins install --isolated mediahost-one" in row["error"]


def test_an_isolated_plugin_stands_for_the_one_that_is_installed_here(home: Any) -> None:
    home.tone("tone.wav")
    text = PLUGIN.format(name="hello").replace('"hello.shade"', '"hello.halves"')
    text = text.replace("import shade\n", "").replace("shade.VERSION", "'isolated'")
    points = "[mediahost]\nhello = another_hello\n"
    files = {"another_hello.py": text}
    shelf = home.folder / "wheels"
    other = wheel(shelf, "mediahost-hello", "9.0", files, requires="mediahost", points=points)
    installed = home.call("plugins", "install", other, "--isolated", "--json")
    assert installed.code == 0, installed.err
    rows = [row for row in home.call("plugins", "list", "--json").json if row["name"] == "hello"]
    assert [(row["version"], row["error"]) for row in rows] == [("9.0", None)]
    assert home.run("-a", "hello.halves").counts == {"done": 1}
    (one,) = home.call("results", "media/tone.wav", "--json").json
    assert one["result"]["metadata"]["shade"] == "isolated"
    assert home.call("plugins", "uninstall", "mediahost-hello").code == 0
    rows = [row for row in home.call("plugins", "list", "--json").json if row["name"] == "hello"]
    assert [row["version"] for row in rows] != ["9.0"]


def test_what_an_isolated_plugin_lacks_is_named_with_the_line_that_adds_it(home: Any) -> None:
    points = "[mediahost]\nneedy = needy\n"
    files = {"needy.py": "import shade\n"}
    shelf = home.folder / "wheels"
    needy = wheel(shelf, "mediahost-needy", "1.0", files, requires="mediahost", points=points)
    answer = home.call("plugins", "install", needy, "--isolated")
    assert answer.code == 1
    assert "No module named 'shade'" in answer.err
    assert f"mediahost plugins install --isolated {needy} shade" in answer.err
    assert list((home.data / "plugins").iterdir()) == []
