"""Where our own distributions are taken from, by how mediahost was installed."""

import json
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

import mediahost.installation
from mediahost.errors import PluginError, UnknownName
from mediahost.installation import extra_hint, install_hint, installable, installer


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """mediahost as if installed by its name, into an environment without any note."""
    prefix = tmp_path / "environments" / "venv"
    prefix.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(mediahost.installation, "_direct_url", dict)
    for variable in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(variable, raising=False)
    return prefix


def _wheel(folder: Path, name: str = "mediahost_av-0.1.0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-py3-none-any.whl"
    path.touch()
    return path


def test_a_strangers_requirement_is_left_as_it_is() -> None:
    for given in ("requests>=2", "./plugin", "x @ file:///tmp/x.whl", "mediahost-loud"):
        assert installable(given) == [given]


def test_our_names_are_never_left_to_an_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mediahost-av").mkdir()  # to pip a name is no folder
    for given in ("mediahost-av", "mediahost_av==0.1", "Mediahost.AV", "mediahost"):
        with pytest.raises(PluginError, match="from no public index") as caught:
            installable(given)
        assert "--from FOLDER" in (caught.value.hint or "")


def test_they_come_from_the_folder_of_the_wheel_that_was_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = _wheel(tmp_path / "my wheels")
    own = tmp_path / "my wheels" / "mediahost-0.1.0-py3-none-any.whl"
    monkeypatch.setattr(mediahost.installation, "_direct_url", lambda: {"url": own.as_uri()})
    assert installable("mediahost-av") == [f"mediahost-av @ {wheel.as_uri()}"]


def test_they_come_from_the_checkout_that_was_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = tmp_path / "plugins" / "mediahost-av"
    project.mkdir(parents=True)
    (project / "pyproject.toml").touch()
    url = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    monkeypatch.setattr(mediahost.installation, "_direct_url", lambda: url)
    assert installable("mediahost-av") == [f"mediahost-av @ {project.as_uri()}"]
    with pytest.raises(PluginError):
        installable("mediahost-audio")


def test_they_come_from_the_folders_that_pipx_and_uv_noted(elsewhere: Path, tmp_path: Path) -> None:
    wheel = _wheel(tmp_path / "one")
    note = {"main_package": {"pip_args": ["--no-index", "--find-links", str(tmp_path / "one")]}}
    (elsewhere / "pipx_metadata.json").write_text(json.dumps(note))
    assert installable("mediahost-av") == [f"mediahost-av @ {wheel.as_uri()}"]
    (elsewhere / "pipx_metadata.json").unlink()
    receipt = f'[tool.options]\nfind-links = ["{(tmp_path / "one").as_uri()}"]\n'
    (elsewhere / "uv-receipt.toml").write_text(receipt)
    assert installable("mediahost-av") == [f"mediahost-av @ {wheel.as_uri()}"]


def test_the_folder_that_a_person_names_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _wheel(tmp_path / "one")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "one"))
    wheel = _wheel(tmp_path / "two")
    assert installable("mediahost-av", tmp_path / "two") == [f"mediahost-av @ {wheel.as_uri()}"]
    assert installable("mediahost-av") != installable("mediahost-av", tmp_path / "two")


def test_an_extra_of_what_is_installed_is_what_it_requires_of_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert installable("mediahost[postgres]") == ["psycopg[binary]>=3.2"]
    with pytest.raises(UnknownName, match="did you mean postgres"):
        installable("mediahost[postgress]")
    wheel = _wheel(tmp_path, "mediahost-0.1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    isolated = installable("mediahost[postgres]", isolated=True)
    assert isolated == [f"mediahost[postgres] @ {wheel.as_uri()}"]


def test_a_hint_in_an_isolated_plugin_installs_it_again_with_what_is_missing(
    elsewhere: Path,
) -> None:
    assert extra_hint("mediahost", "dask") == "mediahost plugins install 'mediahost[dask]'"
    note = {"folder": "venv", "requirements": ["one @ file:///o.whl"], "asked_python": "3.12"}
    (elsewhere.parent / "one").mkdir()
    (elsewhere.parent / "one" / "environment.json").write_text(json.dumps(note))
    assert install_hint("two") == (
        "mediahost plugins install --isolated --python 3.12 'one @ file:///o.whl' two"
    )


def test_without_pip_uv_or_pipx_the_person_is_shown_how_to_get_pip(
    monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    monkeypatch.setattr(mediahost.installation, "find_spec", lambda _name: None)
    monkeypatch.setattr(mediahost.installation, "find_uv", lambda: None)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(PluginError, match="no pip") as caught:
        installer("install")
    assert (caught.value.hint or "").endswith("-m ensurepip")
    (elsewhere / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert installer("uninstall") == ["/bin/pipx", "uninject", "venv"]


def test_the_requirements_of_extras_are_read_from_metadata() -> None:
    assert Distribution.from_name("mediahost").requires
    found = installable("mediahost[isolated]")
    assert found == ["uv>=0.5"]
