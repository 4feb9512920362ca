"""Watches: folders tied to a recipe, and what is known of the files in them."""

import os
import re
from collections.abc import Collection
from datetime import time
from pathlib import Path
from string import Formatter
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mediahost.model.job import HIGHEST_PRIORITY, LOWEST_PRIORITY
from mediahost.model.kept import KeptEnum
from mediahost.model.kinds import MediaKind
from mediahost.model.paths import expanded
from mediahost.model.pipeline import Step

HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")

OutputTimes = Literal["source", "now"]

# What an output template may name. All values are made safe: none can lead out of the folder.
TEMPLATE_FIELDS = {
    "action": "Name of the action that made it, such as av.convert",
    "date": "Day of the file's last change, as 2026-01-31",
    "day": "The same day of the month, as 31",
    "folder": "Folder of the file below the watched one",
    "hash": "First eight digits of the file's content hash",
    "kind": "Kind of the file: video, audio, image, document",
    "month": "Month of the file's last change, as 01",
    "name": "Name of the artifact: the file's, and what the action adds",
    "recorded": "Day when the file was recorded, as 2026-01-31",
    "recorded_day": "The same day of the month, as 31",
    "recorded_month": "Month when the file was recorded, as 01",
    "recorded_year": "Year when the file was recorded, as 2026",
    "stem": "Name of the file without its suffix",
    "step": "Name of the step that made it",
    "suffix": "Suffix of the artifact, with its dot",
    "watch": "Name of the watch",
    "year": "Year of the file's last change, as 2026",
}


class FileState(KeptEnum):
    """Where a file of a watched folder is on its way."""

    SETTLING = "settling"
    READY = "ready"
    QUEUED = "queued"
    DONE = "done"
    OWN = "own"
    FAILED = "failed"
    IGNORED = "ignored"
    GONE = "gone"


# Nothing happens to such a file by itself until it changes.
AT_REST = frozenset({FileState.DONE, FileState.OWN, FileState.FAILED, FileState.IGNORED})


class WatchState(KeptEnum):
    """How a watch is."""

    STARTING = "starting"
    WATCHING = "watching"
    POLLING = "polling"
    DEGRADED = "degraded"
    PAUSED = "paused"
    RESTING = "resting"
    MISSING = "missing"
    FAULTY = "faulty"
    STOPPED = "stopped"


class Watch(BaseModel):
    """A folder tied to a recipe: the rules for what is dropped into it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: Path = Field(description="The folder")
    name: str = Field("", description="What the watch is called; the folder's name if empty")
    pipeline: str | None = Field(
        None, description="Name of the pipeline; if empty, `steps`, or what suits each kind of file"
    )
    steps: tuple[Step, ...] = Field((), description="The steps themselves, as in a pipeline")
    include: tuple[str, ...] = Field((), description="Only these, as gitignore patterns; none: all")
    exclude: tuple[str, ...] = Field((), description="But not these, as gitignore patterns")
    kinds: frozenset[MediaKind] = Field(
        frozenset(), description="Only these kinds of media file; none: all that the steps take"
    )
    recursive: bool = Field(default=True, description="Folders in the folder too")
    follow_links: bool = Field(default=False, description="Symbolic links in the folder too")
    settle_s: float | None = Field(
        None, ge=0.05, le=86400, description="Seconds at rest; if empty, 5, on network drives 15"
    )
    min_age_s: float | None = Field(
        None,
        gt=0,
        le=315_360_000,
        description="Seconds since its last change, at least; 86400: a day",
    )
    jobs: int | None = Field(
        None,
        ge=1,
        description="Jobs of this watch at a time, at most; if empty, as the workers allow",
    )
    poll: bool | None = Field(
        None,
        description="Look again and again in place of events; if empty, where events don't come",
    )
    scan_s: float | None = Field(
        None, ge=0.2, le=86400, description="Seconds between full looks; if empty, 300, polling 10"
    )
    hours: str | None = Field(
        None, description="Start jobs at these hours of the day only, such as 22:00-06:00"
    )
    priority: int = Field(
        0, ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY, description="Higher goes first"
    )
    output: str | None = Field(
        None,
        description="Where artifacts are copied to: a folder, or a template such as ~/O/{stem}",
    )
    sidecars: bool = Field(
        default=False, description="Write what analyzers found to `output` too, as JSON"
    )
    on_success: Literal["keep", "move", "delete", "replace"] = Field(
        "keep", description="Then keep the file, move it, delete it, or replace it by its artifact"
    )
    replace_only_if_smaller: bool = Field(
        default=False, description="Keep a file whose artifact is not smaller, with `replace`"
    )
    output_times: OutputTimes = Field(
        "source", description="The change time of outputs: that of their source, or now"
    )
    done_folder: Path | None = Field(None, description="Where to move what succeeded")
    on_failure: Literal["keep", "move"] = Field(
        "keep", description="Then keep the file, or move it"
    )
    failed_folder: Path | None = Field(None, description="Where to move what failed")
    paused: bool = Field(default=False, description="Do nothing for now")

    @field_validator("include", "exclude", "kinds", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("path", "done_folder", "failed_folder")
    @classmethod
    def _whole(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        whole = expanded(value).absolute()
        short = Path(os.path.normpath(whole))
        # `..` behind a symbolic link leads elsewhere than it reads.
        return short if short.resolve() == whole.resolve() else whole

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                hours_of(value)
            except ValueError:
                raise ValueError("it should be like 22:00-06:00") from None
        return value

    @field_validator("output")
    @classmethod
    def _names_known_fields(cls, value: str | None) -> str | None:
        if value is None:
            return None
        check_template(value, TEMPLATE_FIELDS)
        return value

    @model_validator(mode="before")
    @classmethod
    def _called_by_its_folder(cls, data: object) -> object:
        if not isinstance(data, dict) or data.get("name"):
            return data
        if isinstance(data.get("path"), str | os.PathLike) and data["path"]:
            data = {**data, "name": expanded(data["path"]).absolute().name or "root"}
        return data

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.pipeline and self.steps:
            raise ValueError("pipeline and steps don't go together; give one of them")
        if self.on_success == "move" and not self.done_folder:
            raise ValueError("on_success = move needs done_folder")
        if self.on_failure == "move" and not self.failed_folder:
            raise ValueError("on_failure = move needs failed_folder")
        if self.sidecars and not self.output:
            raise ValueError("sidecars needs output")
        return self

    def is_open(self, now: time) -> bool:
        """Whether jobs may be submitted at this time of day."""
        if self.hours is None:
            return True
        begin, end = hours_of(self.hours)
        return begin <= now < end if begin <= end else now >= begin or now < end


def check_template(value: str, known: Collection[str]) -> None:
    """See that a template of outputs begins with a folder and has known fields alone.

    Raises:
        ValueError: It doesn't, or is no template at all.
    """
    try:
        fields = [field for _, field, _, _ in Formatter().parse(value) if field is not None]
    except ValueError as error:
        raise ValueError(f"it is no template: {error}") from None
    if fields and "/" not in value.partition("{")[0]:
        raise ValueError("it should begin with a folder, such as ~/Converted/{stem}")
    for field in fields:
        if field not in known:
            names = ", ".join(sorted(known))
            raise ValueError(f"{{{field}}} is no field of a template; there are: {names}")


def hours_of(text: str) -> tuple[time, time]:
    """The two times of day in `22:00-06:00`.

    Raises:
        ValueError: It is not written so.
    """
    match = HOURS.fullmatch(text)
    if not match:
        raise ValueError(text)
    numbers = [int(part) for part in match.groups()]
    return time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
