"""Pipelines: ordered recipes of steps."""

from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Step(BaseModel):
    """One action with its config, and what it stands on.

    Steps name each other by `name`, which is the action's name unless given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str = Field(min_length=1, description="Name of the action, such as av.probe")
    name: str = Field("", description="What other steps call this one; the action if empty")
    config: dict[str, Any] = Field(default_factory=dict, description="The action's field values")
    after: tuple[str, ...] = Field((), description="Steps whose results this one gets as inputs")
    media: str | None = Field(
        None, description="Step whose artifacts are this one's media files; None: the file itself"
    )

    optional: bool = Field(
        default=False, description="Skip the step where it fails; the rest goes on and counts"
    )

    @model_validator(mode="before")
    @classmethod
    def _called_by_its_action(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("name"):
            data = {**data, "name": data.get("action", "")}
        if isinstance(data, dict) and isinstance(data.get("after"), str):
            data = {**data, "after": (data["after"],)}
        return data

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps that must be done before this one can be."""
        return (*self.after, self.media) if self.media else self.after

    @property
    def in_words(self) -> str:
        """Its name, action and config, and what it stands on, in one line."""
        text = self.name if self.name == self.action else f"{self.name}: {self.action}"
        config = ", ".join(f"{key}={value}" for key, value in self.config.items())
        if config:
            text += f" ({config})"
        if self.media:
            text += f", on what {self.media} made"
        if self.after:
            text += f", after {', '.join(self.after)}"
        return text


class Pipeline(BaseModel):
    """An ordered recipe: a directed acyclic graph of steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_a_recipe(self) -> Self:
        names = [step.name for step in self.steps]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two steps are named {name!r}; give one of them another name")
        for step in self.steps:
            for need in step.needs:
                if need not in names:
                    raise ValueError(f"step {step.name!r} follows {need!r}, which is no step of it")
        try:
            tuple(self.ordered())
        except CycleError as error:
            raise ValueError(
                f"steps follow each other in a circle: {' -> '.join(error.args[1])}"
            ) from None
        for step in self.steps:
            for need in step.after:
                self._check_within_reach(step, need)
        return self

    def _check_within_reach(self, step: Step, need: str) -> None:
        """A step sees results of its own media file and of the files that one was made from."""
        if self.step(need).media not in self.origins(step):
            raise ValueError(
                f"step {step.name!r} can't follow {need!r}, which works on other files: "
                f"give both the same 'media', or let {step.name!r} work on what {need!r} made"
            )

    def origins(self, step: Step) -> tuple[str | None, ...]:
        """The `media` of the step, then that of the step which made its media file, and so on."""
        chain: list[str | None] = [step.media]
        while chain[-1] is not None:
            chain.append(self.step(chain[-1]).media)
        return tuple(chain)

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def skipped(self, failed: Collection[str]) -> set[str]:
        """The steps that may be missing where these failed: optional ones, and what needs them."""
        skipped: set[str] = set()
        for step in self.ordered():
            if (step.optional and step.name in failed) or skipped & set(step.needs):
                skipped.add(step.name)
        return skipped

    def ordered(self) -> Iterator[Step]:
        """The steps, each after all that it needs; otherwise as written."""
        graph = {step.name: step.needs for step in self.steps}
        for name in TopologicalSorter(graph).static_order():
            yield self.step(name)
