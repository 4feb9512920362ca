"""Subtitles drawn onto the pictures of a film, without libass."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mediahost import InvalidMedia

Plane = NDArray[np.uint8]

# As much as players leave free around subtitles.
_WIDEST, _MARGIN = 0.92, 0.05
_OUTLINE, _LINE_HEIGHT = 0.08, 1.25
_SMALLEST_PX = 6
# White letters with a black outline, in the range of levels that films use.
_WHITE, _BLACK, _NO_COLOUR = 235, 16, 128


class Lettering(NamedTuple):
    """What is laid over the lower part of a picture, from the row `top` on (an even one).

    Attributes:
        top: In pixels from the upper edge.
        light: What brightness it has, times how opaque it is.
        clear: How much of the picture is seen through it, 0 to 1.
        clear_colour: The same for the planes of colour, which are half as wide and high.
    """

    top: int
    light: NDArray[np.float32]
    clear: NDArray[np.float32]
    clear_colour: NDArray[np.float32]

    def lay_over(self, picture: Plane, width: int, height: int) -> None:
        """Change a picture in YUV 4:2:0, its planes one after the other."""
        flat = picture.reshape(-1)
        size = width * height
        bright = flat[:size].reshape(height, width)[self.top : self.top + len(self.light)]
        bright[:] = (bright * self.clear + self.light + 0.5).astype(np.uint8)
        for start in (size, size + size // 4):
            colour = flat[start : start + size // 4].reshape(height // 2, width // 2)
            part = colour[self.top // 2 : self.top // 2 + len(self.clear_colour)]
            part[:] = _NO_COLOUR + ((part.astype(np.float32) - _NO_COLOUR) * self.clear_colour)


class Letterer:
    """Draws subtitles for pictures of one size.

    Args:
        width: Of the pictures, in pixels; an even number.
        height: The same.
        size: Of letters, as a share of the height.
        font: File of the typeface; None: Pillow's own, which has Latin letters only.

    Raises:
        InvalidMedia: The font can't be read.
    """

    def __init__(self, width: int, height: int, size: float, font: str | None) -> None:
        self._width, self._height, self._font = width, height, font
        self._px = max(round(height * size), _SMALLEST_PX)
        self._typeface(self._px)
        self.drawn = lru_cache(maxsize=4)(self._drawn)

    def _drawn(self, lines: tuple[str, ...]) -> Lettering:
        """The lines, centred near the lower edge, smaller if they are too wide."""
        px = self._px
        typeface = self._typeface(px)
        widest = max((typeface.getlength(line) for line in lines), default=0.0)
        if widest > self._width * _WIDEST:
            px = max(int(px * self._width * _WIDEST / widest), 1)
            typeface = self._typeface(px)
        step, outline = px * _LINE_HEIGHT, max(round(px * _OUTLINE), 1)
        tall = min(int(step * len(lines)) + 2 * outline + px // 2, self._height)
        bottom = round(self._height * (1 - _MARGIN))
        top = max(bottom - tall, 0) // 2 * 2
        rows = min(tall + tall % 2, self._height - top)
        letters, around = self._painted(lines, rows, typeface, step, outline)
        opaque = np.maximum(letters, around)
        light = letters * _WHITE + (opaque - letters) * _BLACK
        halves = opaque.reshape(rows // 2, 2, self._width // 2, 2).mean(axis=(1, 3))
        return Lettering(top, light, 1 - opaque, (1 - halves).astype(np.float32))

    def _painted(
        self, lines: Sequence[str], rows: int, typeface: Any, step: float, outline: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How opaque the letters are, and letters with their outline, 0 to 1."""
        painted = []
        for stroke in (0, outline):
            canvas = Image.new("L", (self._width, rows))
            draw = ImageDraw.Draw(canvas)
            for number, line in enumerate(lines):
                middle = (self._width / 2, outline + (number + 0.5) * step)
                draw.text(middle, line, 255, typeface, anchor="mm", stroke_width=stroke)
            painted.append(np.asarray(canvas, np.float32) / np.float32(255))
        return painted[0], painted[1]

    def _typeface(self, px: int) -> Any:
        if self._font is None:
            return ImageFont.load_default(px)
        try:
            return ImageFont.truetype(Path(self._font).expanduser(), px)
        except OSError as error:
            raise InvalidMedia(
                f"The font {self._font} can't be read: {error}", "Name a .ttf or .otf file."
            ) from error
