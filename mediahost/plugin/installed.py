"""Which plugins are installed, and what can be known of them without running their code."""

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from mediahost.errors import SettingsError
from mediahost.installation import SHIPPED
from mediahost.user_folders import user_config_folder

GROUP = "mediahost"

# Plugins under development, which no distribution announces yet: dotted module names or paths of
# Python files, separated as in PATH.
EXTRA_VARIABLE = "MEDIAHOST_PLUGINS"

# Names of plugins that are not loaded, separated as in PATH: what --without says.
WITHOUT_VARIABLE = "MEDIAHOST_WITHOUT"


def installed() -> list[EntryPoint]:
    """The entry points of all installed plugins, by name. This imports none of them."""
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def shipped_with(action: str) -> str | None:
    """The distribution to install for an action that mediahost ships; None for a stranger's."""
    word = action.partition(".")[0]
    return f"mediahost-{word}" if word in SHIPPED else None


def under_development() -> list[str]:
    """Modules and files that the environment names, each once."""
    named = os.environ.get(EXTRA_VARIABLE, "").split(os.pathsep)
    return list(dict.fromkeys(filter(None, named)))


def left_out() -> set[str]:
    """Names of plugins or distributions that are not loaded: for this call, or disabled."""
    named = os.environ.get(WITHOUT_VARIABLE, "").split(os.pathsep)
    return {*filter(None, named), *disabled()}


def disabled() -> list[str]:
    """The plugins that the person has disabled, by name."""
    try:
        return sorted(filter(None, disabled_file().read_text("utf-8").splitlines()))
    except (OSError, ValueError, SettingsError):
        return []


def disabled_file() -> Path:
    """Where the disabled plugins are listed, one a line, in the user's config folder."""
    return user_config_folder() / "disabled"


def may_implement(hook: str) -> bool:
    """Whether any plugin may implement a hook, by what its source says; it is not imported.

    Importing all plugins costs a tenth of a second and more, which a user waits for. A plugin
    whose source can't be found may implement anything.
    """
    names = [*(point.value for point in installed()), *under_development()]
    return any(_mentions(name, hook.encode()) for name in names)


def _mentions(name: str, word: bytes) -> bool:
    # An attribute may be an object whose class stands elsewhere in its package.
    module, _, attribute = name.partition(":") if not name.endswith(".py") else (name, "", "")
    try:
        sources = list(_sources(module, whole_package=bool(attribute)))
        return not sources or any(word in source.read_bytes() for source in sources)
    except (OSError, ValueError):
        return True


def _sources(module: str, *, whole_package: bool) -> Iterator[Path]:
    """Python files of a module; all those beside it where it is, or stands for, a package."""
    if module.endswith(".py"):
        yield Path(module)
        return
    top, *inner = module.split(".")
    spec = None
    with suppress(ImportError):
        spec = find_spec(top)  # of a name without dots: nothing is imported
    if spec is None or spec.origin is None:
        return
    path = Path(spec.origin)
    if inner:
        path = path.parent.joinpath(*inner)
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    in_package = (path.parent / "__init__.py").exists()
    if in_package and (whole_package or path.name == "__init__.py"):
        yield from path.parent.glob("*.py")
    elif path.suffix == ".py":
        yield path
