"""The registry: which plugins are installed, what they register, and what is wrong with them."""

import re
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pluggy

from mediahost.errors import ActionConflict, MediahostError, PluginError, UnknownName
from mediahost.installation import install_hint
from mediahost.plugin import hookspecs
from mediahost.plugin.action import Action
from mediahost.plugin.calling import Calls, check_hooks
from mediahost.plugin.importing import watched_import
from mediahost.plugin.installed import installed, left_out, shipped_with, under_development


@dataclass
class PluginRow:
    """A plugin as `mediahost plugins list` shows it.

    Attributes:
        name: Name of its entry point.
        distribution: What to install or uninstall with pip.
        version: Of the distribution.
        actions: Names of the actions that it registers.
        error: Why it can't be used, in one sentence; None if it can.
        traceback: For `--debug`.
        environment: Folder of the environment that it has for itself; "" if it is mediahost's.
        disabled: The person has left it out: it was not loaded.
        missing: The module that it lacks, if that is why it can't be loaded; else "".
    """

    name: str
    distribution: str
    version: str
    actions: list[str] = field(default_factory=list)
    error: str | None = None
    traceback: str = ""
    environment: str = ""
    disabled: bool = False
    missing: str = ""


class Registry:
    """The loaded plugins. A broken one is a row with its error; the others live."""

    def __init__(self) -> None:
        self.plugins = pluggy.PluginManager(hookspecs.PROJECT)
        self.plugins.add_hookspecs(hookspecs)
        self.calls = Calls(self.plugins)
        self.rows: list[PluginRow] = []
        self._claims: dict[str, list[tuple[PluginRow, type[Action]]]] = {}

    @classmethod
    def load(cls, extra: Sequence[str] = (), replaced: Collection[str] = ()) -> "Registry":
        """All installed plugins, and those named besides.

        Args:
            extra: Plugins that aren't installed, such as one under development: dotted module
                names, or paths that end in `.py`. Those that the environment variable
                MEDIAHOST_PLUGINS names are loaded too.
            replaced: Distributions, by their normal names (PEP 503), that are not loaded: others
                stand for them.
        """
        registry = cls()
        for entry_point in installed():
            name = entry_point.dist.name if replaced and entry_point.dist else ""
            if re.sub(r"[-_.]+", "-", name).lower() not in replaced:
                registry.load_entry_point(entry_point)
        for name in dict.fromkeys([*extra, *under_development()]):
            registry.load_module(name)
        return registry

    def load_entry_point(self, entry_point: EntryPoint) -> None:
        """Load one plugin, or note why it can't be."""
        # Asked once: each time, the whole file is read and parsed.
        about = entry_point.dist.metadata if entry_point.dist else {"Name": "", "Version": ""}
        row = PluginRow(entry_point.name, about["Name"], about["Version"])
        self._load(row, entry_point.load)

    def load_module(self, name: str) -> None:
        """Load a plugin that isn't installed: a dotted module name or the path of a Python file."""
        self._load(PluginRow(name, "", ""), lambda: _module(name))

    def _load(self, row: PluginRow, load: Callable[[], Any]) -> None:
        self.rows.append(row)
        if {row.name, row.distribution, Path(row.name).stem} & left_out():
            row.disabled = True
            return
        try:
            with watched_import(row.name):
                module = load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
            _note(row, "can't be loaded", error)
            return
        with redirect_stdout(sys.stderr):  # what it prints is no part of a command's answer
            self.register(module, row)

    def register(self, module: Any, row: PluginRow) -> None:
        """Register a module (or any object) that has hook implementations."""
        # Two distributions may well give their entry points one name.
        key = f"{row.distribution}/{row.name}"
        try:
            check_hooks(module)
            self.plugins.register(module, name=key)
            # A misspelt hook is found here, not when it would have fired.
            self.plugins.check_pending()
            self._claim_actions(module, row)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
            _note(row, "breaks the contract of its hooks", error)
            if self.plugins.get_plugin(key) is module:
                self.plugins.unregister(module)

    def _claim_actions(self, module: Any, row: PluginRow) -> None:
        hook = self.plugins.subset_hook_caller(
            "mediahost_register_actions",
            [other for other in self.plugins.get_plugins() if other is not module],
        )
        actions = [action for given in hook() for action in given]
        for action in actions:
            if not (isinstance(action, type) and issubclass(action, Action)):
                raise PluginError(f"it registered {action!r}, which is no action class")
            if "info" not in vars(action):  # not inherited: an action has a name of its own
                raise PluginError(f"its action {action.__name__} has no name=")
            if missing := ", ".join(sorted(action.__abstractmethods__)):
                raise PluginError(f"its action {action.__name__} doesn't define {missing}")
        for action in actions:
            name = action.info.name
            row.actions.append(name)
            claims = self._claims.setdefault(name, [])
            claims.append((row, action))
            if len(claims) > 1:
                for claimant, _ in claims:
                    claimant.error = _conflict(name, claims)

    def action(self, name: str) -> type[Action]:
        """The action class of that name.

        Raises:
            UnknownName: No plugin registers it.
            ActionConflict: More than one does.
        """
        claims = self._claims.get(name, [])
        if not claims:
            broken = [row.name for row in self.rows if row.error and not row.actions]
            hint = "See them all with: mediahost plugins list"
            missing = shipped_with(name)
            if missing and missing not in {row.distribution for row in self.rows}:
                hint = f"Install it with: {install_hint(missing)}"
            if disabled := [row.name for row in self.rows if row.disabled]:
                hint = f"These plugins are left out: {', '.join(disabled)}. {hint}"
            if broken:
                hint = f"These plugins are broken: {', '.join(broken)}. {hint}"
            raise UnknownName("action", name, self._claims, hint)
        if len(claims) > 1:
            raise ActionConflict(_conflict(name, claims), "Uninstall one of them.")
        return claims[0][1]

    def actions(self) -> Iterator[type[Action]]:
        """Every action that can be used, by name."""
        for name in sorted(self._claims):
            if len(self._claims[name]) == 1:
                yield self._claims[name][0][1]

    def executors(self) -> Mapping[str, Any]:
        """Executor factories by name, from every plugin that can give them."""
        factories: dict[str, Any] = {}
        for key, given in self.calls.each("mediahost_register_executors", self._note_later):
            try:
                factories.update(given)
            except (TypeError, ValueError) as error:
                self._note_later(key, error)
        return factories

    def _note_later(self, key: str, error: BaseException) -> None:
        for row in self.rows:
            if f"{row.distribution}/{row.name}" == key:
                _note(row, "can't give its executors", error)


def _module(name: str) -> Any:
    if not name.endswith(".py"):
        return import_module(name)
    path = Path(name).resolve()
    # A name of its own: a plugin file called json.py must not become everybody's json.
    module_name = f"mediahost_plugin_{path.stem}"
    spec = spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be imported")
    module = module_from_spec(spec)
    # Dataclasses and pydantic look their module up while it is being run.
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def _conflict(name: str, claims: list[tuple[PluginRow, type[Action]]]) -> str:
    claimants = " and ".join(f"{row.name} ({row.distribution or 'local'})" for row, _ in claims)
    return f"Action {name} is claimed by {claimants}"


def _note(row: PluginRow, what: str, error: BaseException) -> None:
    reason = (
        error.message if isinstance(error, MediahostError) else f"{type(error).__name__}: {error}"
    )
    if isinstance(error, ModuleNotFoundError):
        row.missing = (error.name or "").partition(".")[0]
    row.error = f"Plugin {row.name} {what}: {' '.join(reason.split())}"
    row.traceback = "".join(traceback.format_exception(error))
