"""Recipes: what a watch does to its files, also where nobody said."""

from collections.abc import Mapping, Sequence
from typing import Any

from mediahost.errors import InvalidConfig, UsageError
from mediahost.host.host import Host
from mediahost.host.planner import Recipe
from mediahost.installation import install_hint
from mediahost.model.paths import url_to_path
from mediahost.model.pipeline import Pipeline, Step
from mediahost.model.watch import Watch
from mediahost.ports import WatchRow

# Where the settings have a pipeline of this name, a watch without steps uses it.
DEFAULT_PIPELINE = "watch"


# Beside the fields of a rule in the store: the steps that its pipeline had when it was made.
RESOLVED = "resolved"


def rule_of(row: WatchRow) -> Watch:
    """The rules of a watch.

    Raises:
        ValueError: A newer mediahost wrote them.
    """
    fields = {key: value for key, value in row.rule.items() if key != RESOLVED}
    return Watch.model_validate({**fields, "path": url_to_path(row.path)})


def recipe_of(host: Host, row: WatchRow) -> Recipe:
    """What a watch that is in the store does.

    Raises:
        MediahostError: As `recipe_for`.
        ValueError: A newer mediahost wrote its rules.
    """
    return recipe_for(host, rule_of(row), row.rule.get(RESOLVED) or ())


def resolved_steps(host: Host, rule: Watch) -> list[dict[str, Any]]:
    """The steps of the pipeline that a rule names or that is the default; empty without one.

    They are kept with the rule, so that a watch does the same wherever it is started: other
    folders may have other settings.

    Raises:
        UnknownName: A pipeline that nothing goes by.
    """
    name = rule.pipeline
    if name is None and not rule.steps and DEFAULT_PIPELINE in host.settings.pipelines:
        name = DEFAULT_PIPELINE
    if name is None:
        return []
    return [step.model_dump(mode="json") for step in host.settings.pipeline(name).steps]


def recipe_for(host: Host, rule: Watch, resolved: Sequence[Mapping[str, Any]] = ()) -> Recipe:
    """The recipe of a watch: its pipeline, its steps, or what suits each kind of file.

    Args:
        host: Knows actions, and the settings' pipelines.
        rule: The rules.
        resolved: The steps of the pipeline, where they are known already.

    Raises:
        UnknownName: A pipeline or action that nothing goes by.
        InvalidConfig: A config that doesn't fit.
        UsageError: No action is installed that could be the default.
    """
    steps = rule.steps or tuple(
        Step.model_validate(step) for step in resolved or resolved_steps(host, rule)
    )
    name = rule.pipeline or rule.name
    return host.recipe(Pipeline(name=name, steps=steps or _facts(host)), named=False)


def _facts(host: Host) -> tuple[Step, ...]:
    """The default: the analyzers that say what a file is. They are quick and write nothing.

    They are those that are called `.probe` or `.info`, as authors name them.
    """
    steps: list[Step] = []
    for action in host.registry.actions():
        name = action.info.name
        if action.info.kind != "analyzer" or not name.endswith((".probe", ".info")):
            continue
        try:
            host.recipe(Pipeline(name=name, steps=(Step(action=name),)), named=False)
        except InvalidConfig:
            continue
        steps.append(Step(action=name))
    if not steps:
        raise UsageError(
            "No installed action can say what a file is",
            f"Install one with: {install_hint('mediahost-av')}\n"
            "or say what to do with --action NAME or --pipeline NAME.",
        )
    return tuple(steps)
