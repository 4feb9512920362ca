"""What is no whole picture is refused, by every action, in one sentence."""

import os
import random
import struct
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from mediahost import Action, InvalidMedia
from mediahost.testing import run_action
from mediahost_images import Info, PerceptualHash, Thumbnail

ACTIONS = [Info(), Thumbnail(), PerceptualHash()]
each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.info.name)


def _png_of(width: int, height: int, data: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        checked = name + body
        return struct.pack(">I", len(body)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data)


@each_action
def test_a_decompression_bomb_is_refused(action: Action, tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_of(50_000, 50_000, zlib.compress(bytes(1000))))
    with pytest.raises(InvalidMedia, match=r"more than 178,956,970 pixels.*decompression bomb"):
        run_action(action, path)


def _verdicts(path: Path) -> set[str]:
    """What the actions say of a picture that is not whole."""
    said = set()
    for action in ACTIONS:
        try:
            said.add(run_action(action, path).result.completeness.describe())
        except InvalidMedia as error:
            said.add(error.message)
    return said


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_photograph_is_decoded_as_far_as_it_goes(
    share: float, railway: Path, tmp_path: Path
) -> None:
    data = railway.read_bytes()
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: int(len(data) * share)])

    assert _verdicts(path) == {"A part of the picture is missing or damaged"}


@pytest.mark.parametrize("form", ["png", "gif", "tiff", "bmp", "webp", "avif"])
def test_all_actions_say_the_same_of_a_picture_cut_in_half(
    form: str, railway: Path, tmp_path: Path
) -> None:
    path = tmp_path / f"half.{form}"
    with Image.open(railway) as image:
        image.resize((320, 240)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    (verdict,) = _verdicts(path)
    assert verdict == "A part of the picture is missing or damaged" or "half." in verdict


def test_a_broken_exif_block_spoils_no_picture(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.jpg"
    with Image.open(railway) as image:
        image.resize((60, 40)).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(20))

    (verdict,) = _verdicts(path)
    assert verdict in {"", "Its EXIF block is broken"}


def test_a_bad_checksum_is_said(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.png"
    with Image.open(railway) as image:
        image.resize((60, 40)).save(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"IDAT")
    length = int.from_bytes(data[at - 4 : at], "big")
    data[at + 4 + length] ^= 0xFF
    path.write_bytes(data)

    (verdict,) = _verdicts(path)
    assert verdict


@each_action
def test_a_file_of_another_kind_is_refused(action: Action, tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(InvalidMedia, match=r"letter\.jpg is text, not a JPEG picture"):
        run_action(action, path)


@each_action
def test_a_pipe_is_refused_at_once(action: Action, tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    with pytest.raises(InvalidMedia, match="no regular file"):
        run_action(action, path)


@each_action
def test_a_file_that_is_gone_says_so(action: Action, tmp_path: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"There is no file gone\."):
        run_action(action, tmp_path / "gone.png")


def test_a_heic_picture_without_its_reader_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "phone.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(InvalidMedia, match="needs the package pillow-heif") as caught:
        run_action(Info(), path)
    assert "mediahost-images[heif]" in (caught.value.hint or "")


@pytest.mark.parametrize("form", ["jpeg", "png", "gif", "webp", "tiff", "avif", "heif"])
def test_random_damage_gives_a_result_or_a_sentence(
    form: str, upside_down: Path, tmp_path: Path
) -> None:
    buffer = BytesIO()
    with Image.open(upside_down) as image:
        small, exif = image.resize((64, 48)), image.getexif()
    if form == "heif":
        from pillow_heif import from_pillow  # noqa: PLC0415 - an extra

        from_pillow(small).save(buffer)
    else:
        small.save(buffer, form, exif=exif)
    chance = random.Random(7)  # noqa: S311 - the same damage every time
    path = tmp_path / f"flipped.{form}"
    for _ in range(10 if form in {"avif", "heif"} else 30):  # these two take their time
        data = bytearray(buffer.getvalue())
        for _ in range(chance.choice([1, 4, 40])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        for action in ACTIONS:
            try:
                run_action(action, path)
            except InvalidMedia as error:
                assert "\n" not in error.message  # noqa: PT017 - either way is right
