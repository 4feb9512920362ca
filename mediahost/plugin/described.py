"""Described actions: those of a plugin that can't be imported here, by what it says of itself."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar, Self, cast

from pydantic import Field, PrivateAttr, create_model

from mediahost.errors import InvalidConfig, PluginError, UnknownName
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult, MediaProcessingResult
from mediahost.plugin.action import Action, ActionInfo, Analyzer, Processor
from mediahost.plugin.context import Context

# A config as it was written -> the same as the action's own class understands it.
Check = Callable[[str, Mapping[str, Any]], dict[str, Any]]


class _Described(Action):
    """Knows its config by asking where the real class is."""

    _public: dict[str, Any] = PrivateAttr(default_factory=dict)
    check: ClassVar[Check]
    described_schema: ClassVar[dict[str, Any]]

    @classmethod
    def configured(cls, config: Mapping[str, Any]) -> Self:
        for field in config:
            if field not in cls.model_fields:
                unknown = UnknownName("field", field, cls.model_fields)
                raise InvalidConfig(f"{cls.info.name}: {unknown.message}", unknown.hint)
        public = cls.check(cls.info.name, config)
        action = cast("Self", cls.model_construct(**public))
        action._public = public  # noqa: SLF001 - its own class
        return action

    def public_config(self) -> dict[str, Any]:
        return dict(self._public)

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        return cls.described_schema


class _DescribedAnalyzer(_Described, Analyzer):
    def analyze(self, _media: MediaFile, _context: Context, /) -> MediaAnalysisResult:
        raise _not_here(self)


class _DescribedProcessor(_Described, Processor):
    def process(self, _media: MediaFile, _context: Context, /) -> MediaProcessingResult:
        raise _not_here(self)


def described(description: Mapping[str, Any], check: Check) -> type[Action]:
    """An action class that stands for one in another environment.

    Args:
        description: What `mediahost.executor.describe` said of it.
        check: Asks the real class what a config comes to.
    """
    info, schema = description["info"], description["schema"]
    base = _DescribedAnalyzer if info["kind"] == "analyzer" else _DescribedProcessor
    required = set(schema.get("required", ()))
    given: dict[str, Any] = {
        name: (Any, _field(about, required=name in required))
        for name, about in schema.get("properties", {}).items()
    }
    made = create_model(
        info["name"].replace(".", "_"),
        __base__=base,
        __doc__=description["doc"],
        __cls_kwargs__={
            "name": info["name"],
            "version": info["version"],
            "accepts": {MediaKind(kind) for kind in info["accepts"]},
        },
        **given,
    )
    action = cast("type[_Described]", made)
    known = {field.name for field in fields(ActionInfo)} - {"accepts", "variables"}
    action.info = replace(
        action.info,
        **{name: value for name, value in info.items() if name in known},
        variables=tuple(info.get("variables", ())),
    )
    action.check = staticmethod(check)
    action.described_schema = schema
    return action


def _field(about: Mapping[str, Any], *, required: bool) -> Any:
    default = ... if required else about.get("default")
    return Field(default, description=about.get("description"))


def _not_here(action: Action) -> PluginError:
    return PluginError(
        f"{action.info.name} runs in an environment of its own, which this executor can't use",
        "Use the executor local.",
    )
