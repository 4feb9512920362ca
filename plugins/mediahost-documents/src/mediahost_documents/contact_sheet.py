"""`documents.contact_sheet`: many pages at a glance."""

from itertools import islice
from typing import TYPE_CHECKING

from pydantic import Field

from mediahost import Artifact, Context, MediaFile, MediaProcessingResult, Processor
from mediahost_documents.drawing import FormatName, drawn, stem_of, write
from mediahost_documents.page_range import PageRange
from mediahost_documents.paper import Paper, opened
from mediahost_documents.password import Protected

if TYPE_CHECKING:
    from PIL.Image import Image

_A4 = 2**0.5  # height by width (ISO 216)
_GAP_PX = 8
_LABEL_PX = 16
_FONT_PX = 12
_DESK = (224, 224, 224)
_INK = (64, 64, 64)


class ContactSheet(
    Protected, Processor, name="documents.contact_sheet", version=2, accepts={"document"}
):
    """Put small pictures of all pages on sheets, with their numbers.

    Each page is fitted into a cell of the shape of upright A4. Gives one or more artifacts
    `contact_sheet`, with the metadata `first_page`, `last_page`, `pages` (how many are on it),
    `width` and `height` in pixels. Metadata: `page_count`, how many pages the document has.
    """

    pages: PageRange = ""
    columns: int = Field(5, ge=1, le=12, description="Pages side by side")
    rows: int = Field(6, ge=1, le=12, description="Rows of pages on a sheet, at most")
    cell_width: int = Field(200, ge=32, le=600, description="Room for each page, in pixels")
    numbers: bool = Field(default=True, description="Write its number below each page")
    format: FormatName = Field("jpeg", description="png, jpeg or webp")
    quality: int = Field(
        85, ge=1, le=100, description="Of jpeg and webp, 1 to 100; png is lossless"
    )

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Draw sheet after sheet; only one is in memory at a time.

        Raises:
            InvalidMedia: It is damaged, no PDF, protected by another password, or has none of
                the pages.
        """
        context.progress(0, "Opening")
        artifacts: list[Artifact] = []
        with opened(media.path, self.password.get_secret_value(), context) as paper:
            numbers, count = paper.pages(self.pages), len(paper)
            left = context.track(numbers, len(numbers), "Drawing")
            for first in range(0, len(numbers), self.columns * self.rows):
                on_it = numbers[first : first + self.columns * self.rows]
                sheet = self._sheet(len(on_it))
                for at, number in enumerate(islice(left, len(on_it))):
                    with paper.leaving_out(number):
                        self._place(sheet, at, number, paper, context)
                stem = f"{stem_of(media.path)}-sheet-{len(artifacts) + 1:03}"
                path = write(sheet, context.workdir, stem, self.format, self.quality)
                facts = {
                    "first_page": on_it[0],
                    "last_page": on_it[-1],
                    "pages": len(on_it),
                    "width": sheet.width,
                    "height": sheet.height,
                }
                artifacts.append(
                    Artifact(path=path, asset_type="contact_sheet", metadata={**facts})
                )
            paper.demand_some_of(numbers)
            completeness = paper.completeness()
        context.progress(1)
        return MediaProcessingResult(
            artifacts=tuple(artifacts), metadata={"page_count": count}, completeness=completeness
        )

    @property
    def _cell(self) -> tuple[int, int]:
        """Room for a page: width and height in pixels."""
        return self.cell_width, round(self.cell_width * _A4)

    @property
    def _step(self) -> tuple[int, int]:
        """From one cell to the next, in pixels."""
        width, height = self._cell
        return width + _GAP_PX, height + _GAP_PX + (_LABEL_PX if self.numbers else 0)

    def _sheet(self, pages: int) -> "Image":
        from PIL import Image  # noqa: PLC0415 - only a worker needs it

        columns = min(pages, self.columns)
        rows = -(-pages // self.columns)
        across, down = self._step
        return Image.new("RGB", (columns * across + _GAP_PX, rows * down + _GAP_PX), _DESK)

    def _place(self, sheet: "Image", at: int, number: int, paper: Paper, context: Context) -> None:
        row, column = divmod(at, self.columns)
        left = _GAP_PX + column * self._step[0]
        top = _GAP_PX + row * self._step[1]
        width, height = self._cell
        with paper.page(number) as page:
            size = max(page.get_width(), 1), max(page.get_height(), 1)
        picture = drawn(paper, number, min(width / size[0], height / size[1]), context)
        picture = picture.crop((0, 0, min(picture.width, width), min(picture.height, height)))
        spare = (width - picture.width) // 2, (height - picture.height) // 2
        sheet.paste(picture, (left + spare[0], top + spare[1]))
        if self.numbers:
            _write_number(sheet, number, left + width // 2, top + height + _LABEL_PX // 2)


def _write_number(sheet: "Image", number: int, x: int, y: int) -> None:
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415 - as above

    font = ImageFont.load_default(_FONT_PX)
    ImageDraw.Draw(sheet).text((x, y), str(number), _INK, font, anchor="mm")
