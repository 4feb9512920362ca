"""Turned and mirrored pictures: EXIF's eight orientations, and a film's display matrix."""

import struct

import pytest
from PIL import Image, ImageOps

from mediahost import Orientation

UNIT = 65536


def _applied(shown: Orientation, image: Image.Image) -> Image.Image:
    if shown.transposed:
        image = image.transpose(Image.Transpose.TRANSPOSE)
    if shown.flipped_across:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if shown.flipped_down else image


@pytest.mark.parametrize("number", range(1, 9))
def test_each_orientation_of_exif_is_shown_as_pillow_shows_it(number: int) -> None:
    image = Image.frombytes("L", (2, 3), bytes(range(6)))
    noted = image.copy()
    noted.getexif()[0x0112] = number
    wanted = ImageOps.exif_transpose(noted)

    shown = Orientation.of_exif(number)
    turned = image.rotate(shown.rotation, expand=True)

    assert _applied(shown, image).tobytes() == wanted.tobytes()
    assert (ImageOps.mirror(turned) if shown.mirrored else turned).tobytes() == wanted.tobytes()
    assert shown.size(2, 3) == wanted.size


@pytest.mark.parametrize("number", [None, 0, 9, "6", 2.5])
def test_what_is_no_orientation_of_exif_is_upright(number: object) -> None:
    assert Orientation.of_exif(number) == Orientation()


@pytest.mark.parametrize(
    "matrix",
    [
        (0, 0, 0, 0),
        (-(2**31), -(2**31), -(2**31), -(2**31)),
        (UNIT, UNIT, 0, 0),
        (46341, 46341, -46341, 46341),
        (UNIT, 0, 0, 0),
    ],
)
def test_a_matrix_that_is_no_orientation_is_none(matrix: tuple[int, int, int, int]) -> None:
    a, b, c, d = matrix
    assert Orientation.of_matrix(struct.pack("<9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)) is None
    assert Orientation.of_matrix(b"") is None
