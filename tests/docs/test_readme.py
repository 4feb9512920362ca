"""README.md: a new user types its commands, one after the other, and each does what it says."""

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

from mediahost.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text()
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _commands() -> list[str]:
    lines = "".join(_blocks("sh")).splitlines()
    return [line for line in lines if line.startswith("mediahost ")]


def test_every_command_works_in_the_order_of_the_page(shell: Shell, tmp_path: Path) -> None:
    (settings,) = _blocks("toml")
    (tmp_path / "mediahost.toml").write_text(settings)
    commands = _commands()
    assert len(commands) >= 8, "there are commands on the page"
    for command in commands:
        answer = shell(command)
        assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
    assert (tmp_path / "sound" / "two_cities.mp3").stat().st_size > 0


def test_the_pipeline_on_the_page_is_understood(tmp_path: Path) -> None:
    (settings,) = _blocks("toml")
    (tmp_path / "mediahost.toml").write_text(settings)
    loaded = load_settings(tmp_path / "mediahost.toml", {})
    assert list(loaded.pipelines) == list(tomllib.loads(settings)["pipelines"])


def test_what_the_demo_prints_is_what_the_page_shows(shell: Shell) -> None:
    shown = "".join(_blocks("text"))
    printed = "".join(shell("mediahost demo").stdout for _ in range(2))

    def without_times(text: str) -> set[str]:
        lines = (
            re.sub(r"\d+(\.\d+)? s|\(2\d{3}-.*", "", line).rstrip() for line in text.splitlines()
        )
        return {line for line in lines if line}

    assert without_times(shown) <= without_times(printed)


def test_every_link_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]
    pages += [ROOT / "examples" / "README.md", *ROOT.glob("plugins/*/README.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []
