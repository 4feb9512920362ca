"""Forms from a model's JSON schema: which field is asked for in which way."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from mediahost.model.faults import words_of

Kind = Literal["choice", "switch", "integer", "number", "text", "secret", "json"]

_PLAIN: dict[str, Kind] = {
    "boolean": "switch",
    "integer": "integer",
    "number": "number",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    Attributes:
        name: What the action calls it; of a group's, `group.name`.
        kind: How it is asked for. What nothing else fits is written as JSON.
        choices: What there is to choose from.
        optional: It may be left empty, which means None.
        required: It has no default.
        default: Its default as a plain value.
        description: What its author says of it, with the limits of numbers.
    """

    name: str
    kind: Kind
    choices: tuple[Any, ...] = ()
    optional: bool = False
    required: bool = False
    default: Any = None
    description: str = ""


def fields_of(schema: Mapping[str, Any]) -> list[FormField]:
    """The fields of a form for an object's schema; those of a nested object are a group."""
    return list(_fields(schema, schema.get("$defs", {}), "", required=True))


def _fields(
    schema: Mapping[str, Any], known: Mapping[str, Any], prefix: str, *, required: bool
) -> Iterator[FormField]:
    needed = schema.get("required", ()) if required else ()
    for name, given in schema.get("properties", {}).items():
        one = _resolved(given, known)
        if one.get("type") == "object" and one.get("properties") and not prefix:
            inside = required and name in needed
            yield from _fields(one, known, f"{name}.", required=inside)
        else:
            yield _field(prefix + name, one, known, required=name in needed)


def _resolved(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    meant = known.get(str(reference).rpartition("/")[2], {})
    return {**meant, **{key: value for key, value in schema.items() if key != "$ref"}}


def _field(
    name: str, schema: Mapping[str, Any], known: Mapping[str, Any], *, required: bool
) -> FormField:
    ways = [_resolved(one, known) for one in schema.get("anyOf", (schema,))]
    real = [way for way in ways if way.get("type") != "null"]
    kind, choices = _asked_by(real)
    description = " ".join(filter(None, [schema.get("description", ""), *map(_limits, real)]))
    return FormField(
        name,
        kind,
        choices,
        optional=len(real) < len(ways),
        required=required,
        default=schema.get("default"),
        description=description,
    )


def _asked_by(ways: Sequence[Mapping[str, Any]]) -> tuple[Kind, tuple[Any, ...]]:
    choices = [
        tuple(way["enum"]) if "enum" in way else (way["const"],)
        for way in ways
        if "enum" in way or "const" in way
    ]
    if ways and len(choices) == len(ways):
        return "choice", tuple(dict.fromkeys(one for some in choices for one in some))
    if len(ways) != 1:
        return "json", ()
    way = ways[0]
    if way.get("format") == "password" or way.get("writeOnly"):
        return "secret", ()
    return _PLAIN.get(way.get("type", ""), "json"), ()


def _limits(schema: Mapping[str, Any]) -> str:
    """What its numbers may be, in words."""
    words = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    if {"minimum", "maximum"} <= schema.keys():
        return f"({schema['minimum']:,} to {schema['maximum']:,})"
    said = ", ".join(f"{word} {schema[name]:,}" for name, word in words if name in schema)
    return f"({said})" if said else ""


def written(field: FormField, value: Any) -> str:
    """A value as it stands in the form."""
    if value is None:
        return ""
    if field.kind == "json":
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def read(field: FormField, text: str) -> Any:
    """The value that was written.

    Raises:
        ValueError: It is not JSON where it should be.
    """
    if text == "" and (field.optional or field.required or field.kind != "text"):
        return None
    if field.kind == "json":
        return json.loads(text)
    return text  # the action's own fields turn text into numbers, and say what is wrong


def config_of(fields: Sequence[FormField], values: Mapping[str, Any]) -> dict[str, Any]:
    """The config that values by name make; what is empty and has a default is left out."""
    config: dict[str, Any] = {}
    for field in fields:
        value = values.get(field.name)
        if value is None and not field.optional:
            continue
        if value is None and field.default is None:
            continue
        group, _, name = field.name.rpartition(".")
        (config.setdefault(group, {}) if group else config)[name] = value
    return config


def faults_of(model: type[BaseModel], config: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a config, by the field's name; under "" what no field is to blame for."""
    try:
        model.model_validate(dict(config))
    except ValidationError as error:
        faults = {}
        for fault in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in fault["loc"] if isinstance(part, str))
            known = place.partition(".")[0] in model.model_fields
            faults[place if known else ""] = words_of(fault)
        return faults
    return {}


def placed(fields: Sequence[FormField], faults: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The faults by the field that each stands beside, and what no field is to blame for."""
    rest, beside = dict(faults), {}
    for field in fields:
        group = field.name.rpartition(".")[0]
        inside = [name for name in rest if name.startswith(f"{field.name}.")]
        whole = rest.pop(group, "") if group else ""
        said = [rest.pop(field.name, whole), *(f"{name}: {rest.pop(name)}" for name in inside)]
        if fault := "; ".join(filter(None, said)):
            beside[field.name] = fault
    return beside, "; ".join(rest.values())
