"""Rules: whom to tell of what, out of the settings."""

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mediahost.errors import SettingsError

Subject = Literal["completed", "failed", "cancelled", "finished", "idle", "watch"]

_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Rule(BaseModel):
    """One rule, `[[plugins.notify.rules]]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: tuple[Subject, ...] = Field(
        ("failed", "finished"), min_length=1, description="Tell of these"
    )
    to: tuple[str, ...] = Field(
        min_length=1, repr=False, description="Apprise URLs; ${NAME} is a variable"
    )
    actions: tuple[str, ...] = Field(("*",), description="Only of these; * is any characters")
    every_s: float = Field(60, gt=0, description="Seconds in which facts are gathered")

    @field_validator("on", "to", "actions", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...] = ()


def rules_of(table: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The rules in `[plugins.notify]`.

    Raises:
        SettingsError: They don't make sense. What they send to is never told.
    """
    try:
        return _Table.model_validate(dict(table)).rules
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise SettingsError(
            f"plugins.notify.{place}: {fault['msg'].lower()}", "See the README of mediahost-notify."
        ) from None


def filled_in(url: str, environ: Mapping[str, str] = os.environ) -> str:
    """A URL with its `${NAME}` replaced by variables of the environment.

    Where the settings name a host, no variable changes it: `json://${USER}@example.org` sends
    nothing to another host, whatever the variable holds.

    Raises:
        SettingsError: There is no such variable, or with it the URL names another host.
    """

    def value(found: re.Match[str]) -> str:
        if not environ.get(found[1]):
            raise SettingsError(
                f"The settings of plugins.notify name the variable {found[1]}, which is not set",
                f"Set {found[1]} in the environment of mediahost.",
            )
        return environ[found[1]]

    filled = _VARIABLE.sub(value, url)
    scheme, host = _place(url)
    if scheme and not _VARIABLE.fullmatch(host) and not _leads_to(filled, scheme, host):
        raise SettingsError(
            f"plugins.notify: with its variables a URL leads to another host than {host}",
            "Percent-encode what a variable holds: %2F for /, %40 for @.",
        )
    return filled


def _leads_to(filled: str, scheme: str, host: str) -> bool:
    """Whether a URL leads to a host in which a variable may stand for a part, such as the port."""
    parts = [re.escape(part) for part in _VARIABLE.split(host)[::2]]
    found = _place(filled)
    return found[0] == scheme and re.fullmatch("[a-z0-9_-]*".join(parts), found[1]) is not None


def _place(url: str) -> tuple[str, str]:
    """Scheme and host of a URL, with the port; both empty where it has no scheme."""
    scheme, found, rest = url.partition("://")
    if not found:
        return "", ""
    # As lenient readers have it: the host ends before a path, and begins behind the last sign @.
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    return scheme, authority.rpartition("@")[2].lower()
