"""What is no whole document is refused, or read as far as it goes, and PDFium is used by one."""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mediahost import Action, InvalidMedia, JobCancelled
from mediahost.testing import run_action
from mediahost_documents import ContactSheet, Info, Pages, Text
from mediahost_documents.paper import _PDFIUM

ACTIONS = [Info(), Text(boxes=True), Pages(dpi=18), ContactSheet()]
each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.info.name)


@each_action
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7\n", "is a damaged PDF document"),
        (b"This is a letter.\n" * 100, "is text, not a PDF document"),
        (bytes(5000), "holds only zeros, no PDF document"),
        (b"<!DOCTYPE html><p>Not found", "is an HTML page, not a PDF document"),
        (b"PK\3\4" + bytes(range(256)) * 9, "is a ZIP archive, not a PDF document"),
    ],
)
def test_what_is_no_pdf_is_refused(action: Action, data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(data)
    with pytest.raises(InvalidMedia, match=f"letter.pdf {words}"):
        run_action(action, path)


@each_action
def test_a_pipe_is_refused_at_once(action: Action, tmp_path: Path) -> None:
    path = tmp_path / "pipe.pdf"
    os.mkfifo(path)
    with pytest.raises(InvalidMedia, match="no regular file"):
        run_action(action, path)


@each_action
def test_a_file_that_is_gone_says_so(action: Action, tmp_path: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"There is no file gone\."):
        run_action(action, tmp_path / "gone.pdf")


def test_a_document_whose_index_is_lost_is_read_and_the_doubt_is_told(
    paper: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.pdf"
    whole = paper.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"startxref")] + b"startxref\n7\n%%EOF\n")
    run = run_action(Info(), path).assert_metadata(repaired=True, pages=2)
    assert "index is broken" in run.result.completeness.describe()


@each_action
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_document_cut_off_is_refused(
    action: Action, share: float, paper: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.pdf"
    whole = paper.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InvalidMedia, match=r"cut\.pdf is a damaged PDF document"):
        run_action(action, path)


def test_random_damage_gives_a_result_or_a_sentence(paper: Path, tmp_path: Path) -> None:
    whole = paper.read_bytes()
    chance = random.Random(11)  # noqa: S311 - the same damage every time
    path = tmp_path / "flipped.pdf"
    refused = 0
    for attempt in range(60):
        data = bytearray(whole[: chance.randrange(len(whole))] if attempt % 3 == 0 else whole)
        for _ in range(chance.choice([1, 10, 200]) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        for action in ACTIONS:
            try:
                run_action(action, path)
            except InvalidMedia as error:
                refused += 1
                assert "\n" not in error.message  # noqa: PT017 - either way is right
    assert refused


def test_a_cancel_is_obeyed_while_another_thread_is_in_pdfium(paper: Path) -> None:
    with _PDFIUM, pytest.raises(JobCancelled):
        run_action(Info(), paper, cancel_after=3)
    run_action(Info(), paper).assert_metadata(pages=2)


def test_pdfium_is_free_again_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"no PDF")
    with pytest.raises(InvalidMedia):
        run_action(Info(), path)
    assert not _PDFIUM.locked()


def test_many_threads_get_what_one_gets(paper: Path) -> None:
    alone = [run_action(action, paper).result.metadata for action in ACTIONS]
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda action: run_action(action, paper), ACTIONS * 8))
    assert [run.result.metadata for run in runs] == alone * 8


@pytest.fixture
def holed(write_pdf: Callable[..., Path], line: Callable[..., bytes]) -> Path:
    """Five pages; the third one is missing."""
    path = write_pdf(*(line(50, 500, f"Good page {number}") for number in range(1, 6)))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Kids[4 0 R 6 0 R 8 0 R", b"Kids[4 0 R 6 0 R 3 0 R"))
    return path


def test_a_bad_page_is_named_and_all_others_are_given(holed: Path) -> None:
    for action in ACTIONS:
        completeness = run_action(action, holed).result.completeness
        assert completeness.missing_pages == (3,), action.info.name
        assert "page 3" in completeness.note
    text = run_action(Text(), holed).metadata
    assert [page["page"] for page in text["pages"]] == [1, 2, 4, 5]
    assert [page["text"].strip() for page in text["pages"]][2] == "Good page 4"
    assert len(run_action(Pages(dpi=18), holed).artifacts) == 4


def test_a_page_that_is_too_large_to_draw_leaves_the_others(
    write_pdf: Callable[..., Path], line: Callable[..., bytes]
) -> None:
    path = write_pdf(line(50, 500, "One"), line(50, 500, "Two"))
    data = path.read_bytes()
    huge = b"6 0 obj<</MediaBox[0 0 900000 90000]/Type/Page/Parent"
    path.write_bytes(data.replace(b"6 0 obj<</Type/Page/Parent", huge))

    run = run_action(Pages(dpi=150), path)

    assert len(run.artifacts) == 1
    assert run.result.completeness.missing_pages == (2,)
    with pytest.raises(InvalidMedia, match=r"Page 2 of made\.pdf would be"):
        run_action(Pages.configured({"dpi": 150, "pages": "2"}), path)


def test_fields_that_contain_themselves_hold_no_page_up(write_pdf: Callable[..., Path]) -> None:
    """Each of 8 fields has all 8 as its children: read to a depth of 32, that takes for ever."""
    path = write_pdf(b"", size=(200, 200))
    data = path.read_bytes()
    kids = b" ".join(b"%d 0 R" % number for number in range(90, 98))
    fields = b"".join(
        b"%d 0 obj<</T(f)/FT/Tx/Kids[%s]>>endobj\n" % (number, kids) for number in range(90, 98)
    )
    widget = (
        b"98 0 obj<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/F 4/Rect[5 5 9 9]/Kids[%s]>>endobj\n"
        % kids
    )
    data = data.replace(b"/Type/Catalog", b"/Type/Catalog/AcroForm<</Fields[%s 98 0 R]>>" % kids)
    data = data.replace(b"/Type/Page/Parent", b"/Type/Page/Annots[98 0 R]/Parent")
    path.write_bytes(data.replace(b"xref\n", fields + widget + b"xref\n", 1))

    for action in ACTIONS:
        begun = time.monotonic()
        run_action(action, path)
        assert time.monotonic() - begun < 20, action.info.name
