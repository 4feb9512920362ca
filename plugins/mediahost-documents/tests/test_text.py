"""`documents.text`, against pypdf and against places that are known."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

from mediahost import InvalidMedia
from mediahost.testing import check_action, run_action
from mediahost_documents import Text

Write = Callable[..., Path]
Line = Callable[..., bytes]

A_BOX = {"left", "top", "right", "bottom"}


def test_the_text_of_a_real_document_is_what_pypdf_reads(paper: Path) -> None:
    expected = [" ".join(page.extract_text().split()) for page in PdfReader(paper).pages]
    run = run_action(Text(), paper).assert_metadata(page_count=2)
    pages = run.metadata["pages"]
    assert [page["page"] for page in pages] == [1, 2]
    assert [" ".join(page["text"].split()) for page in pages] == expected
    assert pages[1]["text"] == "This is the second page.\nBye"
    assert run.metadata["characters"] == sum(len(page["text"]) for page in pages)


def test_only_the_pages_asked_for_are_read(paper: Path) -> None:
    run = run_action(Text(pages="2-9"), paper).assert_metadata(page_count=2)
    assert [page["page"] for page in run.metadata["pages"]] == [2]


def test_a_document_without_the_pages_says_how_many_it_has(paper: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"two_pages\.pdf has 2 pages, none of 3-"):
        run_action(Text(pages="3-"), paper)


def test_a_page_without_text_is_empty(write_pdf: Write) -> None:
    run = run_action(Text(boxes=True), write_pdf(b"0 0 100 100 re f"))
    assert run.metadata["pages"] == [
        {"page": 1, "text": "", "width": 420, "height": 595, "boxes": []}
    ]


def test_boxes_are_where_the_lines_were_written(write_pdf: Write, line: Line) -> None:
    path = write_pdf(line(50, 500, "Hello") + line(100, 300, "Good bye", size=24))
    (page,) = run_action(Text(boxes=True), path).metadata["pages"]
    first, second = page["boxes"]
    assert (first["text"], second["text"]) == ("Hello", "Good bye")
    # Helvetica: capitals 0.718 em high, H begins 0.077 em from the origin (its AFM file).
    assert first["left"] == pytest.approx(50 + 0.077 * 12, abs=0.5)
    assert first["top"] == pytest.approx(595 - 500 - 0.718 * 12, abs=0.5)
    assert first["bottom"] == pytest.approx(595 - 500, abs=0.5)
    assert second["bottom"] == pytest.approx(595 - 300 + 0.21 * 24, abs=1), "its g and y hang down"
    assert second["left"] == pytest.approx(100, abs=2)
    assert second["right"] > second["left"] + 90


def test_boxes_on_a_turned_page_are_where_they_are_seen(write_pdf: Write, line: Line) -> None:
    path = write_pdf(line(50, 500, "Hello"), more=b"/Rotate 90")
    (page,) = run_action(Text(boxes=True), path).metadata["pages"]
    assert (page["width"], page["height"]) == (595, 420)
    (box,) = page["boxes"]
    # Turned clockwise, what was 500 above the lower edge is 500 from the left one.
    assert box["left"] == pytest.approx(500, abs=1)
    assert box["top"] == pytest.approx(50, abs=1.5)
    assert box["bottom"] - box["top"] > box["right"] - box["left"], "it runs downwards"


def test_without_boxes_there_are_none(paper: Path) -> None:
    for page in run_action(Text(), paper).metadata["pages"]:
        assert page.keys() == {"page", "text"}


def test_a_word_that_was_hyphenated_keeps_its_hyphen(write_pdf: Write, line: Line) -> None:
    path = write_pdf(line(50, 500, "an exam-") + line(50, 480, "ple of it"))
    (page,) = run_action(Text(), path).metadata["pages"]
    assert "".join(page["text"].split()) == "anexam-pleofit"


def test_text_holds_nothing_that_a_database_refuses(write_pdf: Write) -> None:
    path = write_pdf(b"BT /F 12 Tf 50 500 Td (a\\000b\\001c) Tj ET")
    (page,) = run_action(Text(boxes=True), path).metadata["pages"]
    for text in (page["text"], *(box["text"] for box in page["boxes"])):
        assert text.replace(" ", "").isprintable()


def test_progress_comes_for_every_page(write_pdf: Write, line: Line) -> None:
    path = write_pdf(*(line(50, 500, f"Page {number}") for number in range(40)))
    run = run_action(Text(), path)
    fractions = [fraction for fraction, _ in run.progress]
    assert fractions == sorted(fractions)
    assert len(fractions) == 42
    assert [page["text"] for page in run.metadata["pages"]][::13] == [
        "Page 0",
        "Page 13",
        "Page 26",
        "Page 39",
    ]


def test_it_keeps_to_what_the_host_counts_on(paper: Path) -> None:
    run = check_action(Text(boxes=True, pages="1-"), paper)
    assert all(box.keys() == A_BOX | {"text"} for box in run.metadata["pages"][0]["boxes"])


@pytest.mark.parametrize(
    ("turn", "rotate"),
    [
        (b"1 0 0 1 0 0 cm", b""),
        (b"0 1 -1 0 595 0 cm", b"/Rotate 90"),
        (b"-1 0 0 -1 595 842 cm", b"/Rotate 180"),
        (b"0 -1 1 0 0 842 cm", b"/Rotate 270"),
        (b"0 1 -1 0 595 0 cm", b""),
        (b"0 -1 1 0 0 842 cm", b""),
    ],
)
def test_turned_text_keeps_its_lines(
    turn: bytes, rotate: bytes, write_pdf: Callable[..., Path], line: Callable[..., bytes]
) -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    rows = [f"Row {number} ends with {word}" for number, word in enumerate(words)]
    body = b"".join(line(72, 400 - 18 * at, row) for at, row in enumerate(rows))
    path = write_pdf(b"q %s\n%s Q" % (turn, body), size=(595, 842), more=rotate)

    for action in (Text(), Text(boxes=True)):
        (page,) = run_action(action, path).metadata["pages"]
        assert page["text"].splitlines() == rows


def test_a_page_that_is_a_picture_is_said_to_be_scanned(write_pdf: Write, line: Line) -> None:
    image = b"q 100 0 0 100 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q"
    path = write_pdf(line(50, 500, "Text"), image, b"")

    run = run_action(Text(), path).assert_metadata(scanned_pages=[2])

    assert run.log == ["Pages without text, as of a scan: 2"]
    assert [page["text"] for page in run.metadata["pages"]] == ["Text", "", ""]
