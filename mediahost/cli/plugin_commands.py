"""Commands that plugins add: loaded where no built-in one is meant, and where there may be any."""

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

log = logging.getLogger(__name__)


class Commands(TyperGroup):
    """The built-in commands, then those of plugins. A built-in name can't be taken."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer calls it so
        """The command of that name, or None."""
        return self.commands.get(cmd_name) or self._from_plugins.get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, the built-in ones first."""
        from mediahost.plugin.installed import may_implement

        built_in = super().list_commands(ctx)
        if not may_implement("mediahost_register_commands"):
            return built_in
        return [*built_in, *(name for name in self._from_plugins if name not in built_in)]

    @cached_property
    def _from_plugins(self) -> Mapping[str, Any]:
        from mediahost.plugin.calling import plugin_name
        from mediahost.plugin.registry import Registry

        built: dict[str, Any] = {}
        for key, given in Registry.load().calls.each("mediahost_register_commands"):
            try:
                built |= _built(dict(given))
            except Exception:  # a stranger's code runs here; the other commands must live
                log.exception("The commands of the plugin %s can't be used", plugin_name(key))
        return built


def _built(given: Mapping[str, Any]) -> Mapping[str, Any]:
    parent = typer.Typer(rich_markup_mode=None, add_completion=False)
    parent.callback()(_no_options)
    for name, command in given.items():
        if isinstance(command, typer.Typer):
            parent.add_typer(command, name=name)
        else:
            parent.command(name)(command)
    return get_group(parent).commands


def _no_options() -> None:
    """The parent of plugins' commands takes no options of its own."""
