"""`documents.info`, against pypdf and against what was written."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Fit

from mediahost.testing import check_action, run_action
from mediahost_documents import Info
from mediahost_documents.info import _moment

Write = Callable[..., Path]


def test_a_real_document_is_described_as_pypdf_describes_it(paper: Path) -> None:
    reader = PdfReader(paper)
    about = reader.metadata
    assert about is not None
    assert about.creation_date is not None
    width, height = (float(side) for side in reader.pages[0].mediabox[2:])
    run = run_action(Info(), paper).assert_metadata(
        pages=len(reader.pages),
        page_sizes=[
            {
                "first": 1,
                "last": 2,
                "width": pytest.approx(width, abs=0.02),
                "height": pytest.approx(height, abs=0.02),
            }
        ],
        author=about.author,
        creator=about.creator,
        producer=about.producer,
        created_at=about.creation_date.isoformat(),
        pdf_version=reader.pdf_header.removeprefix("%PDF-"),
        encrypted=False,
        repaired=False,
    )
    assert not {"title", "modified_at", "outline"} & run.metadata.keys()


def test_title_outline_and_dates_are_those_that_were_written(tmp_path: Path) -> None:
    writer = PdfWriter()
    for _ in range(3):
        writer.add_blank_page(200, 300)
    writer.add_blank_page(400, 100)
    chapter = writer.add_outline_item(title="Über alles", page_number=1)
    writer.add_outline_item(title="A part", page_number=3, parent=chapter, fit=Fit.fit())
    writer.add_metadata({"/Title": "Büch 書", "/ModDate": "D:20240229235958Z"})
    path = tmp_path / "book.pdf"
    writer.write(path)
    run_action(Info(), path).assert_metadata(
        title="Büch 書",
        modified_at="2024-02-29T23:59:58+00:00",
        page_sizes=[
            {"first": 1, "last": 3, "width": 200, "height": 300},
            {"first": 4, "last": 4, "width": 400, "height": 100},
        ],
        outline=[
            {"title": "Über alles", "level": 1, "page": 2},
            {"title": "A part", "level": 2, "page": 4},
        ],
    )


def test_a_turned_page_is_as_wide_as_it_is_shown(write_pdf: Write) -> None:
    path = write_pdf(b"", size=(200, 300), more=b"/Rotate 90")
    run_action(Info(), path).assert_metadata(
        page_sizes=[{"first": 1, "last": 1, "width": 300, "height": 200}]
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("D:20201027010903-03'00'", "2020-10-27T01:09:03-03:00"),
        ("D:20201027010903+05'45", "2020-10-27T01:09:03+05:45"),
        ("D:2020", "2020-01-01T00:00:00"),
        ("20201027", "2020-10-27T00:00:00"),
        ("D:20201027010903Z00'00'", "2020-10-27T01:09:03+00:00"),
        ("D:20201399000000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_become_iso_8601(text: str, moment: str | None) -> None:
    assert _moment(text) == moment


def test_it_keeps_to_what_the_host_counts_on(paper: Path) -> None:
    check_action(Info(), paper)
