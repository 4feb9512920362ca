"""Constant recipes: those whose configs follow from what was asked for and from what was read."""

from typing import Any

from pydantic import BaseModel

from mediahost.host.planner import Recipe
from mediahost.plugin.action import Action, is_secret, parts_of


def is_constant(recipe: Recipe) -> bool:
    """Whether nothing in the configs of a recipe is secret or made anew each time.

    Secrets are kept out of everything that is written down.
    """
    return all(map(_is_constant, recipe.actions.values()))


def _is_constant(action: Action) -> bool:
    given = action.model_fields_set
    return not any(
        is_secret(field)
        or (field.default_factory is not None and name not in given)
        or any(map(_is_model, parts_of(field.annotation)))  # which may have either
        for name, field in type(action).model_fields.items()
    )


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)
