"""Pictures from all over a film, on one sheet."""

import math
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from mediahost import Artifact, Context, InvalidMedia, MediaFile, MediaProcessingResult
from mediahost_av.actions import MAX_SHEET_SIDE, ContactSheet
from mediahost_av.container import shown
from mediahost_av.output import named_after
from mediahost_av.stills import Still, Stills
from mediahost_av.upright import orientation_of, pixel_aspect, upright_size

SUFFIXES = {"jpeg": "jpg", "png": "png", "webp": "webp"}
BACKGROUND = (0, 0, 0)
LABEL_COLOUR = (255, 255, 255)
LABEL_SHARE = 12  # a label is as high as this part of a picture
MIN_LABEL = 10  # pixels


def contact_sheet(
    action: ContactSheet, media: MediaFile, context: Context
) -> MediaProcessingResult:
    """Draw the sheet.

    Keys of the result's metadata: `timestamps`, when each picture is shown, in seconds; `columns`
    and `rows`, as far as there were pictures to fill them; `width` and `height` of the sheet,
    `tile_width` and `tile_height` of a picture, in pixels.

    Raises:
        InvalidMedia: The file is no film, none of its pictures can be decoded, or the sheet
            would be too high.
    """
    sheet: _Sheet | None = None
    with Stills(media.path, context) as stills:
        count = action.columns * action.rows
        for number in range(count):
            stills.progress(number / count, "looking for pictures")
            still = stills.at(stills.duration * (number + 0.5) / count)
            if still is None:
                continue
            if sheet is None:
                stills.tell_doubts(still)
                width, height = upright_size(still.frame, pixel_aspect(stills.stream))
                sheet = _Sheet(action, height / width, shown(media.path))
            sheet.add(still, stills.duration)
        if sheet is None:
            raise stills.nothing()
        completeness = stills.completeness
    path = named_after(media.path, context.workdir, SUFFIXES[action.format])
    sheet.save(path, action)
    context.progress(1.0, "done")
    made = Artifact(path=path, asset_type="contact_sheet", mime_type=f"image/{action.format}")
    return MediaProcessingResult(
        artifacts=(made,), metadata=sheet.facts(), completeness=completeness
    )


class _Sheet:
    """A sheet that fills up, row by row."""

    def __init__(self, action: ContactSheet, shape: float, name: str) -> None:
        self._columns, self._gap, self._labels = action.columns, action.gap, action.labels
        self._tile = (action.tile_width, max(round(action.tile_width * shape), 1))
        self._timestamps: list[float] = []
        width, height = self._size(action.columns, action.rows)
        if height > MAX_SHEET_SIDE:
            raise InvalidMedia(
                f"The contact sheet of {name} would be {height} pixels high;"
                f" {MAX_SHEET_SIDE} is the most",
                "Ask for fewer rows or narrower pictures.",
            )
        self._image = Image.new("RGB", (width, height), BACKGROUND)
        self._font = ImageFont.load_default(max(self._tile[1] // LABEL_SHARE, MIN_LABEL))

    def add(self, still: Still, duration: float) -> None:
        """Put the next picture in its place."""
        row, column = divmod(len(self._timestamps), self._columns)
        left, top = self._size(column, row)
        self._image.paste(_upright_tile(still, self._tile), (left, top))
        self._timestamps.append(round(still.seconds, 3))
        if self._labels:
            ImageDraw.Draw(self._image).text(
                (left + self._tile[0] - 4, top + self._tile[1] - 4),
                _clock(still.seconds, duration),
                LABEL_COLOUR,
                self._font,
                anchor="rd",
                stroke_width=1,
                stroke_fill=BACKGROUND,
            )

    def save(self, path: Any, action: ContactSheet) -> None:
        """Write the filled part of the sheet."""
        columns, rows = self._filled()
        image = self._image.crop((0, 0, *self._size(columns, rows)))
        options = {} if action.format == "png" else {"quality": action.quality}
        unfinished = path.with_name(f".unfinished{path.suffix}")
        image.save(unfinished, action.format, **options)
        unfinished.replace(path)

    def facts(self) -> dict[str, Any]:
        """For the result's metadata."""
        columns, rows = self._filled()
        width, height = self._size(columns, rows)
        return {
            "timestamps": list(self._timestamps),
            "columns": columns,
            "rows": rows,
            "width": width,
            "height": height,
            "tile_width": self._tile[0],
            "tile_height": self._tile[1],
        }

    def _filled(self) -> tuple[int, int]:
        count = len(self._timestamps)
        return min(count, self._columns), math.ceil(count / self._columns)

    def _size(self, columns: int, rows: int) -> tuple[int, int]:
        """Of a sheet with so many pictures; also where the picture after them goes."""
        gap, (width, height) = self._gap, self._tile
        return gap + columns * (width + gap), gap + rows * (height + gap)


def _upright_tile(still: Still, size: tuple[int, int]) -> Image.Image:
    orientation = orientation_of(still.frame)
    width, height = orientation.size(*size)
    small = still.frame.reformat(width, height, "rgb24", interpolation="AREA", threads=1)
    tile = Image.fromarray(small.to_ndarray())
    if orientation.transposed:
        tile = tile.transpose(Image.Transpose.TRANSPOSE)
    if orientation.flipped_across:
        tile = tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return tile.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if orientation.flipped_down else tile


def _clock(seconds: float, duration: float) -> str:
    """As 1:02:03, 2:03, or 0:03.4 where the film is under a minute long."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if duration < 60:  # noqa: PLR2004 - a minute
        return f"{minutes}:{rest:04.1f}"
    return f"{hours}:{minutes:02}:{int(rest):02}" if hours else f"{minutes}:{int(rest):02}"
