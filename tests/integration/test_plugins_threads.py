"""An action computes with as many threads as its job has slots."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "media"

# In a process of its own: what other tests have started would be counted, too.
COUNTED = r"""
import sys
from mediahost import Context, MediaFile
from mediahost.hashing import DEFAULT_ALGORITHM
from mediahost.plugin.attempt import run_attempt
from mediahost.testing.run import installed_plugins

most = 0

class Counting(Context):
    def checkpoint(self):
        global most
        with open("/proc/self/status") as status:
            most = max(most, int(status.read().split("Threads:")[1].split()[0]))
        super().checkpoint()

name, path, workdir = sys.argv[1:]
registry = installed_plugins()
action = registry.action(name).configured({})
run_attempt(registry, action, MediaFile.at(path), Counting(staging=workdir), DEFAULT_ALGORITHM)
print(most)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
@pytest.mark.parametrize(
    "action",
    ["scenes.detect", "av.frames", "av.contact_sheet", "audio.loudness", "audio.silence"],
)
def test_an_action_with_one_slot_starts_no_threads(action: str, tmp_path: Path) -> None:
    film = EXAMPLES / "bigbuckbunny.mp4"
    command: list[str | Path] = [sys.executable, "-c", COUNTED, action, film, tmp_path]
    # numpy's algebra starts some when it is imported, which then sleep.
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 1
