"""`documents.text`: the text of each page."""

import math
import re
from collections import Counter
from ctypes import c_int
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost_documents.page_range import PageRange
from mediahost_documents.paper import opened
from mediahost_documents.password import Protected

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

# PDFium computes positions in whole pixels of a device: one of this many for each point.
_PER_POINT = 100

_NAMED = 20  # pages in a message
_SAMPLED = 2000  # characters of a page that tell how it is written

# What PDFium puts where a word was hyphenated at the end of a line.
_HYPHEN = re.compile("[\x02\xad\ufffe]")

# Control characters and what is no character at all: databases refuse some of them. Those that
# join and part letters (U+200C and the like) are text.
_REFUSED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Text(Protected, Analyzer, name="documents.text", version=3, accepts={"document"}):
    """Read the text of each page.

    Metadata: `pages`, a list of `{"page": 1, "text": ...}` in order, lines parted by newlines;
    `page_count`, how many pages the document has; `characters`, how many were read in all;
    `scanned_pages`, the numbers of those that show a picture and have no text, as scans do: this
    reads, it doesn't recognise.

    With `boxes` each page also has `width` and `height` in points (1/72 inch) as shown, and
    `boxes`, a list of `{"text", "left", "top", "right", "bottom"}`: each line, or part of a line
    in one type, in points from the upper left corner.
    """

    pages: PageRange = ""
    boxes: bool = Field(default=False, description="Also tell where on the page each line is")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Go through the pages.

        Raises:
            InvalidMedia: It is damaged, no PDF, protected by another password, or has none of
                the pages.
        """
        context.progress(0, "Opening")
        found: list[dict[str, Any]] = []
        with opened(media.path, self.password.get_secret_value(), context) as paper:
            numbers = paper.pages(self.pages)
            for number in context.track(numbers, len(numbers), "Reading"):
                with paper.leaving_out(number), paper.page(number) as page:
                    found.append({"page": number, **self._read(page, context)})
            paper.demand_some_of(numbers)
            count, completeness = len(paper), paper.completeness()
        context.progress(1)
        characters = sum(len(page["text"]) for page in found)
        scanned = [page["page"] for page in found if page.pop("scanned")]
        if scanned:
            context.log.warning(
                "Pages without text, as of a scan: %s", ", ".join(map(str, scanned[:_NAMED]))
            )
        return MediaAnalysisResult(
            metadata={
                "pages": found,
                "page_count": count,
                "characters": characters,
                "scanned_pages": scanned,
            },
            completeness=completeness,
        )

    def _read(self, page: "PdfPage", context: Context) -> dict[str, Any]:
        text_page = page.get_textpage()
        try:
            text = _plain(_in_reading_order(page, text_page))
            found = {"text": text, "scanned": not text.strip() and _shows_a_picture(page)}
            if not self.boxes:
                return found
            return {
                **found,
                "width": round(page.get_width(), 2),
                "height": round(page.get_height(), 2),
                "boxes": _boxes(page, text_page, context),
            }
        finally:
            text_page.close()


def _shows_a_picture(page: "PdfPage") -> bool:
    from pypdfium2 import raw  # noqa: PLC0415 - as below

    return any(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE]))


def _in_reading_order(page: "PdfPage", text_page: "PdfTextPage") -> str:
    """All text of the page, its lines from the top to the bottom of what is written on it.

    PDFium orders lines as the page is shown. Where most of the text is turned against that, it is
    asked again with the page turned for reading.
    """
    shown, wanted = page.get_rotation(), _turn_of(text_page)
    if wanted == shown:
        # By its order, not by its place: PDFium finds no lines in a rectangle of turned text.
        return str(text_page.get_text_range())
    page.set_rotation(wanted)
    turned = page.get_textpage()
    try:
        return str(turned.get_text_range())
    finally:
        turned.close()
        page.set_rotation(shown)


def _turn_of(text_page: "PdfTextPage") -> int:
    """Degrees clockwise to turn the page for reading, by most of its first characters."""
    from pypdfium2 import raw  # noqa: PLC0415 - as above

    count = min(text_page.count_chars(), _SAMPLED)
    angles = (raw.FPDFText_GetCharAngle(text_page, index) for index in range(count))
    turns = Counter(round(math.degrees(angle) / 90) * 90 % 360 for angle in angles if angle >= 0)
    return turns.most_common(1)[0][0] if turns else 0


def _boxes(page: "PdfPage", text_page: "PdfTextPage", context: Context) -> list[dict[str, Any]]:
    found = []
    for index in range(text_page.count_rects()):
        context.checkpoint()
        left, bottom, right, top = text_page.get_rect(index)
        text = _plain(text_page.get_text_bounded(left, bottom, right, top)).strip()
        if text:
            corners = [_as_shown(page, left, top), _as_shown(page, right, bottom)]
            (left, right), (top, bottom) = (sorted(values) for values in zip(*corners, strict=True))
            found.append({"text": text, "left": left, "top": top, "right": right, "bottom": bottom})
    return found


def _as_shown(page: "PdfPage", x: float, y: float) -> tuple[float, float]:
    """A point of the page's own coordinates in points from the upper left corner as shown."""
    from pypdfium2 import raw  # noqa: PLC0415 - only a worker needs it

    across, down = c_int(), c_int()
    size = round(page.get_width() * _PER_POINT), round(page.get_height() * _PER_POINT)
    if not raw.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, across, down):
        raise ValueError("a place outside of all pages")
    return across.value / _PER_POINT, down.value / _PER_POINT


def _plain(text: str) -> str:
    """Newlines as everywhere, and nothing that a database refuses."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFUSED.sub("", _HYPHEN.sub("-", text))
