"""`images.thumbnail`: size, uprightness, colours and what is not carried over."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

from mediahost import JobCancelled
from mediahost.errors import InvalidConfig
from mediahost.testing import ActionRun, check_action, run_action
from mediahost_images import Thumbnail

ORIENTATION = 0x0112


def _made(run: ActionRun) -> Image.Image:
    with Image.open(run.artifacts[0].path) as image:
        image.load()
        return image.copy()


def _difference(one: Image.Image, other: Image.Image) -> float:
    """Root mean square over all channels, 0 to 255."""
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).rms)


def _reference(path: Path, size: tuple[int, int]) -> Image.Image:
    """The picture made small by the long way: decoded whole, turned, averaged."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB").resize(size, Image.Resampling.BOX)


def test_a_photograph_becomes_small_and_stays_itself(railway: Path) -> None:
    run = run_action(Thumbnail(max_width=300, max_height=300), railway)
    run.assert_artifact(asset_type="thumbnail", mime_type="image/jpeg")
    run.assert_metadata(source_width=1280, source_height=960)
    assert run.artifacts[0].metadata == {"width": 300, "height": 225}
    assert run.artifacts[0].path.name == "railway.jpg"
    made = _made(run)
    assert made.size == (300, 225)
    assert _difference(made, _reference(railway, made.size)) < 12


def test_what_was_held_upside_down_is_upright(upside_down: Path) -> None:
    made = _made(run_action(Thumbnail(max_width=160), upside_down))
    reference = _reference(upside_down, made.size)
    assert _difference(made, reference) < 8
    assert _difference(made.rotate(180), reference) > 50
    assert ORIENTATION not in made.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_way_of_holding_a_camera_fits_the_box(
    orientation: int, railway: Path, tmp_path: Path
) -> None:
    path = tmp_path / "held.jpg"
    with Image.open(railway) as image:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        image.resize((640, 480)).save(path, exif=exif)
    made = _made(run_action(Thumbnail(max_width=90, max_height=400), path))
    assert made.size == ((90, 68) if orientation < 5 else (90, 120))
    assert _difference(made, _reference(path, made.size)) < 15


def test_a_small_picture_is_not_blown_up(logo: Path) -> None:
    assert _made(run_action(Thumbnail(format="png"), logo)).size == (100, 123)


@pytest.mark.parametrize("form", ["webp", "png"])
def test_transparency_is_kept_where_the_format_has_it(form: str, drawing: Path) -> None:
    made = _made(run_action(Thumbnail.configured({"format": form, "max_width": 80}), drawing))
    with Image.open(drawing) as image:
        expected = image.resize(made.size).getchannel("A")
    assert made.mode == "RGBA"
    assert max(ImageStat.Stat(ImageChops.difference(made.getchannel("A"), expected)).rms) < 8


def test_jpeg_gets_a_background_where_the_picture_is_transparent(tmp_path: Path) -> None:
    path = tmp_path / "glass.png"
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    image.paste((0, 0, 255, 255), (20, 0, 40, 40))
    image.save(path)
    made = _made(run_action(Thumbnail(background="#ff8000"), path))
    left, right = made.getpixel((5, 20)), made.getpixel((35, 20))
    assert left == pytest.approx((255, 128, 0), abs=6)
    assert right == pytest.approx((0, 0, 255), abs=6)


def test_no_exif_and_no_place_are_carried_over(upside_down: Path) -> None:
    for form in ("jpeg", "webp", "png"):
        run = run_action(Thumbnail.configured({"format": form}), upside_down)
        assert not _made(run).getexif()
        assert b"Xiaomi" not in run.artifacts[0].path.read_bytes()


def test_colours_of_another_profile_become_srgb(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A profile whose red is green: the names of two primaries are exchanged (ICC.1, 7.3).
    swapped = profile.replace(b"rXYZ", b"<->!", 1).replace(b"gXYZ", b"rXYZ", 1)
    path = tmp_path / "swapped.png"
    red = Image.new("RGB", (50, 50), (255, 0, 0))
    red.save(path, icc_profile=swapped.replace(b"<->!", b"gXYZ", 1))
    for form in ("png", "jpeg", "webp"):
        made = _made(run_action(Thumbnail.configured({"format": form}), path))
        assert made.convert("RGB").getpixel((25, 25)) == pytest.approx((0, 255, 0), abs=4)
        assert "icc_profile" not in made.info


def test_lab_colours_become_srgb(tmp_path: Path) -> None:
    path = tmp_path / "lab.tiff"
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    orange = Image.new("RGB", (50, 50), (255, 128, 0))
    as_lab = ImageCms.profileToProfile(orange, srgb, lab, outputMode="LAB")
    assert as_lab is not None
    as_lab.save(path)
    made = _made(run_action(Thumbnail(format="png"), path))
    assert made.getpixel((25, 25)) == pytest.approx((255, 128, 0), abs=10)


def test_a_broken_profile_is_passed_over(railway: Path, tmp_path: Path) -> None:
    path = tmp_path / "profile.jpg"
    with Image.open(railway) as image:
        image.save(path, icc_profile=b"no profile at all" * 20)
    made = _made(run_action(Thumbnail(max_width=100), path))
    assert _difference(made, _reference(path, made.size)) < 15


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_every_kind_of_pixel_becomes_a_picture_of_the_same_brightness(
    mode: str, railway: Path, tmp_path: Path
) -> None:
    with Image.open(railway) as image:
        grey = image.resize((200, 150)).convert("L")
    if mode.startswith("I"):
        picture = grey.convert("I").point(lambda value: value * 257)
        picture = picture.convert("I;16") if mode == "I;16" else picture
    else:
        picture = grey.convert("RGB").convert(mode) if mode in {"CMYK", "YCbCr"} else grey
        picture = picture if picture.mode == mode else grey.convert(mode)
    path = tmp_path / "pixels.tiff"
    if mode == "PA":
        path = tmp_path / "pixels.png"
        picture = grey.convert("P")
        picture.info["transparency"] = 0
    picture.save(path)
    made = _made(run_action(Thumbnail(max_width=100, format="png"), path)).convert("RGB")
    mean = ImageStat.Stat(made.convert("L")).mean[0]
    assert mean == pytest.approx(ImageStat.Stat(grey).mean[0], abs=9)


def test_a_heic_picture_is_made_small(railway: Path, tmp_path: Path) -> None:
    from pillow_heif import from_pillow  # noqa: PLC0415 - an extra

    path = tmp_path / "phone.heic"
    with Image.open(railway) as image:
        from_pillow(image.resize((320, 240))).save(path)
    made = _made(run_action(Thumbnail(max_width=200), path))
    assert _difference(made, _reference(path, made.size)) < 12


def test_a_line_of_pixels_keeps_at_least_one(tmp_path: Path) -> None:
    path = tmp_path / "line.png"
    Image.new("RGB", (5000, 1), "red").save(path)
    assert _made(run_action(Thumbnail(max_width=50), path)).size == (50, 1)


def test_higher_quality_costs_bytes(railway: Path) -> None:
    sizes = [
        run_action(Thumbnail(quality=quality), railway).artifacts[0].size or 0
        for quality in (20, 60, 95)
    ]
    assert sizes == sorted(set(sizes))


def test_names_that_are_long_or_not_utf8_are_taken(railway: Path, tmp_path: Path) -> None:
    for name in (b"\xff%d:\n.jpg", "ü".encode() * 120 + b".jpg"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.symlink_to(railway)
        assert run_action(Thumbnail(max_width=50), path).artifacts[0].size


def test_a_cancel_leaves_no_file_with_the_name_of_a_whole_one(
    railway: Path, tmp_path: Path
) -> None:
    with pytest.raises(JobCancelled):
        run_action(Thumbnail(), railway, workdir=tmp_path / "work", cancel_after=3)
    assert list((tmp_path / "work").iterdir()) == []


def test_a_colour_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(InvalidConfig, match="background"):
        Thumbnail.configured({"background": "white"})


def test_it_keeps_to_what_the_host_counts_on(upside_down: Path, drawing: Path) -> None:
    check_action(Thumbnail(), upside_down)
    check_action(Thumbnail(format="webp"), drawing)


def test_an_animation_shows_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    frames = [Image.new("RGB", (30, 30), color) for color in ("red", "blue")]
    buffer = BytesIO()
    frames[0].save(buffer, "gif", save_all=True, append_images=frames[1:])
    path.write_bytes(buffer.getvalue())
    made = _made(run_action(Thumbnail(format="png"), path)).convert("RGB")
    assert made.getpixel((15, 15)) == pytest.approx((255, 0, 0), abs=3)
