"""Settings: the host's own configuration, from TOML files and the environment."""

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mediahost.errors import SettingsError, UnknownName, UsageError
from mediahost.hashing import DEFAULT_ALGORITHM, Algorithm
from mediahost.installation import docs_hint
from mediahost.model.faults import words_of
from mediahost.model.job_filter import InvalidFilter, JobFilter
from mediahost.model.origin import Origin
from mediahost.model.paths import expanded
from mediahost.model.pipeline import Pipeline, Step
from mediahost.model.spending import Price
from mediahost.model.watch import OutputTimes, Watch
from mediahost.trust import TrustedFiles, UntrustedSettings, parts_to_trust
from mediahost.user_folders import user_config_folder, user_data_folder

FILE_NAME = "mediahost.toml"
# Those that are shipped.
PIPELINES = Path(__file__).with_name("shipped_pipelines.toml")
WRITE_ONE = f"Write one into {FILE_NAME}. {docs_hint('settings')}"
PREFIX = "MEDIAHOST_"
# Too much for one variable; MEDIAHOST_PLUGINS is another thing (docs/settings.md).
TABLES = (
    "executor_options",
    "max_inflight",
    "pipelines",
    "plugins",
    "pools",
    "prices",
    "remote_options",
    "tui_filters",
    "tui_keys",
    "watch",
    "weights",
)
COMMAND_LINE = "the command line"
PATH_FIELDS = ("data_dir",)
POOL_SLOTS = {"gpu": 1, "network": 16}
WATCH_PATH_FIELDS = ("path", "output", "done_folder", "failed_folder")
VARIABLES_NAME = re.compile(r"[^\s=,\0]+")
TYPO_CUTOFF = 0.85
# Far more than any person writes; a stranger's file may be a device without an end.
MOST_BYTES = 4 << 20

# Half blocks; what the terminal has; one of its protocols; not at all.
Pictures = Literal["half", "auto", "sixel", "kitty", "off"]


class Settings(BaseModel):
    """All settings, with their defaults.

    Read in this order, each overriding the one before: `mediahost.toml` in the user's config
    folder, `mediahost.toml` in the working folder as far as it is trusted (`mediahost.trust`),
    `MEDIAHOST_*` of the environment. A relative path in a file counts from the file's folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data_dir: Path = Field(
        default_factory=user_data_folder,
        description="Folder of the store, the artifacts and the logs",
    )
    database_url: str | None = Field(
        None, repr=False, description="Where the store is; None: store.db in data_dir"
    )
    hash_algorithm: Algorithm = Field(
        DEFAULT_ALGORITHM, description="blake3 or sha256; a store keeps the one it was made with"
    )
    executor: str = Field(
        "local", description="Where attempts run: local, inline, dask or a plugin's"
    )
    scheduler: str | None = Field(
        None, description="Address of the scheduler, for the executor dask: tcp://host:8786"
    )
    executor_options: dict[str, Any] = Field(
        default_factory=dict,
        repr=False,
        description="Further options of the executor. See: mediahost docs dask",
    )
    workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024, description="Worker processes"
    )
    timeout_s: float | None = Field(
        3600, gt=0, description="Seconds after which an attempt is ended, unless its action says"
    )
    cancel_grace_s: float = Field(
        5, ge=0, description="Seconds that a cancelled attempt has to stop by itself"
    )
    max_memory_mb: int | None = Field(
        None, ge=64, description="Mebibytes of memory after which a worker is ended"
    )
    attempts: int = Field(
        3, ge=1, le=100, description="How often a job is tried when it fails for passing reasons"
    )
    lease_s: float = Field(
        60, ge=1, description="Seconds after which a job of a host that went silent is taken over"
    )
    worker_variables: tuple[str, ...] = Field(
        (), description="Environment variables that workers get in addition: names or patterns"
    )
    pools: dict[str, Annotated[int, Field(ge=1, le=1024)]] = Field(
        default_factory=lambda: dict(POOL_SLOTS),
        description="How many jobs of the pools besides cpu run at once; cpu has the workers",
    )
    max_inflight: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="How many jobs of an action run at once, by action"
    )
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="How much more than one share of the workers a source gets, by its name",
    )
    max_pending: int = Field(
        100_000, ge=1, description="Past so many waiting jobs, watched folders submit no more"
    )
    remote_allow: tuple[str, ...] = Field(
        (), description="Where media files may be fetched from, such as https://media.example.org"
    )
    remote_networks: tuple[str, ...] = Field(
        (), description="Loopback and private networks that may be fetched from all the same"
    )
    remote_max_mb: int = Field(
        4096, ge=1, description="Mebibytes that a fetched media file may have"
    )
    remote_keep_mb: int = Field(
        20_480, ge=1, description="Mebibytes that copies of fetched media files may take together"
    )
    remote_timeout_s: float = Field(
        3600, gt=0, description="Seconds that fetching one media file may take"
    )
    remote_options: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="Options of fsspec's file systems by scheme"
    )
    isolate_plugins: bool = Field(
        False,  # noqa: FBT003 - a field
        description="Install plugins in environments of their own unless told otherwise",
    )
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="Settings of plugins by their name"
    )
    prices: dict[str, Price] = Field(
        default_factory=dict,
        description="What a million tokens of a language model cost, by its name: input, output",
    )
    output_times: OutputTimes = Field(
        "source",
        description="run --output: the change time of copies: that of their source, or now",
    )
    keep_jobs_days: float | None = Field(
        90, ge=0, description="store gc: days after which ended jobs may go; None: never"
    )
    keep_results_days: float | None = Field(
        30, ge=0, description="store gc: days after which artifacts of lost files may go"
    )
    keep_logs_days: float | None = Field(
        30, ge=0, description="store gc: days after which logs may go; None: never"
    )
    max_artifacts_gb: float | None = Field(
        None,
        ge=0,
        le=1e9,
        description="store gc: gigabytes that artifacts may take, if some can go",
    )
    tui_filters: dict[str, str] = Field(
        default_factory=dict, description="Filters of the TUI by the names that it shows them under"
    )
    tui_keys: dict[str, str] = Field(
        default_factory=dict,
        description="Other keys in the TUI, by what they do. See: mediahost docs tui",
    )
    tui_pictures: Pictures = Field(
        "half", description="How the TUI draws pictures: half, auto, sixel, kitty or off"
    )
    pipelines: dict[str, Pipeline] = Field(default_factory=dict, description="Recipes by name")
    watch: tuple[Watch, ...] = Field((), description="Watched folders and their rules")

    @field_validator("remote_allow", "remote_networks", "worker_variables", mode="before")
    @classmethod
    def _words_of_the_environment(cls, value: Any) -> Any:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("worker_variables")
    @classmethod
    def _names_of_variables(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # What no variable can match would be passed over without a word.
        if not all(VARIABLES_NAME.fullmatch(text) for text in value):
            raise ValueError("each should be a name, or a pattern such as AWS_*, without a value")
        return value

    @field_validator("remote_allow")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            Origin.parse(text)
        return value

    @field_validator("remote_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ip_network(text)
        return value

    @field_validator("pipelines", mode="before")
    @classmethod
    def _named_by_their_keys(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            name: {**recipe, "name": name} if isinstance(recipe, Mapping) else recipe
            for name, recipe in value.items()
        }

    @field_validator("tui_filters")
    @classmethod
    def _understood(cls, value: dict[str, str]) -> dict[str, str]:
        for text in value.values():
            try:
                JobFilter.parse(text)
            except InvalidFilter as error:
                raise ValueError(f"{error.message} (in {text!r})") from None
        return value

    @field_validator("pools")
    @classmethod
    def _with_the_others(cls, value: dict[str, int]) -> dict[str, int]:
        return {**POOL_SLOTS, **value}

    @field_validator(*PATH_FIELDS)
    @classmethod
    def _without_tilde(cls, value: Path) -> Path:
        if "\0" in str(value):
            raise ValueError("a path has no NUL character")
        return expanded(value).absolute()

    @property
    def plugins_dir(self) -> Path:
        """Folder of plugins in environments of their own."""
        return self.data_dir / "plugins"

    @property
    def store_url(self) -> str:
        """Path or URL of the store."""
        return self.database_url or str(self.data_dir / "store.db")

    @property
    def all_pipelines(self) -> dict[str, Pipeline]:
        """Those of the settings, and the shipped ones that they don't replace."""
        shipped = {
            name: one for name, one in shipped_pipelines().items() if name not in self.pipelines
        }
        return {**self.pipelines, **shipped}

    def find_pipeline(self, name: str | None) -> Pipeline | None:
        """The pipeline of that name, be it of the settings or shipped; None: there is none."""
        if name is None or name in self.pipelines:
            return self.pipelines.get(name or "")
        return shipped_pipelines().get(name)

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline of that name, be it of the settings or shipped.

        Raises:
            UnknownName: There is none.
        """
        found = self.find_pipeline(name)
        if found is None:
            known = self.all_pipelines
            hint = f"There are: {', '.join(sorted(known))}.\n{WRITE_ONE}"
            raise UnknownName("pipeline", name, known, hint)
        return found


@cache
def shipped_pipelines() -> dict[str, Pipeline]:
    """The pipelines that come with mediahost, by name."""
    text = PIPELINES.read_text("utf-8")
    return {
        name: Pipeline.model_validate({**recipe, "name": name})
        for name, recipe in tomllib.loads(text)["pipelines"].items()
    }


def settings_files(folder: Path) -> list[Path]:
    """The files that are read for a program started in `folder`, the weakest first."""
    own = user_config_folder() / FILE_NAME
    # Started in the config folder there is one file, and it is the person's.
    return [own] if folder.resolve() == own.parent.resolve() else [own, folder / FILE_NAME]


def load_settings(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """The settings out of files and environment.

    Args:
        file: Read this file alone; it must exist. None: those of `settings_files`.
        environ: The environment; None: the process's.
        folder: The working folder; None: the process's.
        overrides: Settings given otherwise, such as on the command line; these win.

    Raises:
        UntrustedSettings: The working folder's file says more than a stranger's may.
        SettingsError: A file can't be read or a value doesn't fit; the message names both.
        UsageError: A value of `overrides` doesn't fit.
    """
    environ = os.environ if environ is None else environ
    files = [file] if file else settings_files(folder or Path.cwd())
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path in files:
        own = path == files[0]
        content = _content(path, required=file is not None, waits=own)
        data = _parsed(path, content)
        if not own:
            _check_trust(path, content, data, merged)
        for name, value in _rooted(path, data).items():
            if name == "pipelines" and isinstance(value, dict):
                value = {**merged.get(name, {}), **value}  # noqa: PLW2901 - files add up
            elif name == "watch" and isinstance(value, list):
                value = [*merged.get(name, []), *value]  # noqa: PLW2901 - the same
            merged[name] = value
            origins[name] = str(path)
    for name, value in _from_environment(environ).items():
        merged[name] = value
        origins[name] = f"{PREFIX}{name.upper()} of the environment"
    for name, value in (overrides or {}).items():
        merged[name] = value
        origins[name] = COMMAND_LINE
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise _in_words(error, origins) from None


def untrusted_parts(path: Path) -> tuple[bytes, list[str]]:
    """What a settings file holds, and which keys in it need trust.

    Raises:
        SettingsError: It can't be read.
    """
    own = settings_files(path.parent)[0]
    mine = _parsed(own, _content(own, required=False, waits=True))
    content = _content(path, required=True, waits=False)
    return content, _parts(_parsed(path, content), mine)


def _check_trust(
    path: Path, content: bytes, data: Mapping[str, Any], mine: Mapping[str, Any]
) -> None:
    """See that a working folder's file says no more than it may.

    Raises:
        UntrustedSettings: It does, and it is not trusted.
    """
    parts = _parts(data, mine)
    if parts and not TrustedFiles().has(path, content):
        raise UntrustedSettings(path, content, parts)


def _parts(data: Mapping[str, Any], mine: Mapping[str, Any]) -> list[str]:
    own = mine.get("pipelines")
    return parts_to_trust(data, {*(own if isinstance(own, dict) else ()), *shipped_pipelines()})


def _content(path: Path, *, required: bool, waits: bool) -> bytes:
    """The bytes of a settings file, none if it is not there and need not be.

    Args:
        path: The file.
        required: It must exist.
        waits: It is the person's and may be a pipe; in a stranger's folder only a file is read.
    """
    try:
        with open(path, "rb", opener=None if waits else _at_once) as file:
            if not waits and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SettingsError(f"The settings file {path} can't be read: it is no file")
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        if required:
            raise SettingsError(f"There is no settings file {path}") from None
        return b""
    except OSError as error:
        raise SettingsError(f"The settings file {path} can't be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise SettingsError(f"The settings file {path} has more than {MOST_BYTES >> 20} MiB")
    return content


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _parsed(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file {path} is not UTF-8, as TOML must be") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}") from None
    except RecursionError:
        raise SettingsError(f"The settings file {path} is nested too deeply") from None


def _rooted(path: Path, data: dict[str, Any]) -> dict[str, Any]:
    """With relative paths counted from the file's folder."""
    for name in PATH_FIELDS:
        if isinstance(data.get(name), str):
            data[name] = path.parent / expanded(data[name])
    for rule in data["watch"] if isinstance(data.get("watch"), list) else ():
        _root_watch(rule, path.parent)
    if isinstance(url := data.get("database_url"), str) and "://" not in url:
        data["database_url"] = str(path.parent / expanded(url))
    return data


def _root_watch(rule: Any, folder: Path) -> None:
    """Let the relative paths of a watch count from the settings file's folder."""
    for name in WATCH_PATH_FIELDS if isinstance(rule, dict) else ():
        if isinstance(rule.get(name), str):
            rule[name] = str(folder / expanded(rule[name]))


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """`MEDIAHOST_WORKERS=4` and the like; `DATABASE_URL` counts where there is no own one."""
    values: dict[str, Any] = {}
    if url := environ.get("DATABASE_URL"):
        values["database_url"] = url
    fields = [name for name in Settings.model_fields if name not in TABLES]
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in fields:
            if value:  # `MEDIAHOST_WORKERS= mediahost ...` is how a shell user leaves it out
                values[name] = None if value.lower() == "none" else value
        elif close := get_close_matches(name, fields, n=1, cutoff=TYPO_CUTOFF):
            # Other names are left alone: plugins read variables of their own.
            raise SettingsError(
                f"There is no setting for {variable}; did you mean {PREFIX}{close[0].upper()}?"
            )
    return values


def _in_words(error: ValidationError, origins: Mapping[str, str]) -> SettingsError | UsageError:
    faults = error.errors(include_url=False)
    # A misspelt field is often a missing one too; the misspelling says more.
    fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    *places, last = fault["loc"]
    if fault["type"] == "extra_forbidden":
        message = UnknownName("setting", str(last), _fields_at(places)).message
        where = _place(places)
    else:
        message = words_of(fault).replace("Input should", "it should")
        message = message.partition(", unable to parse")[0]
        if fault["type"] == "missing":
            message = "it is missing"
        elif not _may_hold_secret(fault["loc"]) and isinstance(fault["input"], str | int | float):
            message += f", not {fault['input']!r}"
        where = _place(fault["loc"])
    origin = origins.get(str(fault["loc"][0]), "the settings")
    kind = UsageError if origin == COMMAND_LINE else SettingsError
    return kind(f"{where}{': ' if where else ''}{message} (in {origin})", docs_hint("settings"))


def _may_hold_secret(place: Sequence[int | str]) -> bool:
    """A URL has a password, and what belongs to plugins may be keys of services."""
    return place[0] in {"database_url", "plugins"} or "config" in place


def _fields_at(places: Sequence[int | str]) -> Iterable[str]:
    if not places:
        return Settings.model_fields
    if "steps" in places:
        return Step.model_fields
    return Watch.model_fields if places[0] == "watch" else Pipeline.model_fields


def _place(places: Sequence[int | str]) -> str:
    """`pipelines.talks.steps[2].action`: the second step, counted as people do."""
    text = ""
    for part in places:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += f".{part}" if text else part
    return text
