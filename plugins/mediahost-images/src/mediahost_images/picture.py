"""Pictures being read, and what is wrong with them in words."""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from mediahost import InvalidMedia, MediaReader
from mediahost.installation import extra_hint
from mediahost.model.paths import display

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Pillow knows more, among them EPS, for which it would start Ghostscript: a picture that
# somebody sent is opened only as what pictures are.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "MPO", "PNG", "TIFF", "WEBP")

_HEIF_SUFFIXES = {".heic", ".heif"}

# Tag 0x0112 of EXIF: 5 to 8 are turned by a quarter.
ORIENTATION = 0x0112
_QUARTER_TURNS = {5, 6, 7, 8}


@contextmanager
def opened(path: Path) -> Iterator["ImageFile"]:
    """The picture, its header read and its pixels not yet; Pillow's errors are put in words.

    Raises:
        InvalidMedia: It is damaged, of no known format, or would unpack to more pixels than
            Pillow's limit against decompression bombs: twice `PIL.Image.MAX_IMAGE_PIXELS`, which
            is 179 million.
        TransientError: The disk or the network failed.
    """
    from PIL import Image  # noqa: PLC0415 - 60 ms that listing plugins shall not cost

    # Set each time, because tests and hosts reset the filters: Pillow warns of oddities that we
    # either put into words or can do nothing about.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    with closing(MediaReader(path)) as reader, reader.guarded():
        formats = _known_formats(path)
        try:
            with BufferedReader(reader) as file, Image.open(file, formats=formats) as image:
                yield image
        except Image.DecompressionBombError:
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            raise InvalidMedia(
                f"{display(path.name)} would unpack to more than {limit:,} pixels, so it is taken "
                "for a decompression bomb and not opened"
            ) from None


def turned_by_a_quarter(image: "ImageFile") -> bool:
    """Whether the picture is shown with width and height exchanged."""
    return image.getexif().get(ORIENTATION) in _QUARTER_TURNS


def _known_formats(path: Path) -> list[str]:
    from PIL import Image  # noqa: PLC0415 - as above

    Image.init()  # else Pillow knows but the five commonest
    known = [name for name in FORMATS if name in Image.OPEN]  # it may be built without AVIF
    if _register_heif():
        return [*known, "HEIF"]
    if path.suffix.lower() in _HEIF_SUFFIXES:
        raise InvalidMedia(
            f"{display(path.name)} is an HEIF picture, which needs the package pillow-heif",
            f"Install it with: {extra_hint('mediahost-images', 'heif')}",
        )
    return known


def _register_heif() -> bool:
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - an extra
    except ImportError:
        return False
    register_heif_opener()
    return True
