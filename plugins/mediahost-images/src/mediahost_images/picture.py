"""Pictures being read: as far as they can be, and what is wrong with them in words."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, TypeVar

from mediahost import Completeness, InvalidMedia, MediaReader
from mediahost.installation import extra_hint
from mediahost.model.paths import display
from mediahost_images.orientation import has_broken_exif

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

# Pillow knows more, among them EPS, for which it would start Ghostscript: a picture that
# somebody sent is opened only as what pictures are.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "MPO", "PNG", "TIFF", "WEBP")

_HEIF_SUFFIXES = {".heic", ".heif"}

# Pillow's switch for reading broken files is one for the whole process.
_READING = RLock()

T = TypeVar("T")


def read(path: Path, use: Callable[["ImageFile"], T]) -> tuple[T, Completeness]:
    """What `use` makes of the picture, and how whole the picture is.

    A picture that is damaged behind its header is decoded as far as that goes.

    Raises:
        InvalidMedia: As `opened`.
        TransientError: The disk or the network failed.
    """
    from PIL import ImageFile  # noqa: PLC0415 - as below

    notes: list[str] = []

    def used() -> T:
        with opened(path) as image:
            notes[:] = ["Its EXIF block is broken"] if has_broken_exif(image) else []
            header.append(image.format)
            return use(image)

    header: list[str | None] = []
    with _READING:
        try:
            value = used()
            if header == ["PNG"] and _has_wrong_checksum(path):
                notes.append("A checksum is wrong, so a part of the picture may be damaged")
            return value, Completeness(note="; ".join(notes))
        except InvalidMedia:
            if not header:
                raise
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            with suppress(InvalidMedia):
                value = used()
                notes.append("A part of the picture is missing or damaged")
                return value, Completeness(note="; ".join(notes))
            raise
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False


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


def _has_wrong_checksum(path: Path) -> bool:
    """Whether a part of a PNG is not what was written; Pillow decodes it all the same."""
    try:
        with opened(path) as image:
            image.verify()
    except InvalidMedia:
        return True
    return False


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
