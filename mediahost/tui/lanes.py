"""Time ranges as lanes on one axis, in half cells."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import StoredResult

_HALVES = (" ", "▌", "▐", "█")
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400)
TICK_CELLS = 12


@dataclass(frozen=True, slots=True)
class Lane:
    """Ranges of one label.

    Attributes:
        label: What is there.
        spans: (start, end) in seconds, by their starts.
    """

    label: str
    spans: tuple[tuple[float, float], ...]


def lanes_of(results: Iterable[StoredResult]) -> list[Lane]:
    """A lane for each label of each action, in the order of the results.

    Of several results of one action, with other configs, the first one counts.
    """
    lanes: dict[str, list[tuple[float, float]]] = {}
    seen: set[str] = set()
    for stored in results:
        result = stored.result
        if not isinstance(result, MediaAnalysisResult) or stored.action in seen:
            continue
        seen.add(stored.action)
        own: dict[str, list[tuple[float, float]]] = {}
        for at in result.ranges:
            own.setdefault(at.label, []).append((at.start, at.end))
        for label, spans in own.items():
            lanes[label if label not in lanes else f"{label} ({stored.action})"] = spans
    return [Lane(label, tuple(sorted(spans))) for label, spans in lanes.items()]


def duration_of(results: Iterable[StoredResult]) -> float:
    """How long the recording is, in seconds, by what the results say."""
    longest = 0.0
    for stored in results:
        result = stored.result
        known = result.metadata.get("duration")
        if isinstance(known, int | float):
            longest = max(longest, float(known))
        if isinstance(result, MediaAnalysisResult):
            longest = max([longest, *(at.end for at in result.ranges)])
    return longest


def bars(lane: Lane, start: float, end: float, width: int) -> str:
    """The lane between two moments, `width` cells wide; the shortest range is half a cell."""
    halves = [0] * (width * 2)
    if end > start:
        scale = width * 2 / (end - start)
        for first, last in lane.spans:
            if first >= end or (last <= start and first < start):
                continue
            begin = max(0, math.floor((first - start) * scale + 1e-9))
            stop = min(width * 2, max(begin + 1, math.ceil((last - start) * scale - 1e-9)))
            halves[begin:stop] = [1] * (stop - begin)
    return "".join(_HALVES[halves[at] + 2 * halves[at + 1]] for at in range(0, width * 2, 2))


def ticks(start: float, end: float, width: int) -> list[tuple[int, float]]:
    """Where moments are written below the axis: cell, seconds."""
    if end <= start or width <= 0:
        return []
    seconds_a_tick = (end - start) / max(1, width // TICK_CELLS)
    step = next((step for step in _STEPS if step >= seconds_a_tick), _STEPS[-1])
    first = math.ceil(start / step - 1e-9)
    found = []
    for index in range(first, first + width):
        moment = index * step
        cell = round((moment - start) / (end - start) * width)
        if cell >= width:
            break
        found.append((cell, moment))
    return found


def plot(
    values: Sequence[float | None], width: int, height: int, *, floor: float | None = None
) -> list[str]:
    """Values as columns of blocks, the highest fills `height` lines, the lowest one eighth.

    Args:
        values: What is drawn; what is unknown is left blank.
        width: In cells.
        height: In lines.
        floor: What is drawn as lowest, if no value is lower.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known or width <= 0 or height <= 0:
        return []
    low, high = min([*known, *([] if floor is None else [floor])]), max(known)
    columns = []
    for column in range(width):
        part = values[column * len(values) // width : (column + 1) * len(values) // width]
        some = part or values[column * len(values) // width :][:1]
        peak = max((v for v in some if v is not None and math.isfinite(v)), default=None)
        if peak is None:
            columns.append(0)
        else:
            share = (peak - low) / (high - low) if high > low else float(floor is None)
            columns.append(1 + round(share * (height * 8 - 1)))
    blocks = " ▁▂▃▄▅▆▇█"
    return [
        "".join(blocks[min(8, max(0, filled - 8 * row))] for filled in columns)
        for row in reversed(range(height))
    ]
