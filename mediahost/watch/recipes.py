"""Recipes: what a watch does to its files, also where nobody said."""

from mediahost.errors import InvalidConfig, UsageError
from mediahost.host.host import Host
from mediahost.host.planner import Recipe
from mediahost.installation import install_hint
from mediahost.model.pipeline import Pipeline, Step
from mediahost.model.watch import Watch

# Where the settings have a pipeline of this name, a watch without steps uses it.
DEFAULT_PIPELINE = "watch"


def recipe_for(host: Host, rule: Watch) -> Recipe:
    """The recipe of a watch: its pipeline, its steps, or what suits each kind of file.

    Raises:
        UnknownName: A pipeline or action that nothing goes by.
        InvalidConfig: A config that doesn't fit.
        UsageError: No action is installed that could be the default.
    """
    if rule.pipeline:
        return host.recipe(host.settings.pipeline(rule.pipeline), named=False)
    if rule.steps:
        return host.recipe(Pipeline(name=rule.name, steps=rule.steps), named=False)
    if DEFAULT_PIPELINE in host.settings.pipelines:
        return host.recipe(host.settings.pipeline(DEFAULT_PIPELINE), named=False)
    return host.recipe(Pipeline(name=rule.name, steps=_facts(host)), named=False)


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
