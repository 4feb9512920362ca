"""Wheels that a stranger can install, by every common installer, and run."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from tests.release.conftest import Wheels

pytestmark = pytest.mark.slow


def test_wheels_carry_what_the_program_refers_to(wheels: "Wheels") -> None:
    (wheel,) = wheels.ours.glob("mediahost-*.whl")
    names = set(ZipFile(wheel).namelist())
    wanted = {
        "mediahost/docs/settings.md",
        "mediahost/docs/watch.md",
        "mediahost/examples/systemd/mediahost-work.service",
        "mediahost/examples/systemd/mediahost-watch.service",
        "mediahost/examples/media/two_cities.flac",
        "mediahost/shipped_pipelines.toml",
        "mediahost/py.typed",
    }
    assert wanted <= names
    assert len(list(wheels.ours.glob("*.whl"))) == len(list(wheels.ours.glob("*.tar.gz"))) == 11


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A HOME of its own."""
    return {"HOME": str(tmp_path)}


def test_pip_installs_them_into_a_path_with_a_space_and_the_demo_runs_in_a_c_locale(
    wheels: "Wheels", home: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "my programs"
    wheels.run([sys.executable, "-m", "venv", folder])
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    wheels.run([*pip, "install", "--quiet", *wheels.options, *wheels.demo_parts], home)
    program = folder / "bin" / "mediahost"
    environ = {**home, "LC_ALL": "C"}
    wheels.demo(program, tmp_path / "work here", environ)
    assert "data_dir" in wheels.run([program, "docs", "settings"], environ).stdout
    assert "podcast" in wheels.run([program, "pipelines"], environ).stdout
    examples = wheels.run([program, "docs"], environ).stdout.rpartition("systemd: ")[2].strip()
    assert (Path(examples) / "systemd" / "mediahost-work.service").is_file()


def test_a_wheel_can_be_built_from_the_source_archive(
    wheels: "Wheels", home: dict[str, str], tmp_path: Path
) -> None:
    (archive,) = wheels.ours.glob("mediahost-0*.tar.gz")
    (wheel,) = wheels.ours.glob("mediahost-0*.whl")
    argv = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    wheels.run([*argv, "--wheel-dir", tmp_path, archive], home)
    again = ZipFile(tmp_path / wheel.name)
    assert set(again.namelist()) == set(ZipFile(wheel).namelist())


def test_uv_tool_installs_it_and_plugins_are_added_without_pip(
    wheels: "Wheels", uv: str, tmp_path: Path
) -> None:
    tools, programs = tmp_path / "tools", tmp_path / "bin"
    environ = {"HOME": str(tmp_path), "UV_TOOL_DIR": str(tools), "UV_TOOL_BIN_DIR": str(programs)}
    beside = [word for name in wheels.demo_parts[1:-1] for word in ("--with", name)]
    wheels.run(
        [uv, "tool", "install", "--quiet", "--python", sys.executable]
        + [*wheels.options, *beside, "mediahost"],
        environ,
    )
    program = programs / "mediahost"
    path = f"{programs}:{Path(uv).parent}:/usr/bin:/bin"
    here = {**wheels.environ, **environ, "PATH": path}
    refused = wheels.run([program, "demo"], here, code=2, cwd=tmp_path)
    assert "mediahost plugins install mediahost-speech" in refused.stderr
    wheels.run([program, "plugins", "install", "mediahost-speech"], here)
    wheels.demo(program, tmp_path / "work", here)
    wheels.run([program, "plugins", "uninstall", "mediahost-speech"], here)
    names = [
        row["name"]
        for row in json.loads(wheels.run([program, "plugins", "list", "--json"], here).stdout)
    ]
    assert "av" in names
    assert "speech" not in names


def test_pipx_installs_it_and_plugins_are_added(wheels: "Wheels", tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    environ = {
        "HOME": str(tmp_path),
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(programs),
        "PIPX_DEFAULT_PYTHON": sys.executable,
    }
    links = f"--no-index --find-links {wheels.ours} --find-links {wheels.others}"
    wheels.run(
        [sys.executable, "-m", "pipx", "install", f"--pip-args={links}", "mediahost"], environ
    )
    program = programs / "mediahost"
    (programs / "pipx").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pipx "$@"\n')
    (programs / "pipx").chmod(0o755)
    here = {**environ, **wheels.environ, "PATH": f"{programs}:/usr/bin:/bin"}
    wheels.run([program, "plugins", "install", *wheels.demo_parts[1:]], here)
    wheels.demo(program, tmp_path / "work", here)


def test_a_user_who_is_not_root_runs_it_with_the_systems_python_and_without_a_home(
    wheels: "Wheels", uv: str, home: dict[str, str], tmp_path: Path
) -> None:
    python = Path("/usr/bin/python3")
    asked = [python, "-c", "import sys; print(sys.version_info >= (3, 11))"]
    if not python.exists() or wheels.run(asked).stdout != "True\n":
        pytest.skip("the system has no Python 3.11 or newer")
    folder = tmp_path / "app"
    wheels.run([uv, "venv", "--quiet", "--python", python, folder], home)
    wheels.run(
        [uv, "pip", "install", "--quiet", "--link-mode", "copy", *wheels.options]
        + ["--python", folder / "bin" / "python", *wheels.demo_parts],
        home,
    )
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    work = tmp_path / "work"
    work.mkdir()
    user = wheels.as_user(work)
    argv = [*user, folder / "bin" / "mediahost", "demo", "--json"]
    first = json.loads(wheels.run(argv, cwd=work).stdout)  # no HOME
    second = json.loads(wheels.run(argv, {"HOME": str(work)}, cwd=work).stdout)
    assert first["counts"]["done"] == second["counts"]["cached"] >= 10
    # One who is in no list of users has no home at all.
    stranger = [one.replace("65534", "64321") for one in user]
    refused = wheels.run([*stranger, folder / "bin" / "mediahost", "stats"], code=3, cwd=work)
    assert "This user has no home folder" in refused.stderr
