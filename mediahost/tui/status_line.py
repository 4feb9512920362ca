"""The line at the bottom: what is shown, and the keys that help most here."""

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

Hint = tuple[str, str]  # key, what it does


class StatusLine(Widget):
    """Facts at the left, keys at the right."""

    DEFAULT_CSS = """
    StatusLine { dock: bottom; height: 1; background: $panel; color: $text-muted; }
    """

    def __init__(self, hints: Sequence[Hint], text: str = "") -> None:
        super().__init__()
        self._hints = hints
        self._text = text

    def tell(self, text: str, hints: Sequence[Hint] | None = None) -> None:
        """Say something else."""
        hints = self._hints if hints is None else hints
        if (text, hints) != (self._text, self._hints):
            self._text, self._hints = text, hints
            self.refresh()

    def render(self) -> Text:
        """The line; keys that find no room are left out, `?` shows them all."""
        color = self.app.theme_variables["footer-key-foreground"].removeprefix("ansi_")
        left = Text(f" {self._text}")
        room = self.size.width - left.cell_len - 2
        parts = [Text.assemble((key, f"bold {color}"), f" {does}  ") for key, does in self._hints]
        # The last hint, help, is the one that must not go; before it the first tell most.
        while len(parts) > 1 and sum(part.cell_len for part in parts) > room:
            del parts[-2]
        right = Text().join(parts)
        gap = max(0, self.size.width - left.cell_len - right.cell_len)
        return Text.assemble(left, " " * gap, right)
