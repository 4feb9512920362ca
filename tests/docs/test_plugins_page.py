"""docs/plugins.md: every file on the page is written, installed, tested and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mediahost.testing import write_wav

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files of the page, each named by its first line."""
    folder = tmp_path / "project"
    folder.mkdir()
    for block in _blocks("python") + _blocks("toml"):
        name = block.splitlines()[0].removeprefix("# ")
        assert re.fullmatch(r"\w+\.(py|toml)", name), f"a block without a file name: {name}"
        (folder / name).write_text(block)
    return folder


def test_the_tests_on_the_page_pass(project: Path) -> None:
    out = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stdout
    assert len(list(project.glob("test_*.py"))) == 4


def test_the_commands_on_the_page_work_with_the_plugin_on_the_page(
    project: Path, tmp_path: Path
) -> None:
    (console,) = _blocks("console")
    site = tmp_path / "site"
    write_wav(project / "talk.wav", (1.0, 0), (1.0, 440))
    env = {
        **os.environ,
        "PYTHONPATH": str(site),
        "MEDIAHOST_DATA_DIR": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "COLUMNS": "200",
    }
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    offline = ["--no-index", "--no-build-isolation", "--no-deps", "--target", str(site)]
    programs = {
        "pip": [*pip],
        "mediahost": [str(Path(sys.executable).with_name("mediahost"))],
    }
    printed = {}
    for line in console.splitlines():
        program, *arguments = line.removeprefix("$ ").split()
        out = subprocess.run(
            [*programs[program], *arguments, *(offline if program == "pip" else [])],
            cwd=project,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert out.returncode == 0, f"{line}\n{out.stdout}\n{out.stderr}"
        printed[line] = out.stdout
    assert "mediahost-loud" in printed["$ mediahost plugins list"]
    assert "Find the seconds" in printed["$ mediahost plugins show loud.seconds"]
    assert "loud" in printed["$ mediahost results talk.wav"]
    shutil.rmtree(tmp_path / "data", ignore_errors=True)


def test_the_plugin_on_the_page_takes_twenty_lines() -> None:
    lines = [
        line
        for line in _blocks("python")[0].splitlines()
        if line.strip() and not line.startswith(("#", "import", "from"))
    ]
    assert len(lines) <= 20


def test_every_author_name_that_the_page_uses_is_there() -> None:
    import mediahost  # noqa: PLC0415 - the page's own subject

    used = set(re.findall(r"`([A-Z][a-z]+\w+)", PAGE))
    known = {name for name in used if hasattr(mediahost, name)}
    assert {"InvalidMedia", "TransientError", "JobCancelled", "MediaAnalysisResult"} <= known
    assert used - known <= {"SecretStr", "Field", "Exception"}


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE))
def test_every_link_on_the_page_leads_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()
