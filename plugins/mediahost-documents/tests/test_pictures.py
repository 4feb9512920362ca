"""`documents.pages` and `documents.contact_sheet`: what is drawn, and how large."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mediahost import InvalidMedia, JobCancelled
from mediahost.testing import ActionRun, check_action, run_action
from mediahost_documents import ContactSheet, Pages, Text
from mediahost_documents import drawing as drawing_module

Write = Callable[..., Path]
Line = Callable[..., bytes]

RED_QUARTER = b"1 0 0 rg 0 0 210 300 re f"  # the lower left of a page of 420x600 points
RED, WHITE = (255, 0, 0), (255, 255, 255)


def _pictures(run: ActionRun) -> list[Image.Image]:
    found = []
    for artifact in run.artifacts:
        with Image.open(artifact.path) as image:
            found.append(image.convert("RGB"))
    return found


def test_each_page_becomes_a_picture_of_its_size(paper: Path) -> None:
    run = run_action(Pages(dpi=100), paper).assert_metadata(page_count=2, dpi=100)
    run.assert_artifact(asset_type="page", mime_type="image/png")
    assert [artifact.path.name for artifact in run.artifacts] == [
        "two_pages-page-0001.png",
        "two_pages-page-0002.png",
    ]
    for number, (artifact, image) in enumerate(zip(run.artifacts, _pictures(run), strict=True), 1):
        # A4 at 100 pixels per inch: 210 mm / 25.4 * 100 = 826.8.
        assert image.size == (827, 1170)
        assert artifact.metadata == {"page": number, "width": 827, "height": 1170}


def test_text_is_drawn_where_its_boxes_are(paper: Path) -> None:
    (image,) = _pictures(run_action(Pages(dpi=72, pages="1"), paper))
    (page,) = run_action(Text(boxes=True, pages="1"), paper).metadata["pages"]
    ink = image.convert("L").point(lambda value: 255 if value < 200 else 0).getbbox()
    assert ink == pytest.approx(
        (
            min(box["left"] for box in page["boxes"]),
            min(box["top"] for box in page["boxes"]),
            max(box["right"] for box in page["boxes"]),
            max(box["bottom"] for box in page["boxes"]),
        ),
        abs=2,
    )


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_colours_and_places_are_right_in_each_format(form: str, write_pdf: Write) -> None:
    path = write_pdf(RED_QUARTER, size=(420, 600))
    run = run_action(Pages.configured({"format": form, "dpi": 36}), path)
    run.assert_artifact(mime_type=f"image/{form}")
    (image,) = _pictures(run)
    assert image.size == (210, 300)
    assert image.getpixel((50, 250)) == pytest.approx(RED, abs=8)
    for place in ((50, 50), (160, 50), (160, 250)):
        assert image.getpixel(place) == pytest.approx(WHITE, abs=8)


def test_a_turned_page_is_drawn_turned(write_pdf: Write) -> None:
    path = write_pdf(RED_QUARTER, size=(420, 600), more=b"/Rotate 90")
    (image,) = _pictures(run_action(Pages(dpi=36), path))
    assert image.size == (300, 210)
    assert image.getpixel((50, 50)) == RED


def test_only_the_pages_asked_for_are_drawn(write_pdf: Write) -> None:
    path = write_pdf(*[b""] * 9)
    run = run_action(Pages(dpi=18, pages="1-3,5,9-"), path)
    assert [artifact.metadata["page"] for artifact in run.artifacts] == [1, 2, 3, 5, 9]


def test_a_page_as_large_as_a_field_is_refused(write_pdf: Write) -> None:
    path = write_pdf(b"", size=(14_400, 14_400))
    with pytest.raises(InvalidMedia, match=r"Page 1 of made\.pdf would be 60000x60000 pixels"):
        run_action(Pages(dpi=300), path)
    run_action(ContactSheet(), path)


def test_a_cancel_is_obeyed_in_the_middle_of_a_page(
    write_pdf: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drawing_module, "_PAUSE_EVERY_S", -1.0)  # every pause is overdue
    path = write_pdf(b"0 0 100 100 re f\n" * 5000)
    run = run_action(Pages(dpi=18), path)
    assert run.checkpoints > 10, "it asks within the page"
    folder = tmp_path / "work"
    with pytest.raises(JobCancelled):
        run_action(Pages(dpi=18), path, cancel_after=run.checkpoints // 2, workdir=folder)
    assert list(folder.iterdir()) == []


def test_names_that_are_long_or_not_utf8_are_taken(paper: Path, tmp_path: Path) -> None:
    for name in (b"\xff%d:\n.pdf", "書".encode() * 80 + b".pdf"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.symlink_to(paper)
        assert len(run_action(Pages(dpi=18), path).artifacts) == 2


def test_a_contact_sheet_shows_every_page_in_order(write_pdf: Write) -> None:
    colors = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1)]
    path = write_pdf(*(b"%d %d %d rg 0 0 999 999 re f" % color for color in colors))
    config = {"columns": 2, "rows": 2, "cell_width": 100, "format": "png"}
    run = run_action(ContactSheet.configured(config), path).assert_metadata(page_count=5)
    run.assert_artifact(asset_type="contact_sheet")
    first, second = _pictures(run)
    # Two cells of 100x141 with gaps of 8 and labels of 16: 8 + 2 * 108, 8 + 2 * 165.
    assert first.size == (224, 338)
    assert second.size == (116, 173)
    seen = [first.getpixel((x, y)) for y in (78, 243) for x in (58, 166)]
    seen.append(second.getpixel((58, 78)))
    assert seen == [tuple(255 * part for part in color) for color in colors]
    assert run.artifacts[0].metadata == {
        "first_page": 1,
        "last_page": 4,
        "pages": 4,
        "width": 224,
        "height": 338,
    }


def test_wide_pages_fit_their_cells(write_pdf: Write) -> None:
    path = write_pdf(b"1 0 0 rg 0 0 999 999 re f", size=(800, 200))
    (sheet,) = _pictures(run_action(ContactSheet(format="png", numbers=False), path))
    red = sheet.point(lambda value: 255 if value > 230 else 0).split()[0].getbbox()
    assert red is not None
    assert (red[2] - red[0], red[3] - red[1]) == (200, 50)
    assert red[0] + red[2] == sheet.width
    assert red[1] + red[3] == pytest.approx(sheet.height, abs=2), "it is in the middle"


def test_numbers_are_written_only_if_wanted(write_pdf: Write) -> None:
    path = write_pdf(b"")
    without = _pictures(run_action(ContactSheet(numbers=False, format="png"), path))[0]
    (with_numbers,) = _pictures(run_action(ContactSheet(format="png"), path))
    assert with_numbers.height == without.height + 16
    below = with_numbers.crop((0, without.height - 8, with_numbers.width, with_numbers.height))
    colors = below.getcolors()
    assert colors is not None
    assert len(colors) > 2, "there is a number below the page"


def test_filled_in_forms_are_drawn(write_pdf: Write) -> None:
    path = write_pdf(b"", size=(200, 200))
    data = path.read_bytes()
    # A field with an appearance of its own: a red square (ISO 32000-1, 12.5.5 and 12.7).
    data = data.replace(b"/Type/Catalog", b"/Type/Catalog/AcroForm<</Fields[98 0 R]>>")
    data = data.replace(b"/Type/Page/Parent", b"/Type/Page/Annots[98 0 R]/Parent")
    square = b"1 0 0 rg 0 0 100 100 re f"
    data = data.replace(
        b"xref\n",
        b"98 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/F 4/Rect[50 50 150 150]/AP<</N 99 0 R>>>>"
        b"endobj\n99 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 100 100]/Length %d>>stream\n%s\n"
        b"endstream\nendobj\nxref\n" % (len(square), square),
        1,
    )
    path.write_bytes(data)
    (image,) = _pictures(run_action(Pages(dpi=72), path))
    assert image.getpixel((100, 100)) == RED


def test_they_keep_to_what_the_host_counts_on(paper: Path) -> None:
    check_action(Pages(dpi=40), paper)
    check_action(ContactSheet(columns=2), paper)
