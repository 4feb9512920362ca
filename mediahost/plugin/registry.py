"""The registry: which plugins are installed, what they register, and what is wrong with them."""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from mediahost.errors import ActionConflict, MediahostError, PluginError, UnknownName
from mediahost.plugin import hookspecs
from mediahost.plugin.action import Action

GROUP = "mediahost"


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
    """

    name: str
    distribution: str
    version: str
    actions: list[str] = field(default_factory=list)
    error: str | None = None
    traceback: str = ""


class Registry:
    """The loaded plugins. A broken one is a row with its error; the others live."""

    def __init__(self) -> None:
        self.plugins = pluggy.PluginManager(hookspecs.PROJECT)
        self.plugins.add_hookspecs(hookspecs)
        self.rows: list[PluginRow] = []
        self._claims: dict[str, list[tuple[PluginRow, type[Action]]]] = {}

    @classmethod
    def load(cls) -> "Registry":
        """All installed plugins."""
        registry = cls()
        for entry_point in installed():
            registry.load_entry_point(entry_point)
        return registry

    def load_entry_point(self, entry_point: EntryPoint) -> None:
        """Load one plugin, or note why it can't be."""
        distribution = entry_point.dist
        row = PluginRow(
            entry_point.name,
            distribution.name if distribution else "",
            distribution.version if distribution else "",
        )
        self.rows.append(row)
        try:
            module = entry_point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
            _note(row, "can't be loaded", error)
            return
        self.register(module, row)

    def register(self, module: Any, row: PluginRow) -> None:
        """Register a module (or any object) that has hook implementations."""
        try:
            self.plugins.register(module, name=row.name)
            # A misspelt hook is found here, not when it would have fired.
            self.plugins.check_pending()
            self._claim_actions(module, row)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
            _note(row, "breaks the contract of its hooks", error)
            if self.plugins.is_registered(module):
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
            if not hasattr(action, "info"):
                raise PluginError(f"its action {action.__name__} has no name=")
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
        """Executor factories by name."""
        return {
            name: factory
            for given in self.plugins.hook.mediahost_register_executors()
            for name, factory in given.items()
        }


def installed() -> list[EntryPoint]:
    """The entry points of all installed plugins, by name. This imports none of them."""
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _conflict(name: str, claims: list[tuple[PluginRow, type[Action]]]) -> str:
    claimants = " and ".join(f"{row.name} ({row.distribution or 'local'})" for row, _ in claims)
    return f"Action {name} is claimed by {claimants}"


def _note(row: PluginRow, what: str, error: BaseException) -> None:
    reason = (
        error.message if isinstance(error, MediahostError) else f"{type(error).__name__}: {error}"
    )
    row.error = f"Plugin {row.name} {what}: {' '.join(reason.split())}"
    row.traceback = "".join(traceback.format_exception(error))
