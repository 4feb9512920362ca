"""How mediahost was installed, and the commands that add to it.

Names such as mediahost-speech are on no public index yet: the first to register one could run code
on the machines of our users. So no hint sends a person to an index for them: `mediahost plugins
install` takes them from where mediahost itself came from, a checkout or a folder of wheels.
"""

import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mediahost.errors import MediahostError, PluginError, UnknownName

# What mediahost ships, each part a distribution of its own: the first words of actions' names.
SHIPPED = frozenset(
    {
        "audio",
        "av",
        "documents",
        "hello",
        "images",
        "llm",
        "notify",
        "scenes",
        "speech",
        "subtitles",
    }
)
OURS = frozenset({"mediahost", *(f"mediahost-{word}" for word in SHIPPED)})

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^\]]*\])?\s*(?P<rest>.*)"
)
_ENVIRONMENT_NOTE = "environment.json"
_PIPX_NOTE = "pipx_metadata.json"


def install_hint(*requirements: str, upgrade: bool = False) -> str:
    """The command that installs packages where this mediahost, or this isolated plugin, runs.

    Args:
        requirements: As pip takes them.
        upgrade: Whether to replace what is installed already.
    """
    note = _environment_note()
    if note:
        beside = dict.fromkeys([*note["requirements"], *requirements])
        return isolated_install_hint(list(beside), note.get("asked_python"))
    options = ["--upgrade"] if upgrade else []
    return shlex.join(["mediahost", "plugins", "install", *options, *requirements])


def isolated_install_hint(requirements: Sequence[str], python: str | None) -> str:
    """The command that installs a plugin in an environment of its own once more.

    Args:
        requirements: What was installed in it, and what is to be besides.
        python: The interpreter that was asked for.
    """
    options = ["--isolated", *(["--python", python] if python else [])]
    return shlex.join(["mediahost", "plugins", "install", *options, *requirements])


def extra_hint(name: str, extra: str) -> str:
    """The command that installs what an extra of a distribution of ours brings."""
    return install_hint(f"{name}[{extra}]")


def docs_hint(page: str) -> str:
    """The command that shows a page of the documentation."""
    return f"See: mediahost docs {page}"


def shipped(folder: str) -> Path:
    """A folder that comes with mediahost: in the package, or beside it in a checkout.

    Args:
        folder: `docs` or `examples`.

    Raises:
        MediahostError: It is in neither.
    """
    package = Path(__file__).parent
    for place in (package / folder, package.parent / folder):
        if place.is_dir():
            return place
    raise MediahostError(f"The folder {folder} was not installed with mediahost")


def installable(
    requirement: str, folder: Path | None = None, *, isolated: bool = False
) -> list[str]:
    """A requirement as it can be given to an installer: for a name of ours, where it lies.

    An extra of a distribution that is installed already is what it requires of others.

    Args:
        requirement: As pip takes it.
        folder: A checkout or a folder of wheels to look in; None: where mediahost came from.
        isolated: Whether it is for an environment of its own, where nothing is installed yet.

    Raises:
        PluginError: The name is ours, and no folder with it is known.
        UnknownName: It has no such extra.
    """
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None or match["rest"].startswith(("@", "/")) or requirement.endswith(".whl"):
        return [requirement]
    # A name stays a name where a folder of that name lies about: so pip reads it.
    name = normal(match["name"])
    if name not in OURS:
        return [requirement]
    extras = (match["extras"] or "[]")[1:-1].split(",")
    if extras != [""] and not isolated and _is_installed(name):
        return [one for extra in extras for one in _extra(name, extra.strip())]
    for source in [folder] if folder else _sources():
        found = _in_folder(source, name)
        if found:
            return [f"{name}{match['extras'] or ''} @ {found.absolute().as_uri()}"]
    raise PluginError(
        f"{name} is taken from no public index, and is not where mediahost was installed from",
        f"Name a checkout of mediahost or a folder of its wheels: "
        f"mediahost plugins install --from FOLDER {shlex.quote(requirement)}",
    )


def installer(verb: str) -> list[str]:
    """The beginning of a command that installs or uninstalls in this environment.

    Args:
        verb: `install` or `uninstall`.

    Raises:
        PluginError: There is neither pip nor uv.
    """
    if find_spec("pip"):
        options = ["--yes"] if verb == "uninstall" else []
        # -P: a folder that holds a `pip.py` is not where pip is looked for.
        pip = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check"]
        return [*pip, verb, *options]
    uv = find_uv()
    if uv:
        return [uv, "pip", verb, "--python", sys.executable]
    pipx = shutil.which("pipx")
    prefix = Path(sys.prefix)
    if pipx and (prefix / _PIPX_NOTE).is_file():
        return [pipx, "inject" if verb == "install" else "uninject", prefix.name]
    raise PluginError(
        "This environment has no pip, and there is no uv to do its work",
        f"Give it pip: {shlex.quote(sys.executable)} -m ensurepip",
    )


def find_uv() -> str | None:
    """The path of uv: the package beside mediahost, or the program on PATH."""
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - an extra
    except ImportError:
        return shutil.which("uv")
    return str(find_uv_bin())


def normal(name: str) -> str:
    """The name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _extra(name: str, extra: str) -> list[str]:
    found = list(_extra_requirements(name, extra))
    if not found:
        extras = distribution(name).metadata.get_all("Provides-Extra") or []
        raise UnknownName(f"extra of {name}", extra, extras)
    return found


def _extra_requirements(name: str, extra: str) -> Iterator[str]:
    marker = re.compile(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]")
    for line in distribution(name).requires or ():
        requirement, _, condition = line.partition(";")
        if not marker.search(condition):
            continue
        match = _REQUIREMENT.fullmatch(requirement)
        if match and normal(match["name"]) == normal(name):
            for inner in (match["extras"] or "[]")[1:-1].split(","):
                yield from _extra_requirements(name, inner.strip())
        else:
            yield requirement.strip()


def _sources() -> Iterator[Path]:
    """Folders that mediahost may have come from, the surest first."""
    origin = _direct_url().get("url", "")
    if origin.startswith("file:"):
        path = _path(origin)
        yield path.parent if path.suffix == ".whl" else path
    yield from _tool_folders()
    for variable in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        yield from map(_path, os.environ.get(variable, "").split())


def _path(place: str) -> Path:
    """A path that may be written as a file's URL."""
    return Path(unquote(urlsplit(place).path) if place.startswith("file:") else place)


@cache
def _direct_url() -> dict[str, Any]:
    """PEP 610: where an installer found mediahost, if it was at an address."""
    try:
        text = distribution("mediahost").read_text("direct_url.json")
    except PackageNotFoundError:
        return {}
    return dict(json.loads(text)) if text else {}


def _tool_folders() -> Iterator[Path]:
    """Folders of wheels that pipx or uv were given, by the notes that they keep."""
    prefix = Path(sys.prefix)
    try:
        pipx = json.loads((prefix / _PIPX_NOTE).read_text("utf-8"))
        yield from _find_links(pipx["main_package"]["pip_args"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        uv = tomllib.loads((prefix / "uv-receipt.toml").read_text("utf-8"))
        links = uv["tool"]["options"]["find-links"]
        yield from map(_path, links)
    except (OSError, ValueError, KeyError, TypeError):
        pass


def _find_links(arguments: Sequence[str]) -> Iterator[Path]:
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        option, _, value = argument.partition("=")
        if option in ("--find-links", "-f"):
            yield _path(value or following)


def _in_folder(folder: Path, name: str) -> Path | None:
    """A distribution of ours in a checkout or a folder of wheels."""
    if name == "mediahost" and (folder / "mediahost" / "__init__.py").is_file():
        return folder
    project = folder / "plugins" / name
    if (project / "pyproject.toml").is_file():
        return project
    wheels = folder.glob(f"{name.replace('-', '_')}-*.whl")
    return max(wheels, key=lambda path: path.stat().st_mtime_ns, default=None)


def _environment_note() -> dict[str, Any] | None:
    """What is known of the isolated environment that runs this; None: it is the host's own."""
    prefix = Path(sys.prefix)
    for note in prefix.parent.glob(f"*/{_ENVIRONMENT_NOTE}"):
        try:
            known = json.loads(note.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if known.get("folder") == prefix.name:
            return dict(known)
    return None
