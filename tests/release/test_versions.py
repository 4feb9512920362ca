"""Every dependency comes as a wheel, in versions that were tried together."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
PROJECTS = [ROOT, *sorted((ROOT / "plugins").glob("mediahost-*"))]
TRIED = ["3.11", "3.12", "3.13"]
# Nobody ran it there yet; that it can be installed is all that is known.
INSTALLABLE = "3.14"
PLATFORMS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"]
NO_ANSWER = 2


def _lock(*options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, ROOT / "release" / "lock.py", *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _project(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return project


def _pinned() -> dict[str, list[Requirement]]:
    pinned: dict[str, list[Requirement]] = {}
    for line in CONSTRAINTS.read_text().splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            pinned.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pinned


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", [*TRIED, INSTALLABLE])
def test_every_dependency_has_a_wheel(python: str, platform: str, tmp_path: Path) -> None:
    output = tmp_path / "resolved.txt"
    done = _lock("--check", python, "--platform", platform, "--output", str(output))
    if done.returncode == NO_ANSWER:
        pytest.skip(f"the package index gives no answer: {done.stderr}")
    assert done.returncode == 0, done.stderr
    resolved = {canonicalize_name(Requirement(line).name) for line in output.read_text().split()}
    assert {"pytest", "sqlmodel", "av"} <= resolved
    assert resolved <= set(_pinned())


@pytest.mark.slow
def test_a_dependency_without_a_wheel_is_found(tmp_path: Path) -> None:
    # srt has source archives alone.
    done = _lock("--check", "3.12", "--also", "srt==3.5.3", "--output", str(tmp_path / "never"))
    if done.returncode == NO_ANSWER:
        pytest.skip(f"the package index gives no answer: {done.stderr}")
    assert done.returncode == 1
    assert "srt" in done.stderr


def test_constraints_name_versions_and_no_addresses() -> None:
    for line in CONSTRAINTS.read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[\w.-]+==[\w.+!-]+( ; [^@]+)?", line), line


def test_every_dependency_is_pinned_to_a_version_that_is_allowed() -> None:
    pinned = _pinned()
    for project in PROJECTS:
        data = _project(project)
        groups = data.get("optional-dependencies", {}).values()
        for line in [*data["dependencies"], *(one for group in groups for one in group)]:
            wanted = Requirement(line)
            if wanted.name.startswith("mediahost"):
                continue
            versions = [next(iter(one.specifier)).version for one in pinned[wanted.name]]
            assert all(wanted.specifier.contains(version) for version in versions), line


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_classifiers_name_the_pythons_that_the_suite_ran_on(project: Path) -> None:
    named = [
        one.rpartition(" ")[2]
        for one in _project(project)["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", one)
    ]
    assert named == TRIED
    assert f"PYTHONS := {' '.join(TRIED)}\n" in (ROOT / "Makefile").read_text()
