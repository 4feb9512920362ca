"""The shell completes names of actions and pipelines, and numbers of jobs."""

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

SHELLS = ["bash", "zsh", "fish"]
SETTINGS = '[pipelines.talks]\ndescription = "For talks"\nsteps = [{action = "count.look"}]\n'


def completed(home: "Home", line: str) -> set[str]:
    """What bash is told may stand at the end of the line."""
    words = line.split(" ")
    answer = home.call(
        environ={
            "_MEDIAHOST_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
    )
    assert answer.err == ""
    return set(answer.out.split())


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_for_each_shell_is_one_that_the_shell_takes(home: "Home", shell: str) -> None:
    script = home.call(environ={"_MEDIAHOST_COMPLETE": f"source_{shell}"}).out
    assert "_MEDIAHOST_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, env=os.environ)


def test_names_of_actions_are_completed(home: "Home") -> None:
    assert completed(home, "mediahost run media --action count.") == {
        *("count.cut", "count.follow", "count.look", "count.wait")
    }
    assert completed(home, "mediahost results media/a.wav -a count.l") == {"count.look"}
    assert completed(home, "mediahost plugins show count.l") == {"count.look"}


def test_names_of_pipelines_are_completed(home: "Home") -> None:
    home.settings(SETTINGS)
    assert completed(home, "mediahost run media --pipeline ta") == {"talks"}


def test_pipelines_of_the_named_settings_are_completed(home: "Home") -> None:
    (home.folder / "other.toml").write_text(SETTINGS.replace("talks", "films"))
    assert completed(home, "mediahost --settings other.toml run media -p fi") == {"film", "films"}


def test_numbers_of_jobs_are_completed(home: "Home") -> None:
    home.tones(2)
    home.run("--action", "count.look")
    assert completed(home, "mediahost jobs show ") == {"1", "2"}


def test_completing_makes_nothing_and_says_nothing_where_something_is_wrong(home: "Home") -> None:
    assert completed(home, "mediahost jobs show ") == set()
    assert not home.data.exists()
    home.settings("wrokers = 3")
    assert completed(home, "mediahost jobs show ") == set()
    assert completed(home, "mediahost run media --pipeline ") == set()


def test_commands_are_completed(home: "Home") -> None:
    assert completed(home, "mediahost p") == {"pipelines", "plugins"}
