"""What an action did with a media file, and checks of it that explain themselves."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mediahost.model.media import MediaFile
from mediahost.model.ranges import TimeRange
from mediahost.model.result import (
    Analysis,
    Artifact,
    MediaProcessingResult,
    Result,
    Transcription,
)
from mediahost.plugin.action import Action

ExpectedRange = tuple[float, float] | tuple[float, float, str]


@dataclass(frozen=True)
class ActionRun:
    """What an action did with a media file.

    Attributes:
        action: The action, with its config.
        media: The media file.
        result: What the host would keep: checked, and artifacts with absolute path, size and hash.
        workdir: Where the action wrote.
        progress: Every (fraction, message) that the action reported.
        log: What it logged, line by line.
        checkpoints: How often it could have been cancelled.
    """

    action: Action
    media: MediaFile
    result: Result
    workdir: Path
    progress: list[tuple[float, str]]
    log: list[str]
    checkpoints: int

    @property
    def ranges(self) -> tuple[TimeRange, ...]:
        """The time ranges that an analyzer found; a processor finds none."""
        return () if isinstance(self.result, MediaProcessingResult) else self.result.ranges

    @property
    def transcription(self) -> Transcription:
        """What was said.

        Raises:
            AssertionError: The result has no transcription.
        """
        said: Transcription = self._given("transcription")
        return said

    @property
    def analysis(self) -> Analysis:
        """What a model made of it.

        Raises:
            AssertionError: The result has no analysis.
        """
        made: Analysis = self._given("analysis")
        return made

    def _given(self, part: str) -> Any:
        given = getattr(self.result, part, None)
        if given is None:
            raise AssertionError(f"{self.action.info.name} gave no {part}")
        return given

    @property
    def metadata(self) -> dict[str, Any]:
        """The facts that came with the result."""
        return dict(self.result.metadata)

    @property
    def artifacts(self) -> list[Artifact]:
        """The files that a processor made; an analyzer makes none."""
        return list(self.result.artifacts) if isinstance(self.result, MediaProcessingResult) else []

    def assert_ranges(self, *expected: ExpectedRange, tolerance: float = 0.05) -> Self:
        """Check that these are all the ranges, in this order.

        Args:
            expected: (start, end) or (start, end, label), in seconds.
            tolerance: Seconds by which a start or an end may be off.

        Raises:
            AssertionError: They are not; the message shows both side by side.
        """
        __tracebackhide__ = True
        if len(expected) != len(self.ranges) or not all(
            _matches(wanted, found, tolerance)
            for wanted, found in zip(expected, self.ranges, strict=True)
        ):
            difference = "\n".join(_difference(list(expected), list(self.ranges), tolerance))
            raise AssertionError(
                f"{self.action.info.name} found other ranges in {self.media.path.name} "
                f"(- expected, + found, within {tolerance} s):\n{difference}"
            )
        return self

    def assert_metadata(self, **expected: Any) -> Self:
        """Check these metadata; others may be there too. `pytest.approx` works as a value.

        Raises:
            AssertionError: One is missing or has another value.
        """
        __tracebackhide__ = True
        faults = [
            f"  {key}: expected {value!r}, found {self.metadata.get(key, 'nothing')!r}"
            for key, value in expected.items()
            if key not in self.metadata or self.metadata[key] != value
        ]
        if faults:
            listing = "\n".join(faults)
            raise AssertionError(f"{self.action.info.name} gave other metadata:\n{listing}")
        return self

    def assert_artifact(self, **expected: Any) -> Self:
        """Check that one of the artifacts has these attributes, such as `asset_type="video"`.

        Raises:
            AssertionError: None has all of them.
        """
        __tracebackhide__ = True
        if not any(
            all(getattr(artifact, name) == value for name, value in expected.items())
            for artifact in self.artifacts
        ):
            wanted = ", ".join(f"{name}={value!r}" for name, value in expected.items())
            made = "\n".join(
                f"  {artifact.path.name}: asset_type={artifact.asset_type!r}, "
                f"mime_type={artifact.mime_type!r}, size={artifact.size}"
                for artifact in self.artifacts
            )
            raise AssertionError(
                f"{self.action.info.name} made no artifact with {wanted}, but:\n{made or '  none'}"
            )
        return self


def _matches(wanted: ExpectedRange, found: TimeRange, tolerance: float) -> bool:
    return (
        math.isclose(wanted[0], found.start, rel_tol=0, abs_tol=tolerance)
        and math.isclose(wanted[1], found.end, rel_tol=0, abs_tol=tolerance)
        and wanted[2:] in ((), (found.label,))
    )


def _difference(wanted: list[ExpectedRange], found: list[TimeRange], tolerance: float) -> list[str]:
    """Both lists merged by time, equal lines once."""
    lines = []
    while wanted or found:
        if wanted and found and _matches(wanted[0], found[0], tolerance):
            wanted.pop(0)
            lines.append(_line(" ", found.pop(0)))
        elif not found or (wanted and wanted[0][0] <= found[0].start + tolerance):
            start, end, *label = wanted.pop(0)
            lines.append(f"- {start:10.3f} {end:10.3f}  {''.join(label)}".rstrip())
        else:
            lines.append(_line("+", found.pop(0)))
    return lines


def _line(mark: str, found: TimeRange) -> str:
    return f"{mark} {found.start:10.3f} {found.end:10.3f}  {found.label}"
