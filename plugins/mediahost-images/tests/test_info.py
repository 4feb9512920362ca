"""`images.info`, against headers read by hand and against what exiftool prints."""

import struct
from pathlib import Path

import pytest
from PIL import Image

from mediahost.testing import check_action, run_action
from mediahost_images import Info, Thumbnail

ORIENTATION = 0x0112


def _jpeg_size(path: Path) -> tuple[int, int]:
    """Width and height of a JPEG's frame header (ITU T.81, B.2.2)."""
    data, at = path.read_bytes(), 2
    while data[at + 1] not in {0xC0, 0xC1, 0xC2}:
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    height, width = struct.unpack_from(">HH", data, at + 5)
    return width, height


def _png_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG's IHDR chunk."""
    width, height = struct.unpack_from(">II", path.read_bytes(), 16)
    return width, height


def test_sizes_are_those_of_the_headers(
    railway: Path, upside_down: Path, drawing: Path, logo: Path
) -> None:
    for path, read in (
        (railway, _jpeg_size),
        (upside_down, _jpeg_size),
        (drawing, _png_size),
        (logo, _png_size),
    ):
        width, height = read(path)
        run_action(Info(), path).assert_metadata(
            width=width, height=height, stored_width=width, stored_height=height, frames=1
        )


def test_what_the_phone_noted_is_told_as_exiftool_tells_it(upside_down: Path) -> None:
    # The values are those that exiftool 12.57 prints with -n.
    run_action(Info(), upside_down).assert_metadata(
        format="jpeg",
        mime_type="image/jpeg",
        mode="RGB",
        orientation=3,
        dpi=[72, 72],
        camera_make="Xiaomi",
        camera_model="Mi A3",
        taken_at="2020-01-24T23:11:53",
        exposure_s=0.05,
        f_number=1.79,
        iso=1792,
        focal_length_mm=4.71,
        flash=False,
        latitude=pytest.approx(-15.83567, abs=1e-6),
        longitude=pytest.approx(-48.0155639722222, abs=1e-6),
        altitude_m=1134.113,
        gps_at="2020-01-25T02:11:51+00:00",
    )


def test_what_the_camera_noted_is_told_as_exiftool_tells_it(railway: Path) -> None:
    run = run_action(Info(), railway).assert_metadata(
        orientation=1,
        dpi=[180, 180],
        color_profile="GIMP built-in sRGB",
        camera_make="Canon",
        camera_model="Canon PowerShot SX530 HS",
        software="GIMP 2.10.18",
        taken_at="2020-09-12T11:49:38",
        exposure_s=0.00125,
        f_number=4.5,
        iso=100,
        focal_length_mm=14.368,
        flash=False,
        description="binary comment",
    )
    assert "latitude" not in run.metadata, "its GPS data are empty"


def test_a_picture_without_notes_has_no_keys_for_them(drawing: Path, logo: Path) -> None:
    run_action(Info(), logo).assert_metadata(mode="P", has_transparency=False)
    run = run_action(Info(), drawing).assert_metadata(mode="RGBA", has_transparency=True)
    assert not {"orientation", "camera_make", "taken_at", "latitude"} & run.metadata.keys()


def test_a_picture_turned_by_a_quarter_is_as_wide_as_it_is_shown(
    railway: Path, tmp_path: Path
) -> None:
    path = tmp_path / "turned.jpg"
    with Image.open(railway) as image:
        exif = image.getexif()
        exif[ORIENTATION] = 6
        image.save(path, exif=exif)
    run_action(Info(), path).assert_metadata(
        orientation=6, width=960, height=1280, stored_width=1280, stored_height=960
    )


@pytest.mark.parametrize("form", ["gif", "webp", "png", "avif"])
def test_an_animation_has_frames_and_a_duration(form: str, logo: Path, tmp_path: Path) -> None:
    path = tmp_path / f"moving.{form}"
    with Image.open(logo) as image:
        frames = [image.convert("RGB").rotate(turn) for turn in (0, 45, 90, 135)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100, 200, 300, 400])
    run = run_action(Info(), path)
    run.assert_metadata(format=form, frames=4, animated=True, duration_s=1.0)
    assert run.checkpoints > 4, "it can be cancelled at each frame"


def test_the_pages_of_a_tiff_are_counted_but_do_not_move(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "scan.tiff"
    with Image.open(railway) as image:
        pages = [image.convert("L"), image.convert("L").resize((100, 90))]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    run = run_action(Info(), path).assert_metadata(format="tiff", frames=2, animated=False)
    assert "duration_s" not in run.metadata


def test_nonsense_in_exif_is_left_out(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "nonsense.jpg"
    with Image.open(railway) as image:
        exif = Image.Exif()
        exif[ORIENTATION] = 77
        exif[0x010F] = "\0\0"
        shot = exif.get_ifd(0x8769)
        shot[0x9003] = "0000:00:00 00:00:00"
        shot[0x829A] = (0, 0)
        gps = exif.get_ifd(0x8825)
        gps.update({1: "N", 2: (95.0, 0.0, 0.0), 3: "E", 4: (1.0, 2.0)})
        image.save(path, exif=exif)
    run = run_action(Info(), path)
    known = {"orientation", "camera_make", "taken_at", "exposure_s", "latitude", "longitude"}
    assert not known & run.metadata.keys()


def test_a_date_keeps_the_offset_that_the_camera_knew(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "abroad.jpg"
    with Image.open(railway) as image:
        exif = Image.Exif()
        exif.get_ifd(0x8769).update({0x9003: "2024:02:29 23:59:58", 0x9011: "+05:45"})
        image.save(path, exif=exif)
    run_action(Info(), path).assert_metadata(taken_at="2024-02-29T23:59:58+05:45")


def test_a_heic_picture_is_read(railway: Path, tmp_path: Path) -> None:
    from pillow_heif import from_pillow  # noqa: PLC0415 - an extra

    path = tmp_path / "phone.heic"
    with Image.open(railway) as image:
        from_pillow(image.resize((320, 240))).save(path)
    run_action(Info(), path).assert_metadata(
        format="heif", width=320, height=240, camera_make="Canon"
    )


def test_it_keeps_to_what_the_host_counts_on(upside_down: Path, drawing: Path) -> None:
    check_action(Info(), upside_down)
    check_action(Info(), drawing)
    check_action(Info(decode=False), upside_down)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["jpeg", "png", "tiff", "webp", "avif"])
def test_each_format_tells_its_size_as_stored_and_as_shown(
    form: str, orientation: int, tmp_path: Path
) -> None:
    path = tmp_path / f"turned.{form}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (64, 48), "red").save(path, form, exif=exif)
    shown = (48, 64) if orientation > 4 else (64, 48)

    run_action(Info(), path).assert_metadata(
        width=shown[0], height=shown[1], stored_width=64, stored_height=48
    )
    made = run_action(Thumbnail(max_width=32, max_height=32), path)
    assert (made.metadata["source_width"], made.metadata["source_height"]) == shown
    with Image.open(made.artifacts[0].path) as small:
        assert small.size == ((24, 32) if orientation > 4 else (32, 24))
