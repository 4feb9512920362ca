"""Pictures in half blocks, two pixels a cell, or drawn by the application's drawer."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from mediahost.installation import install_hint
from mediahost.model.paths import display

if TYPE_CHECKING:
    from PIL.Image import Image

    from mediahost.tui.drawers import Drawer

UPPER = "▀"
MOST_LINES = 40
# Pixels either way of what is kept to be drawn: in half blocks, and by a drawer.
HALF_BLOCKS, DRAWN = 400, 1600
# A picture larger than this is not decoded only to be shown.
MOST_PIXELS = 200_000_000


class Picture(Widget):
    """One picture file, as wide as there is room for."""

    DEFAULT_CSS = "Picture { height: auto; margin-bottom: 1; }"

    def __init__(self, path: Path, *, most_lines: int = MOST_LINES) -> None:
        super().__init__()
        self._path = path
        self._most_lines = most_lines
        self._pixels: Image | None = None
        self._strips: list[Strip] = []
        self._said = "…"

    def on_mount(self) -> None:
        """Read the file, on a thread."""
        self._read()

    @work(thread=True)
    def _read(self) -> None:
        try:
            pixels = _decoded(self._path, HALF_BLOCKS if self._drawer is None else DRAWN)
        except ImportError:
            said = f"Pictures are shown with Pillow. Install it: {install_hint('pillow')}"
            self.app.call_from_thread(self._show, None, said)
        except Exception as error:  # noqa: BLE001 - Pillow's plugins raise anything on bad files
            said = f"{display(self._path.name)} can't be shown: {error}"
            self.app.call_from_thread(self._show, None, said)
        else:
            self.app.call_from_thread(self._show, pixels, "")

    def _show(self, pixels: "Image | None", said: str) -> None:
        self._pixels, self._said = pixels, said
        self._strips = []
        if pixels is not None and self._drawer is not None:
            self.mount(self._drawer(pixels))
            self.on_resize()
        self.refresh(layout=True)

    @property
    def _drawer(self) -> "Drawer | None":
        return getattr(self.app, "drawer", None)

    def get_content_height(self, _container: Size, _viewport: Size, width: int) -> int:
        """As many lines as the picture is high at this width."""
        if self._pixels is None:
            return 1
        return self._fitted(width)[1]

    def _fitted(self, width: int) -> tuple[int, int]:
        """Cells across and down."""
        if self._pixels is None:
            return 0, 0
        across = min(width, self._pixels.width)
        # A cell is two pixels high and as wide as one.
        down = max(1, round(across * self._pixels.height / self._pixels.width / 2))
        if down > self._most_lines:
            across = max(1, round(across * self._most_lines / down))
            down = self._most_lines
        return across, down

    def on_resize(self) -> None:
        """Draw anew."""
        self._strips = []
        for drawn in self.children:
            drawn.styles.width, drawn.styles.height = self._fitted(self.size.width)

    def render_line(self, y: int) -> Strip:
        """Two rows of pixels."""
        if self.children:
            return Strip.blank(self.size.width, self.rich_style)
        if self._pixels is None:
            return Strip([Segment(self._said, self.rich_style)])
        if not self._strips:
            self._strips = self._drawn(self._pixels, *self._fitted(self.size.width))
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)

    def _drawn(self, pixels: "Image", across: int, down: int) -> list[Strip]:
        data = pixels.resize((across, down * 2)).tobytes()
        strips = []
        for line in range(down):
            upper, lower = line * 2 * across * 3, (line * 2 + 1) * across * 3
            segments = [
                Segment(
                    UPPER,
                    Style(
                        color=Color.from_rgb(*data[upper + x : upper + x + 3]),
                        bgcolor=Color.from_rgb(*data[lower + x : lower + x + 3]),
                    ),
                )
                for x in range(0, across * 3, 3)
            ]
            strips.append(Strip(segments, across))
        return strips


def _decoded(path: Path, most: int) -> "Image":
    from PIL import Image, ImageOps  # noqa: PLC0415 - only where pictures are shown

    with Image.open(path) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError("it is too large")
        # JPEG is decoded small at once.
        image.draft("RGB", (2 * most, 2 * most))
        small = ImageOps.exif_transpose(image).convert("RGB")
    small.thumbnail((most, most))
    return small
