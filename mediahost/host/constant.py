"""Constant recipes: those whose configs follow from what was asked for and from what was read."""

from typing import Any, get_args

from pydantic import BaseModel

from mediahost.host.planner import Recipe
from mediahost.plugin.action import Action, is_secret


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
        or _mentions_model(field.annotation)  # which may have either
        for name, field in type(action).model_fields.items()
    )


def _mentions_model(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(map(_mentions_model, get_args(annotation)))
