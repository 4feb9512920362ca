"""The example unit is one that systemd takes, and stops the program as it wants to be stopped."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "examples" / "systemd" / "mediahost-work.service"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("mediahost")
    unit = tmp_path / UNIT.name
    # Where a user's programs are is not where this one is.
    unit.write_text(UNIT.read_text().replace("%h/.local/bin/mediahost", str(program)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    about_it = [line for line in verified.stderr.splitlines() if UNIT.name in line]
    assert (verified.returncode, about_it) == (0, [])


def test_only_the_host_hears_that_it_is_to_stop() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    assert service["KillMode"] == "mixed"
    assert "KillSignal" not in service  # SIGTERM, at which it finishes what runs
    assert service["ExecStart"].endswith("/mediahost work")
