"""Environments: plugins installed apart from mediahost, each with requirements of its own."""

import json
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mediahost import __version__
from mediahost.errors import InvalidConfig, PluginError, UnknownName, UsageError
from mediahost.executor.small import write_wheel
from mediahost.hashing import canonical, hash_bytes
from mediahost.installation import docs_hint, find_uv, isolated_install_hint, normal
from mediahost.partfile import write_text
from mediahost.plugin.action import Action
from mediahost.plugin.described import described
from mediahost.plugin.hookspecs import hookimpl
from mediahost.plugin.installed import left_out
from mediahost.plugin.registry import PluginRow, Registry

NOTE = "environment.json"
LAST_LINES = 5


@dataclass(frozen=True)
class Environment:
    """A plugin in an environment of its own.

    Attributes:
        name: The plugin's distribution.
        requirements: What was installed, as pip takes it.
        folder: Where it is.
        python: Version of its interpreter.
        mediahost: Version of the mediahost in it.
        plugins: What it says of its plugins (`mediahost.executor.describe`).
        asked_python: The interpreter that was asked for, or None.
    """

    name: str
    requirements: tuple[str, ...]
    folder: Path
    python: str
    mediahost: str
    plugins: list[dict[str, Any]] = field(default_factory=list)
    asked_python: str | None = None

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def actions(self) -> Iterator[dict[str, Any]]:
        """What it says of its actions."""
        for plugin in self.plugins:
            yield from plugin["actions"]

    @property
    def fault(self) -> str | None:
        """Why it can't be used; None if it can."""
        again = f"install it again: {isolated_install_hint(self.requirements, self.asked_python)}"
        if not self.interpreter.exists():
            return f"Its environment {self.folder} is gone; {again}"
        if self.mediahost != __version__:
            return f"It was installed for mediahost {self.mediahost}; {again}"
        return None

    def check_config(self, action: str, config: Mapping[str, Any]) -> dict[str, Any]:
        """What a config comes to, with defaults and without secrets; asked once for each.

        Raises:
            InvalidConfig: It doesn't fit.
            PluginError: The environment can't be asked.
        """
        question = hash_bytes(canonical([action, dict(config)])).partition(":")[2]
        note = self.folder / "configs" / f"{question}.json"
        try:
            known: dict[str, Any] = json.loads(note.read_text("utf-8"))
        except (OSError, ValueError):
            answer = _ask(self.interpreter, "config", action, given=json.dumps(dict(config)))
            if "error" in answer:
                raise InvalidConfig(answer["error"], answer["hint"]) from None
            known = answer["config"]
            _write(note, known)
        return known


class Environments:
    """Those below one folder, each in `NAME/`, with a note that says which one counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Environment]:
        """The installed ones, by name."""
        return [one for note in sorted(self._folder.glob(f"*/{NOTE}")) if (one := _read(note))]

    def install(self, requirements: Sequence[str], python: str | None = None) -> Environment:
        """Install a plugin, and what else it should find beside it.

        An earlier environment of the same plugin is replaced once the new one is whole.

        Args:
            requirements: As pip takes them; names, folders or wheels. The plugin is the first.
            python: Path of an interpreter or a version such as 3.12; None: mediahost's own.

        Raises:
            UsageError: There is no such interpreter.
            PluginError: It can't be installed, or is no plugin.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = self._folder / f".new-{secrets.token_hex(4)}"
        wanted = [_absolute(one) for one in requirements]
        try:
            _build(folder, wanted, _absolute(python) if python and "/" in python else python)
            plugins = _ask(folder / "bin" / "python", "plugins")
            name = _name_of(plugins, requirements[0])
            _check_loaded(name, plugins, requirements, python)
            # An environment may not be moved: scripts in it name its path. So its place is
            # its own from the start, and the note that points there is what is replaced.
            environment = Environment(
                name, tuple(wanted), folder, _version_of(folder), __version__, plugins, python
            )
            earlier = _read(self._note_of(name))
            _write(self._note_of(name), {**asdict(environment), "folder": folder.name})
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if earlier:
            shutil.rmtree(earlier.folder, ignore_errors=True)
        return environment

    def uninstall(self, name: str) -> None:
        """Remove a plugin's environment.

        Raises:
            UnknownName: There is none.
        """
        known = {normal(one.name): one for one in self.all()}
        environment = known.get(normal(name))
        if environment is None:
            raise UnknownName("isolated plugin", name, [one.name for one in known.values()])
        shutil.rmtree(self._note_of(environment.name).parent)
        shutil.rmtree(environment.folder, ignore_errors=True)

    def _note_of(self, name: str) -> Path:
        return self._folder / normal(name) / NOTE


def load_registry(folder: Path) -> tuple[Registry, dict[str, Path]]:
    """All plugins, and for actions of isolated ones the interpreter that runs them.

    Args:
        folder: Where environments are.
    """
    environments = Environments(folder).all()
    names = {plugin["distribution"] for one in environments for plugin in one.plugins}
    # One that is installed here too would answer in its place.
    registry = Registry.load(replaced={normal(name) for name in names})
    interpreters: dict[str, Path] = {}
    for environment in environments:
        fault = environment.fault
        for plugin in environment.plugins:
            row = PluginRow(
                plugin["name"],
                plugin["distribution"],
                plugin["version"],
                error=fault or plugin["error"],
                environment=str(environment.folder),
            )
            registry.rows.append(row)
            row.disabled = bool({row.name, row.distribution} & left_out())
            if row.error or row.disabled:
                continue
            actions = [described(one, environment.check_config) for one in plugin["actions"]]
            registry.register(_Given(actions), row)
            # Noted in the row: such as that another plugin claims one of its actions.
            if registry.rows[-1].error is None:
                interpreters |= {one.info.name: environment.interpreter for one in actions}
    return registry, interpreters


class _Given:
    """A plugin that consists of the actions that it is given."""

    def __init__(self, actions: Sequence[type[Action]]) -> None:
        self._actions = actions

    @hookimpl
    def mediahost_register_actions(self) -> Sequence[type[Action]]:
        return self._actions


def _build(folder: Path, requirements: Sequence[str], python: str | None) -> None:
    with TemporaryDirectory() as scratch:
        small = str(write_wheel(Path(scratch)))
        uv = find_uv()
        if uv:
            venv = [uv, "venv", "--quiet", "--python", python or sys.executable, str(folder)]
            # uv takes settings of the folder where it is started, such as what index to ask.
            _run(venv, folder.parent)
            install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
        else:
            # -I: no module of the working folder stands for one of Python's.
            _run([_interpreter(python), "-I", "-m", "venv", str(folder)])
            install = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet"]
        _run([*install, small, *requirements], folder.parent)


def _interpreter(python: str | None) -> str:
    if python is None:
        return sys.executable
    named = python if re.search(r"[^\d.]", python) else f"python{python}"
    found = shutil.which(named)
    if found is None:
        raise UsageError(f"There is no {named} here", "Give the path of an interpreter.")
    return found


def _run(argv: Sequence[str], cwd: Path | None = None, given: str | None = None) -> str:
    """What a program writes to its standard output.

    Args:
        argv: The program and its arguments.
        cwd: Where it is started; None: where mediahost was.
        given: Its standard input.

    Raises:
        PluginError: It failed.
    """
    done = subprocess.run(argv, cwd=cwd, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise PluginError(
            f"{Path(argv[0]).name} failed with exit code {done.returncode}",
            "\n".join(lines[-LAST_LINES:]) or None,
        )
    return done.stdout


def _ask(interpreter: Path, *question: str, given: str = "") -> Any:
    argv = [str(interpreter), "-I", "-m", "mediahost.executor.describe", *question]
    try:
        return json.loads(_run(argv, given=given).splitlines()[-1])
    except (ValueError, IndexError):
        raise PluginError(f"{interpreter} gave no answer that can be read") from None


def _name_of(plugins: Sequence[Mapping[str, Any]], requirement: str) -> str:
    names = [one["distribution"] for one in plugins if one["requested"]]
    if not names:
        raise PluginError(f"{requirement} registers no plugin", docs_hint("plugins"))
    written = re.match(r"[\w.-]*", Path(requirement).name)
    named = [one for one in names if written and normal(written[0]).startswith(normal(one))]
    return str((named or names)[0])


def _absolute(requirement: str) -> str:
    return str(Path(requirement).absolute()) if Path(requirement).exists() else requirement


def _check_loaded(
    name: str,
    plugins: Sequence[Mapping[str, Any]],
    requirements: Sequence[str],
    python: str | None,
) -> None:
    """See that the plugin can be loaded where it was installed.

    Raises:
        PluginError: It can't be.
    """
    for plugin in plugins:
        if plugin["distribution"] != name or not plugin["error"]:
            continue
        hint = None
        if missing := plugin.get("missing"):
            command = isolated_install_hint([*requirements, missing], python)
            hint = f"Add the package that has {missing}: {command}"
        raise PluginError(plugin["error"], hint)


def _version_of(folder: Path) -> str:
    code = "import platform; print(platform.python_version())"
    return _run([str(folder / "bin" / "python"), "-I", "-c", code]).strip()


def _read(note: Path) -> Environment | None:
    try:
        data = json.loads(note.read_text("utf-8"))
        folder = note.parent.parent / data.pop("folder")
        return Environment(**{**data, "requirements": tuple(data["requirements"])}, folder=folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(path, json.dumps(data))
