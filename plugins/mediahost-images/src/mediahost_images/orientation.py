"""How a picture is to be shown, and its size as it is stored, as it is decoded, and as it is shown.

Pillow turns TIFF itself when it decodes it, and tells the size as shown from the beginning; libheif
turns HEIF. All other formats are stored and decoded alike, and EXIF says how to show them.
"""

from typing import TYPE_CHECKING, NamedTuple

from mediahost import Orientation

if TYPE_CHECKING:
    from PIL.Image import Exif, Image
    from PIL.ImageFile import ImageFile

TAG = 0x0112  # of EXIF
_TURNED_BY_PILLOW = "TIFF"
_TURNED_BY_LIBHEIF = "HEIF"
_HEAD_BYTES = 1 << 20  # the description of an HEIF picture comes before its pixels
# ISO 23008-12, section 6.5.10: the box of a rotation has 9 bytes; quarter turns counterclockwise.
_ROTATION = b"\0\0\0\x09irot"


class Sizes(NamedTuple):
    """Width and height in pixels.

    Attributes:
        stored: As in the file.
        decoded: As Pillow gives it.
        shown: As people see it.
    """

    stored: tuple[int, int]
    decoded: tuple[int, int]
    shown: tuple[int, int]


def exif_of(image: "Image") -> "Exif":
    """What the camera noted; nothing where the block is broken."""
    from PIL import Image as Pillow  # noqa: PLC0415 - 60 ms that listing plugins shall not cost

    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - broken blocks raise anything
        return Pillow.Exif()


def has_broken_exif(image: "ImageFile") -> bool:
    """Whether there is a block of EXIF that can't be read."""
    from PIL import Image as Pillow  # noqa: PLC0415 - as above

    data = image.info.get("exif")
    if not data:
        return False
    try:
        exif = Pillow.Exif()
        exif.load(data)
        exif.get_ifd(0x8769)
    except Exception:  # noqa: BLE001 - as above
        return True
    return False


def orientation_number(image: "ImageFile") -> int | None:
    """1 to 8, as EXIF counts; None where nothing is said."""
    number = image.info.get("original_orientation") if image.format == _TURNED_BY_LIBHEIF else None
    number = number or exif_of(image).get(TAG)
    return number if isinstance(number, int) and 1 <= number <= 8 else None  # noqa: PLR2004 - EXIF


def orientation_to_apply(image: "ImageFile") -> Orientation:
    """What is still to be done to the decoded picture."""
    if image.format in {_TURNED_BY_PILLOW, _TURNED_BY_LIBHEIF}:
        return Orientation()
    return Orientation.of_exif(orientation_number(image))


def sizes_of(image: "ImageFile") -> Sizes:
    """All sizes of a picture whose header is read and whose pixels are not."""
    decoded = image.size
    if image.format == _TURNED_BY_PILLOW:
        return Sizes(
            Orientation.of_exif(orientation_number(image)).size(*decoded), decoded, decoded
        )
    if image.format == _TURNED_BY_LIBHEIF:
        stored = decoded[::-1] if _is_turned_by_libheif(image) else decoded
        return Sizes(stored, decoded, decoded)
    return Sizes(decoded, decoded, orientation_to_apply(image).size(*decoded))


def upright(image: "Image", orientation: Orientation) -> "Image":
    """The decoded picture as it is shown."""
    from PIL.Image import Transpose  # noqa: PLC0415 - as above

    if orientation.transposed:
        image = image.transpose(Transpose.TRANSPOSE)
    if orientation.flipped_across:
        image = image.transpose(Transpose.FLIP_LEFT_RIGHT)
    return image.transpose(Transpose.FLIP_TOP_BOTTOM) if orientation.flipped_down else image


def _is_turned_by_libheif(image: "ImageFile") -> bool:
    if image.fp is None:
        return False
    at = image.fp.tell()
    image.fp.seek(0)
    head = image.fp.read(_HEAD_BYTES)
    image.fp.seek(at)
    place = head.find(_ROTATION)
    return place >= 0 and head[place + len(_ROTATION)] % 2 == 1
