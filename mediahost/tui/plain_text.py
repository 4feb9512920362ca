"""Signs and lines in ASCII, for terminals that have no others: names keep their letters."""

import unicodedata

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# One cell each, as each of these is. What was cut is no `~`, which is a home folder.
_PLAIN = str.maketrans(
    {
        **dict(zip("▶▸▷▼▾▽▲△◀◂", ">>>vvv^^<<", strict=True)),
        **dict(zip("✖✗✔✓⊘◌●○◉‖", "xx+*o~*oo|", strict=True)),
        **dict(zip("·•…—≥≤→←↑↓↳", ".**-><><^v>", strict=True)),
        **dict(zip("▁▂▃▄▅▆▇█", "_..::||#", strict=True)),
        **dict(zip("▏▎▍▌▐▋▊▉░▒▓▀", "---#####-:##", strict=True)),
        **dict(zip("─━═╌│┃║╎", "----||||", strict=True)),
        "\N{NO-BREAK SPACE}": " ",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
    }
)
_REST = "+"
# Letters, marks, figures, punctuation, spaces.
_KEPT = "LMNPZ"


class PlainText(LineFilter):
    """Writes every sign that is on the screen, whoever drew it, with ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's interface
        """The same segments, their signs replaced."""
        return [
            segment if segment.control or segment.text.isascii() else plain(segment)
            for segment in segments
        ]


def plain(segment: Segment) -> Segment:
    """A segment whose signs are ASCII."""
    text = segment.text.translate(_PLAIN)
    if not text.isascii():
        text = "".join(_plain_sign(letter) for letter in text)
    return Segment(text, segment.style)


def _plain_sign(letter: str) -> str:
    is_kept = letter.isascii() or unicodedata.category(letter)[0] in _KEPT
    return letter if is_kept else _REST * cell_len(letter)
