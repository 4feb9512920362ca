"""`documents.info`: what a document says about itself."""

import math
import re
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost_documents.paper import Paper, opened
from mediahost_documents.password import Protected

if TYPE_CHECKING:
    from pypdfium2 import PdfBookmark

_TEXTS = {
    "title": "Title",
    "author": "Author",
    "subject": "Subject",
    "keywords": "Keywords",
    "creator": "Creator",
    "producer": "Producer",
}
_DATES = {"created_at": "CreationDate", "modified_at": "ModDate"}

# D:YYYYMMDDHHmmSSOHH'mm' (ISO 32000-1, 7.9.4); all after the year may be missing.
_DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?.*"
)
_OUTLINE_ENTRIES = 10_000
_TENTHS = 10  # of PDF versions: 17 is 1.7


class Info(Protected, Analyzer, name="documents.info", version=2, accepts={"document"}):
    """Tell pages, sizes, title, author, dates, protection and outline of a document.

    Metadata, those after the first five only where the document tells them:

    - `pages`: how many; `page_sizes`: in points (1/72 inch) as shown, pages of one size in a row
      together: `{"first": 1, "last": 9, "width": 595.0, "height": 842.0}`
    - `pdf_version` (such as 1.7); `encrypted`; `repaired`: its index was broken and has been
      rebuilt, so pages may be missing
    - `title`, `author`, `subject`, `keywords`, `creator` (the program it was written with),
      `producer` (the program that made the PDF); `created_at`, `modified_at` (ISO 8601)
    - `outline`: `{"title": ..., "level": 1, "page": 7}` for each entry, at most 10,000; `page` is
      None where it leads elsewhere
    """

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Read the document's own description, and look at each page.

        Raises:
            InvalidMedia: It is damaged, no PDF, or protected by another password.
        """
        context.progress(0, "Opening")
        with opened(media.path, self.password.get_secret_value(), context) as paper:
            facts = {"page_sizes": _page_sizes(paper, context), **_document_facts(paper)}
            with paper.damage_in_words("its outline can't be read"):
                outline = [_entry(mark) for mark in islice(paper.pdf.get_toc(), _OUTLINE_ENTRIES)]
            paper.demand_some_of([*range(1, len(paper) + 1)])
            completeness = paper.completeness()
        context.progress(1)
        return MediaAnalysisResult(
            metadata=facts | ({"outline": outline} if outline else {}), completeness=completeness
        )


def _page_sizes(paper: Paper, context: Context) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = []
    for number in context.track(range(1, len(paper) + 1), len(paper), "Looking at each page"):
        size_of = _page_size(paper, number)
        if size_of is None:
            continue
        width, height = size_of
        size = {"width": round(width, 2), "height": round(height, 2)}
        if runs and runs[-1].items() >= {**size, "last": number - 1}.items():
            runs[-1]["last"] = number
        else:
            runs.append({"first": number, "last": number, **size})
    return runs


def _page_size(paper: Paper, number: int) -> tuple[float, float] | None:
    """Width and height in points; None, and a bad page, where it has none."""
    sizes: list[tuple[float, float]] = []
    with paper.leaving_out(number), paper.damage_in_words(f"page {number} can't be read"):
        width, height = paper.pdf.get_page_size(number - 1)
        if not (math.isfinite(width) and math.isfinite(height)):
            raise ValueError("a page must have an end")
        sizes.append((width, height))
    return sizes[0] if sizes else None


def _document_facts(paper: Paper) -> dict[str, Any]:
    from pypdfium2 import raw  # noqa: PLC0415 - only a worker needs it

    version = paper.pdf.get_version()
    facts = {
        "pages": len(paper),
        "pdf_version": f"{version // _TENTHS}.{version % _TENTHS}" if version else None,
        "encrypted": raw.FPDF_GetSecurityHandlerRevision(paper.pdf) != -1,
        "repaired": paper.repaired,
        **{key: _printable(_value(paper, name)) for key, name in _TEXTS.items()},
        **{key: _moment(_value(paper, name)) for key, name in _DATES.items()},
    }
    return {key: fact for key, fact in facts.items() if fact is not None}


def _value(paper: Paper, name: str) -> str:
    try:
        return str(paper.pdf.get_metadata_value(name))
    except UnicodeError:  # a broken title doesn't spoil a document
        return ""


def _entry(mark: "PdfBookmark") -> dict[str, Any]:
    target = mark.get_dest()
    index = target.get_index() if target else None
    return {
        "title": _printable(mark.get_title()) or "",
        "level": mark.level + 1,
        "page": None if index is None or index < 0 else index + 1,
    }


def _printable(text: str) -> str | None:
    return "".join(char if char.isprintable() else " " for char in text).strip() or None


def _moment(text: str) -> str | None:
    """A date of PDF in ISO 8601, or None if it is none."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    parts = [int(part or default) for part, default in zip(found.groups(), "011000", strict=False)]
    try:
        when = datetime(*parts).isoformat()  # type: ignore[arg-type] # noqa: DTZ001 - see offset
    except ValueError:
        return None
    zulu, sign, hours, minutes = found.group(7, 8, 9, 10)
    offset = f"{sign}{hours}:{minutes or '00'}" if sign else ""
    return when + ("+00:00" if zulu else offset)
