"""A plugin that this project has never seen, installed with pip, is as good as its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PYPROJECT = """
[project]
name = "mediahost-stranger"
version = "2.5"
dependencies = ["mediahost"]

[project.entry-points.mediahost]
stranger = "mediahost_stranger"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""

PLUGIN = """
import wave

from pydantic import Field

from mediahost import (
    Analyzer, Artifact, InvalidMedia, MediaAnalysisResult, MediaInfo, MediaProcessingResult,
    Processor, TimeRange, hookimpl,
)


class Halves(Analyzer, name="stranger.halves", accepts={"audio"}):
    at: float = Field(0.5, gt=0, lt=1)

    def analyze(self, media, context):
        duration = context.probe(media).duration
        context.progress(0.5, "halfway")
        return MediaAnalysisResult(
            ranges=(TimeRange(start=0, end=duration * self.at),), metadata={"duration": duration}
        )


class Note(Processor, name="stranger.note"):
    text: str

    def process(self, media, context):
        (context.workdir / "note.txt").write_text(self.text)
        return MediaProcessingResult(artifacts=(Artifact(path="note.txt", asset_type="note"),))


@hookimpl
def mediahost_register_actions():
    return [Halves, Note]


@hookimpl
def mediahost_probe_media(path):
    if path.suffix != ".wav":
        return None
    try:
        with wave.open(str(path)) as file:
            return MediaInfo(container="wav", duration=file.getnframes() / file.getframerate())
    except (wave.Error, EOFError):
        raise InvalidMedia(f"{path.name} is no WAV file") from None


@hookimpl(wrapper=True)
def mediahost_run_action(action, media, context):
    context.log.info("a stranger watches %s", action.info.name)
    return (yield)
"""

BROKEN = 'raise RuntimeError("this plugin never worked")'

ASK = """
import json, sys
from mediahost.plugin.registry import Registry
from mediahost.testing import check_action, run_action

registry = Registry.load()
halves = registry.action("stranger.halves").configured({"at": "0.25"})
run = run_action(halves, sys.argv[1])
note = run_action(registry.action("stranger.note").configured({"text": "hallo"}), sys.argv[1])
check_action(halves, sys.argv[1])
print(json.dumps({
    "rows": [[row.name, row.distribution, row.version, row.actions, row.error]
             for row in registry.rows],
    "ranges": [[found.start, found.end] for found in run.ranges],
    "progress": run.progress,
    "log": run.log,
    "note": note.artifacts[0].path.read_text(),
    "hash": note.artifacts[0].file_hash,
    "module": sys.modules["mediahost_stranger"].__file__,
}))
"""

Ask = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages with the stranger's plugin and a broken one."""
    folder = tmp_path_factory.mktemp("stranger")
    projects = []
    for name, code in [("stranger", PLUGIN), ("broken", BROKEN)]:
        project = folder / name
        project.mkdir()
        (project / "pyproject.toml").write_text(PYPROJECT.replace("stranger", name))
        (project / f"mediahost_{name}.py").write_text(code)
        projects.append(str(project))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    offline = ["--no-index", "--no-build-isolation", "--no-deps"]
    installed = folder / "site"
    subprocess.run([*pip, *offline, "--target", str(installed), *projects], check=True)
    return installed


@pytest.fixture
def ask(site: Path) -> Ask:
    """Uses the stranger's plugin on a file, in a process that knows of it only by pip."""

    def run(media: Path) -> dict[str, Any]:
        out = subprocess.run(
            [sys.executable, "-c", ASK, str(media)],
            env={**os.environ, "PYTHONPATH": str(site)},
            cwd=media.parent,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(out.stdout)
        return answer

    return run


def test_a_strangers_plugin_is_found_and_its_actions_run(
    ask: Ask, site: Path, media_factory: Callable[..., Any]
) -> None:
    answer = ask(media_factory((2.0, 440)).path)
    rows = {row[0]: row[1:] for row in answer["rows"]}
    assert rows["stranger"] == [
        "mediahost-stranger",
        "2.5",
        ["stranger.halves", "stranger.note"],
        None,
    ]
    assert Path(answer["module"]).is_relative_to(site)
    assert answer["ranges"] == [[0, 0.5]]
    assert answer["progress"] == [[0.5, "halfway"]]
    assert answer["log"] == ["a stranger watches stranger.halves"]
    assert answer["note"] == "hallo"
    assert answer["hash"].startswith("blake3:")


def test_a_broken_stranger_harms_nobody(ask: Ask, media_factory: Callable[..., Any]) -> None:
    rows = {row[0]: row[1:] for row in ask(media_factory().path)["rows"]}
    assert rows["broken"][:3] == ["mediahost-broken", "2.5", []]
    assert "this plugin never worked" in rows["broken"][3]
    assert rows["builtin"][3] is None
