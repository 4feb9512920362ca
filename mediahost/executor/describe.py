"""Describing: a program that says, from inside an environment, what its plugins can do.

    python -I -m mediahost.executor.describe plugins
    python -I -m mediahost.executor.describe config ACTION < CONFIG.json

It prints JSON as the last line of its standard output.
"""

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from mediahost.errors import MediahostError
from mediahost.plugin.action import Action, is_secret
from mediahost.plugin.registry import PluginRow, Registry


def main() -> None:
    """Answer one question."""
    question, *rest = sys.argv[1:]
    registry = Registry.load()
    answer = _plugins(registry) if question == "plugins" else _config(registry, *rest)
    sys.stdout.write(f"\n{json.dumps(answer)}\n")


def _plugins(registry: Registry) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "distribution": row.distribution,
            "version": row.version,
            "error": row.error,
            "missing": row.missing,
            "requested": _was_asked_for(row),
            "actions": [_described(registry.action(name)) for name in row.actions],
        }
        for row in registry.rows
        if row.distribution and row.distribution != "mediahost"
    ]


def _was_asked_for(row: PluginRow) -> bool:
    """Whether it was installed by its own name, not because another requires it (PEP 376)."""
    with suppress(PackageNotFoundError):
        return distribution(row.distribution).read_text("REQUESTED") is not None
    return False


def _described(action: type[Action]) -> dict[str, Any]:
    info = {**asdict(action.info), "accepts": sorted(action.info.accepts)}
    return {
        "info": info,
        "doc": action.__doc__ or "",
        "schema": action.model_json_schema(),
        "secret": [name for name, field in action.model_fields.items() if is_secret(field)],
    }


def _config(registry: Registry, name: str) -> dict[str, Any]:
    try:
        action = registry.action(name).configured(json.load(sys.stdin))
    except MediahostError as error:
        return {"error": error.message, "hint": error.hint}
    return {"config": action.public_config()}


if __name__ == "__main__":
    main()
