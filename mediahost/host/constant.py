"""Constant recipes: those that ask the same of a file as long as no source is changed."""

import inspect
import re

from mediahost.host.planner import Recipe
from mediahost.plugin.action import Action, is_secret

_ENVIRONMENT = re.compile(r"\b(environ|environb|getenv)\b")


def is_constant(recipe: Recipe) -> bool:
    """Whether the configs of a recipe follow from what was asked for and from sources alone.

    A default that is made anew each time may be another one next time, and so may what is taken
    from the environment. Secrets are kept out of everything that is written down.
    """
    return all(map(_is_constant, recipe.actions.values()))


def _is_constant(action: Action) -> bool:
    given = action.model_fields_set
    for name, field in type(action).model_fields.items():
        if is_secret(field) or (field.default_factory is not None and name not in given):
            return False
    own = [each for each in type(action).__mro__ if issubclass(each, Action)]
    return not any(_reads_environment(each) for each in own)


def _reads_environment(action: type[Action]) -> bool:
    module = inspect.getmodule(action)
    try:
        return module is None or bool(_ENVIRONMENT.search(inspect.getsource(module)))
    except (OSError, TypeError):  # a source that can't be read may do anything
        return True
