"""The line at the bottom: what is shown, and the keys that help most here."""

from collections.abc import Sequence

from rich.text import Text
from textual.widget import Widget

# The name of what a key does (or the key itself where it can't be another), and in words.
Hint = tuple[str, str]


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
        named = getattr(self.app, "deeds", {})
        keys = [named[key].shown if key in named else key for key, _ in self._hints]
        parts = [
            Text.assemble((key, f"bold {color}"), f" {does}  ")
            for key, (_, does) in zip(keys, self._hints, strict=True)
        ]
        # The last hint, help, is the one that must not go; before it the first tell most.
        while len(parts) > 1 and sum(part.cell_len for part in parts) > room:
            del parts[-2]
        right = Text().join(parts)
        gap = max(0, self.size.width - left.cell_len - right.cell_len)
        return Text.assemble(left, " " * gap, right)
