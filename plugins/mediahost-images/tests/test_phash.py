"""`images.phash`, against what the library imagehash says of the same pictures.

imagehash needs scipy and PyWavelets, 200 MB, so its answers stand here: those of
`str(imagehash.phash(image))`, imagehash 4.3.2 with Pillow 13.0.
"""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mediahost.testing import check_action, run_action
from mediahost_images import PerceptualHash
from mediahost_images.phash import hash_of

OF_THE_RAILWAY = "8d49cbc1d2c9d553"


def _hash(path: Path) -> str:
    found: str = run_action(PerceptualHash(), path).metadata["phash"]
    return found


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_the_bits_are_those_of_imagehash(railway: Path, drawing: Path, logo: Path) -> None:
    assert _hash(railway) == OF_THE_RAILWAY
    assert _hash(drawing) == "9e619664619e699e"
    assert _hash(logo) == "bbe86bb03024e733"


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 640, 480), "9f8e868a939c866e"),
        ((640, 0, 1280, 480), "f865d8594266c0bf"),
        ((0, 480, 640, 960), "bb4f460f411a17cd"),
        ((100, 300, 500, 333), "91a658da761396b5"),
    ],
)
def test_the_bits_are_those_of_imagehash_for_parts_of_a_picture(
    box: tuple[int, int, int, int], expected: str, railway: Path, tmp_path: Path
) -> None:
    path = tmp_path / "part.png"
    with Image.open(railway) as image:
        image.crop(box).save(path)
    assert _hash(path) == expected


def test_a_picture_held_upside_down_is_hashed_as_it_is_seen(upside_down: Path) -> None:
    # imagehash.phash(ImageOps.exif_transpose(image)); without the turn it is c7d8b883b47c831d.
    assert _hash(upside_down) == "9272ed29c1ced4b2"


@pytest.mark.parametrize("grey", [1, 128, 255])
def test_one_colour_has_but_the_bit_of_its_brightness(grey: int) -> None:
    assert hash_of(bytes([grey]) * 1024) == "8000000000000000"
    assert hash_of(bytes(1024)) == "0000000000000000"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("copy.jpg", {"quality": 30}),
        ("copy.webp", {"quality": 40}),
        ("copy.png", {}),
        ("copy.gif", {}),
    ],
)
def test_a_small_copy_in_another_format_is_found(
    name: str, options: dict[str, Any], railway: Path, tmp_path: Path
) -> None:
    with Image.open(railway) as image:
        image.resize((320, 240)).save(tmp_path / name, **options)
    assert _distance(_hash(tmp_path / name), OF_THE_RAILWAY) <= 6


def test_other_pictures_are_far_away(drawing: Path, logo: Path, upside_down: Path) -> None:
    others = [_hash(path) for path in (drawing, logo, upside_down)]
    assert all(_distance(other, OF_THE_RAILWAY) > 20 for other in others)


def test_sixteen_bits_hash_as_eight(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    with Image.open(railway) as image:
        deep = image.convert("L").convert("I").point(lambda value: value * 257)
    deep.convert("I;16").save(path)
    assert _distance(_hash(path), OF_THE_RAILWAY) <= 2


def test_it_keeps_to_what_the_host_counts_on(upside_down: Path, drawing: Path) -> None:
    check_action(PerceptualHash(), upside_down)
    check_action(PerceptualHash(), drawing)
