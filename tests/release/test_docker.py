"""The steps of the Dockerfile and the command of compose.yaml, run one by one without Docker."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mediahost.settings import Settings

if TYPE_CHECKING:
    from tests.release.conftest import Wheels

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "docker"
# Places in the image, and steps that only an image can take.
PLACES = ("/opt/mediahost", "/src", "/data", "/inbox", "/outbox")
ONLY_IN_AN_IMAGE = ("useradd",)
# Build isolation would ask an index; the test builds with what the folder of wheels has.
BUILD = "hatchling"


def _steps() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile: word and rest."""
    lines = (FOLDER / "Dockerfile").read_text().splitlines()
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in lines if re.match("[A-Z]+ ", line))
    ]


def _compose() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return compose


def _inside(root: Path, text: str) -> str:
    """A step's text with the image's places below a folder."""
    return re.sub(rf"(?<![\w.])({'|'.join(PLACES)})\b", lambda found: f"{root}{found[1]}", text)


@pytest.mark.slow
def test_its_steps_make_a_program_that_watches_with_its_store_on_postgres(
    wheels: "Wheels", bare_postgres_url: str, tmp_path: Path
) -> None:
    root = tmp_path / "image"
    work = root / "src"
    for place in PLACES:
        (root / place.strip("/")).mkdir(parents=True)
    shutil.copytree(
        ROOT, work, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", ".venv*", "demo")
    )
    # The Python of this test stands for the image's.
    (root / "bin").mkdir()
    (root / "bin" / "python").symlink_to(sys.executable)
    path = f"{root}/bin:/usr/bin:/bin"
    environ = {**wheels.environ, "PATH": path, "HOME": str(root), "PIP_NO_BUILD_ISOLATION": "0"}
    for word, rest in _steps():
        if word == "RUN" and not rest.startswith(ONLY_IN_AN_IMAGE):
            line = _inside(root, rest)
            if "/pip install " in line:
                line = f"{root}/opt/mediahost/bin/pip install --quiet {BUILD}; {line}"
            wheels.run(["sh", "-euc", line], environ, cwd=work)
        elif word == "ENV":
            name, _, value = rest.partition("=")
            environ[name] = _inside(root, value)
    shutil.copy(ROOT / "examples" / "media" / "two_cities.flac", root / "inbox")
    services = _compose()["services"]
    (entry,) = (json.loads(rest) for word, rest in _steps() if word == "ENTRYPOINT")
    environ["MEDIAHOST_DATABASE_URL"] = bare_postgres_url
    wheels.run([*entry, *services["upgrade"]["command"]], environ, cwd=root)
    watch = [*entry, *(_inside(root, one) for one in services["watch"]["command"])]
    wheels.run([*watch, "--once"], environ, cwd=root)
    assert (root / "outbox" / "two_cities.mp3").stat().st_size > 100_000
    assert not (root / "data" / "store.db").exists()


def test_compose_names_settings_volumes_and_a_dockerfile_that_are_there() -> None:
    compose = _compose()
    service = compose["services"]["watch"]
    fields = {f"MEDIAHOST_{name.upper()}" for name in Settings.model_fields}
    assert set(service["environment"]) <= fields
    build = service["build"]
    assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == FOLDER / "Dockerfile"
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    (kept,) = (rest for word, rest in _steps() if word == "VOLUME")
    assert kept in mounted
    assert {"/inbox", "/outbox"} <= mounted
    (default,) = (json.loads(rest) for word, rest in _steps() if word == "CMD")
    assert service["command"] == default


def test_the_image_installs_plugins_that_are_there_with_the_versions_that_were_tried() -> None:
    (install,) = (rest for word, rest in _steps() if "pip install" in rest)
    assert "--constraint constraints.txt" in install
    named = re.findall(r"\./(plugins/[\w-]+)", install)
    assert len(named) >= 7
    assert all((ROOT / name / "pyproject.toml").is_file() for name in named)
