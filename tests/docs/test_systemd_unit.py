"""The example units are ones that systemd takes, and stop the program as it wants to be stopped."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "examples" / "systemd").glob("*.service"))
PLACE = "%h/.local/bin/mediahost"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_takes_the_unit_also_where_paths_have_spaces(unit: Path, tmp_path: Path) -> None:
    program = tmp_path / "my programs" / "mediahost"
    program.parent.mkdir()
    program.symlink_to(Path(sys.executable).with_name("mediahost"))
    text = unit.read_text()
    assert PLACE in text
    copy = tmp_path / unit.name
    # The program of this test is not where a user's programs are.
    copy.write_text(text.replace(PLACE, str(program)))
    assert _complaints(copy) == (0, [])
    # Without its quotes the same unit is refused, so the check can fail.
    copy.write_text(copy.read_text().replace('"', ""))
    assert _complaints(copy) != (0, [])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_only_the_host_receives_the_signal_to_stop(path: Path) -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(path.read_text())
    service = unit["Service"]
    assert service["KillMode"] == "mixed"
    assert "KillSignal" not in service  # SIGTERM, at which it finishes running jobs
    command = path.stem.partition("-")[2]
    assert service["ExecStart"].endswith(f'/mediahost" {command}')


def _complaints(unit: Path) -> tuple[int, list[str]]:
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = verified.stderr.splitlines()
    return verified.returncode, [line for line in lines if unit.name in line]
