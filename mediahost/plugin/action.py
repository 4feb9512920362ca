"""Actions: one named, versioned thing that a plugin does, with its config as fields."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mediahost.errors import InvalidConfig, UnknownName
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult, MediaProcessingResult
from mediahost.plugin.context import Context

POOLS = ("cpu", "gpu", "network")

_VARIABLE = re.compile(r"[A-Za-z_]\w+\*?")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """What the host knows of an action besides its config.

    Attributes:
        name: `plugin.verb`, in lower case.
        version: Raised by its author when the same input and config give another result.
        kind: analyzer or processor.
        accepts: The kinds of media file that it works on.
        timeout_s: An attempt is ended after so many seconds; None: the settings' limit.
        pool: The named slots that it takes one of: cpu, gpu or network.
        max_inflight: At most so many attempts at it run at once on a host; None: as many as the
            pool has slots. In the pool network they run in one process, each on a thread.
        variables: Variables of the environment that it may see besides the usual, such as the key
            of its service.
    """

    name: str
    version: int
    kind: Literal["analyzer", "processor"]
    accepts: frozenset[MediaKind]
    timeout_s: float | None
    pool: str
    max_inflight: int | None = None
    variables: tuple[str, ...] = ()

    @property
    def shares_a_process(self) -> bool:
        """Whether its attempts are made for threads of one process: they mostly wait."""
        return self.pool == "network" and self.max_inflight is not None


class Action(BaseModel, ABC):
    """Base of analyzers and processors: a frozen pydantic model whose fields are its config.

    Give the name and the version where the class is made:

        class Halves(Analyzer, name="hello.halves", version=1): ...

    `accepts` names the kinds of media file that it works on (all by default), `timeout_s` ends
    a stuck attempt, `pool` names the slots it competes for, `max_inflight` says how many of it
    may run at once on a host. One of the pool network that says so runs on threads of one process,
    shared with others like it, so what it and its resources do must be safe there. A worker's
    environment is bare: `variables` names what the action reads there, such as the key of its
    service; a name may end in `*`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    info: ClassVar[ActionInfo]
    kind: ClassVar[Literal["analyzer", "processor"]]
    _variables: ClassVar[tuple[str, ...]] = ()

    def preflight(self) -> None:
        """Say that something is missing that every file would need, before any is begun.

        Called in the host's process, often: look, but load nothing. A model's file, a key in the
        environment, a program on the path.

        Raises:
            Unavailable: It is not here.
        """

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        version: int = 1,
        accepts: set[MediaKind | str] | frozenset[MediaKind] | None = None,
        timeout_s: float | None = None,
        pool: Literal["cpu", "gpu", "network"] = "cpu",
        max_inflight: int | None = None,
        variables: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        inherited = [getattr(base, "_variables", ()) for base in cls.__bases__]
        cls._variables = tuple(dict.fromkeys(chain(*inherited, variables)))
        if name is None:  # an abstract class, such as Analyzer
            return
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no action name; write it like 'hello.halves'")
        if not hasattr(cls, "kind"):
            raise TypeError(f"{name} must be an Analyzer or a Processor")
        if pool not in POOLS:
            raise ValueError(f"the pool of {name} must be one of {', '.join(POOLS)}, not {pool!r}")
        if version < 1:
            raise ValueError(f"the version of {name} must be 1 or more, not {version}")
        if max_inflight is not None and max_inflight < 1:
            raise ValueError(f"max_inflight of {name} must be 1 or more, not {max_inflight}")
        for variable in cls._variables:
            if not _VARIABLE.fullmatch(variable):
                raise ValueError(f"{variable!r} of {name} is no name of a variable")
        cls.info = ActionInfo(
            name,
            version,
            cls.kind,
            frozenset(MediaKind(kind) for kind in accepts or MediaKind),
            timeout_s,
            pool,
            max_inflight,
            cls._variables,
        )

    @classmethod
    def configured(cls, config: Mapping[str, Any]) -> Self:
        """The action with these field values; text is turned into numbers and such where it fits.

        Raises:
            InvalidConfig: A value doesn't fit, or there is no such field.
        """
        for field in config:
            if field not in cls.model_fields:
                fields = UnknownName("field", field, cls.model_fields)
                raise InvalidConfig(f"{cls.info.name}: {fields.message}", fields.hint)
        try:
            return cls.model_validate(dict(config))
        except ValidationError as error:
            raise InvalidConfig(_in_words(cls, error)) from None

    def public_config(self) -> dict[str, Any]:
        """All field values with defaults, as plain values and without secrets.

        This is what is stored and hashed: a changed key or password computes nothing anew.
        """
        secret = {name for name, field in type(self).model_fields.items() if is_secret(field)}
        return self.model_dump(mode="json", exclude=secret)


class Analyzer(Action, ABC):
    """An action that finds time ranges and facts."""

    kind = "analyzer"

    @abstractmethod
    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Look at the media file and say what is in it.

        Raises:
            InvalidMedia: The file is damaged or not what the action works on; not tried again.
            TransientError: Something outside failed; worth another attempt.
        """


class Processor(Action, ABC):
    """An action that makes files, in `context.workdir`."""

    kind = "processor"

    @abstractmethod
    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Make files out of the media file, in `context.workdir`, and name them.

        Raises:
            InvalidMedia: The file is damaged or not what the action works on; not tried again.
            TransientError: Something outside failed; worth another attempt.
        """


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds secrets, be it in a list or only sometimes."""
    return any(part in {SecretStr, SecretBytes} for part in parts_of(field.annotation))


def parts_of(annotation: Any) -> Iterator[Any]:
    """A type as a field has it, and those that it is made of, such as that of a list's items."""
    yield annotation
    for part in get_args(annotation):
        yield from parts_of(part)


def _in_words(action: type[Action], error: ValidationError) -> str:
    faults = [_fault_in_words(action, fault) for fault in error.errors(include_url=False)]
    return f"The config of {action.info.name} doesn't fit: {'; '.join(faults)}"


def _fault_in_words(action: type[Action], fault: ErrorDetails) -> str:
    # What an action itself says of its config is a sentence already.
    reason = str(fault["ctx"]["error"]) if "error" in fault.get("ctx", {}) else fault["msg"].lower()
    if not fault["loc"]:
        return reason
    where = ".".join(map(str, fault["loc"]))
    field = action.model_fields.get(str(fault["loc"][0]))
    # The whole config is not shown either: a secret may be in it.
    shown = field is not None and fault["type"] != "missing" and not is_secret(field)
    value = f", not {fault['input']!r}" if shown else ""
    return f"{where}: {reason}{value}"
