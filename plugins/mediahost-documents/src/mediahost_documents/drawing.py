"""Pages drawn, and the drawings written to files."""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mediahost import Context, InvalidMedia
from mediahost_documents.paper import Paper

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfBitmap, PdfPage

FormatName = Literal["png", "jpeg", "webp"]
_SUFFIXES: dict[FormatName, str] = {"png": "png", "jpeg": "jpg", "webp": "webp"}

POINTS_PER_INCH = 72

# 300 MB of memory: A3 at 600 dpi has 70 million. A damaged page may claim to be a mile wide.
MAX_PIXELS = 100_000_000
_MAX_SIDE_PX = {"png": 1 << 30, "jpeg": 65_500, "webp": 16_383}  # libjpeg's and WebP's own limits
_WHITE = (255, 255, 255, 255)
_PAUSE_EVERY_S = 0.1
PAGE_LIMIT_S = 60.0  # maps with a million lines take 10 s
_MAX_STEM = 50  # characters of up to four bytes; a name may have 255 bytes


def drawn(
    paper: Paper, number: int, scale: float, context: Context, form: FormatName = "png"
) -> "Image":
    """A page as a picture, with its annotations and filled-in forms.

    Args:
        paper: The document.
        number: Which page, from 1.
        scale: Pixels for each point.
        context: Asked, while a page takes long, whether the job was cancelled.
        form: The format that it is going to be written in, for its limits.

    Raises:
        InvalidMedia: The page can't be drawn, or would have too many pixels.
        JobCancelled: Somebody cancelled the job.
    """
    from pypdfium2 import PdfBitmap, raw  # noqa: PLC0415 - only a worker needs it

    with paper.page(number) as page:
        has_fields = _has_fields(page)
    if has_fields:
        paper.load_fields(number, context)
    with paper.page(number) as page:
        width, height = _pixels(page.get_width(), scale), _pixels(page.get_height(), scale)
        if width * height > MAX_PIXELS or max(width, height) > _MAX_SIDE_PX[form]:
            raise InvalidMedia(
                f"Page {number} of {paper.name} would be {width}x{height} pixels, which is too "
                f"large for {form}",
                "Ask for fewer dots per inch.",
            )
        bitmap = PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR)
        try:
            bitmap.fill_rect(_WHITE, 0, 0, width, height)
            _draw(page, bitmap, context)
            image: Image = bitmap.to_pil().copy()  # the bitmap's memory is given back
        finally:
            bitmap.close()
    return image


def _has_fields(page: "PdfPage") -> bool:
    from pypdfium2 import raw  # noqa: PLC0415 - as above

    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        mark = raw.FPDFPage_GetAnnot(page, index)
        kind = raw.FPDFAnnot_GetSubtype(mark)
        raw.FPDFPage_CloseAnnot(mark)
        if kind == raw.FPDF_ANNOT_WIDGET:
            return True
    return False


def _pixels(points: float, scale: float) -> int:
    # Rounded first: 14400 * (300 / 72) is a little more than 60000.
    return max(math.ceil(round(points * scale, 3)), 1)


def _draw(page: "PdfPage", bitmap: "PdfBitmap", context: Context) -> None:
    """Draw bit by bit: PDFium asks between the objects of a page whether it shall pause."""
    from pypdfium2 import internal, raw  # noqa: PLC0415 - as above

    first = begun = time.monotonic()

    def overdue(_pause: Any) -> bool:
        return time.monotonic() - begun > _PAUSE_EVERY_S

    pause = raw.IFSDK_PAUSE(version=1)
    internal.set_callback(pause, "NeedToPauseNow", overdue)
    box = (0, 0, bitmap.width, bitmap.height, 0)
    try:
        status = raw.FPDF_RenderPageBitmap_Start(bitmap, page, *box, raw.FPDF_ANNOT, pause)
        while status == raw.FPDF_RENDER_TOBECONTINUED:
            context.checkpoint()
            if time.monotonic() - first > PAGE_LIMIT_S:
                raise ValueError("a page takes too long to draw")
            begun = time.monotonic()
            status = raw.FPDF_RenderPage_Continue(page, pause)
    finally:
        raw.FPDF_RenderPage_Close(page)
    if status != raw.FPDF_RENDER_DONE:
        raise ValueError("PDFium could not draw the page")
    if page.formenv:
        raw.FPDF_FFLDraw(page.formenv, bitmap, page, *box, raw.FPDF_ANNOT)


def write(image: "Image", folder: Path, stem: str, form: FormatName, quality: int) -> Path:
    """Write a picture; its file gets its name when it is whole.

    Args:
        image: The picture.
        folder: Where to.
        stem: The name without the suffix.
        form: png, jpeg or webp.
        quality: Of jpeg and webp, 1 to 100.
    """
    options: dict[FormatName, dict[str, Any]] = {
        "png": {"compress_level": 6},
        "jpeg": {"quality": quality, "optimize": True},
        "webp": {"quality": quality, "method": 4},
    }
    path = folder / f"{stem}.{_SUFFIXES[form]}"
    unfinished = folder / f".unfinished{path.suffix}"
    image.save(unfinished, form.upper(), **options[form])
    unfinished.replace(path)
    return path


def stem_of(source: Path) -> str:
    """What the names of a document's pictures begin with, as far as a file system takes it."""
    return source.stem[:_MAX_STEM]
