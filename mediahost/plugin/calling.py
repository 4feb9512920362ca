"""Calling plugins: each for itself, so that what one does wrong reaches nobody else."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from typing import Any

import pluggy

from mediahost.errors import MediahostError, PluginError
from mediahost.plugin import hookspecs

Caller = Callable[..., Any]
# Told of each plugin that fails: its name, and how.
Failed = Callable[[str, BaseException], None]

_logger = logging.getLogger("mediahost.plugins")

# A hook is for a moment, between other things; a person wonders after this.
SLOW_S = 2.0


class Calls:
    """The hooks of loaded plugins, called plugin by plugin, timed and guarded.

    Args:
        plugins: The loaded plugins.
    """

    def __init__(self, plugins: "pluggy.PluginManager") -> None:
        self._plugins = plugins
        self._told: set[tuple[str, str]] = set()

    def callers(self, hook: str) -> list[tuple[str, Caller]]:
        """What calls a hook of one plugin, with its name, in the order that pluggy calls them."""
        plugins = self._plugins
        everybody = plugins.get_plugins()
        mine = [one.plugin for one in reversed(getattr(plugins.hook, hook).get_hookimpls())]
        return [
            (
                plugins.get_name(plugin) or hook,
                plugins.subset_hook_caller(hook, [one for one in everybody if one is not plugin]),
            )
            for plugin in dict.fromkeys(mine)
        ]

    def each(
        self, hook: str, failed: Failed | None = None, **given: object
    ) -> Iterator[tuple[str, Any]]:
        """What each plugin gives; one that fails gives nothing, and is named in the log once.

        Args:
            hook: Name of the hook.
            failed: Told of those that fail, in place of the log.
            given: The hook's arguments.
        """
        for name, call in self.callers(hook):
            began = time.monotonic()
            try:
                answer = call(**given)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
                if failed is not None:
                    failed(name, error)
                else:
                    self._tell(name, hook, f"failed in {hook}: {_words(error)}", error)
                continue
            if (took_s := time.monotonic() - began) > SLOW_S:
                self._tell(name, hook, f"took {took_s:.1f} s in {hook}")
            if isinstance(answer, list):
                yield from ((name, one) for one in answer)
            elif answer is not None:
                yield name, answer

    def first(self, hook: str, **given: object) -> Any:
        """What the first plugin gives that gives anything; None: none does.

        Raises:
            MediahostError: None does, and one has said why in words for the person.
        """
        said: list[MediahostError] = []

        def note(name: str, error: BaseException) -> None:
            if isinstance(error, MediahostError):
                said.append(error)
            else:
                self._tell(name, hook, f"failed in {hook}: {_words(error)}", error)

        for _, answer in self.each(hook, note, **given):
            return answer
        if said:
            raise said[0]
        return None

    def edited(self, hook: str, edited: str, values: Iterable[Any], **given: object) -> list[Any]:
        """A list after each plugin has edited it; what one does that fails is undone.

        Args:
            hook: Name of the hook.
            edited: The argument that is the list.
            values: What is in it at first.
            given: The hook's other arguments.
        """
        now = list(values)
        for name, call in self.callers(hook):
            mine = list(now)
            try:
                call(**{edited: mine, **given})
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code runs here
                self._tell(name, hook, f"failed in {hook}: {_words(error)}", error)
            else:
                now = mine
        return now

    def _tell(self, name: str, hook: str, what: str, error: BaseException | None = None) -> None:
        """Once for each plugin and hook: some are called for each of many files."""
        if (name, hook) not in self._told:
            self._told.add((name, hook))
            # An error also where it was only slow: a person is shown no less.
            _logger.error("The plugin %s %s", plugin_name(name), what)
            _logger.debug("As it was:", exc_info=error)


def check_hooks(module: object) -> None:
    """See that a plugin's hooks take what they are given, in words for its author.

    Raises:
        PluginError: One does not.
    """
    marked = f"{hookspecs.PROJECT}_impl"
    for name, hook in vars(module).items() if hasattr(module, "__dict__") else ():
        if not (callable(hook) and getattr(hook, marked, None)):
            continue
        spec = getattr(hookspecs, name, None)
        if spec is None:
            continue  # pluggy knows more of such: one may be optional, or of another name
        known = signature(spec).parameters
        asked = [one for one in signature(hook).parameters if one not in known]
        if asked:
            gets = ", ".join(known) or "nothing"
            raise PluginError(f"its hook {name} asks for {', '.join(asked)}; it gets {gets}")


def plugin_name(key: str) -> str:
    """The name that a person knows a plugin by; the registry's has its distribution before it."""
    distribution, _, name = key.partition("/")
    return name if distribution or key.startswith("/") else key


def _words(error: BaseException) -> str:
    if isinstance(error, MediahostError):
        return error.message
    return " ".join(f"{type(error).__name__}: {error}".split())
