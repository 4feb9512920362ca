"""Reports: what was measured, beside its goal."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One figure.

    Attributes:
        name: What was measured.
        figure: The figure.
        unit: Its unit.
        note: What it is to be seen beside.
    """

    name: str
    figure: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be, and whether it is."""

    text: str
    reached: bool
    figure: str


@dataclass(slots=True)
class Report:
    """The figures and goals of one subject."""

    subject: str
    title: str
    lines: list[Line] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    head: Sequence[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)

    def add(self, name: str, figure: float, unit: str, note: str = "") -> float:
        """Note a figure, and give it back."""
        self.lines.append(Line(name, figure, unit, note))
        return figure

    def row(self, *cells: str) -> None:
        """A row of the report's table, below `head`."""
        self.rows.append(cells)

    def at_most(self, text: str, figure: float, limit: float, unit: str) -> None:
        """A goal that is reached by a figure up to `limit`."""
        self.goals.append(Goal(text, figure <= limit, f"{_short(figure)} {unit}"))

    def at_least(self, text: str, figure: float, limit: float, unit: str) -> None:
        """A goal that is reached by a figure from `limit` on."""
        self.goals.append(Goal(text, figure >= limit, f"{_short(figure)} {unit}"))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        width = max((len(line.name) for line in self.lines), default=0)
        rows = [
            f"  {line.name:<{width}}  {_short(line.figure):>9} {line.unit:<11} {line.note}".rstrip()
            for line in self.lines
        ]
        goals = [
            f"  {'pass' if goal.reached else 'MISS'}  {goal.text}: {goal.figure}"
            for goal in self.goals
        ]
        return "\n".join([f"{self.title}", *rows, *_table(self.head, self.rows), *goals])


def in_text(reports: Sequence[Report]) -> str:
    """All reports, one below the other."""
    return "\n\n".join(map(str, reports))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """In columns, figures flush right; the first and last columns are words."""
    all_rows = [head, *rows] if head else rows
    widths = [max(map(len, column)) for column in zip(*all_rows, strict=True)]
    last = len(widths) - 1
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if at in (0, last) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in all_rows
    ]


def _short(figure: float) -> str:
    """Three digits that count."""
    if abs(figure) >= 100:  # noqa: PLR2004 - three digits
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"  # noqa: PLR2004 - the same
