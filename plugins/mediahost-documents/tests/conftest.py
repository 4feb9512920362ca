"""Real documents, free to use, and documents written by hand whose every place is known."""

from collections.abc import Callable
from pathlib import Path

import pytest

VARIABLE = "MEDIAHOST_DOCUMENTS_PASSWORD"
A5 = (420, 595)

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture(scope="session")
def paper() -> Path:
    """Two pages of text, A4, printed by LibreOffice Writer."""
    return Path(__file__).parents[3] / "examples" / "media" / "two_pages.pdf"


@pytest.fixture(scope="session")
def protected() -> Path:
    """Two pages of text that the password "peanuts" opens."""
    return Path(__file__).parent / "media" / "protected.pdf"


@pytest.fixture
def write_pdf(tmp_path: Path) -> Write:
    """Writes a PDF: one content stream for each page, such as `line(50, 500, "Hello")`."""

    def write(
        *contents: bytes, name: str = "made.pdf", size: tuple[float, float] = A5, more: bytes = b""
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(_pdf(contents, size, more))
        return path

    return write


@pytest.fixture(scope="session")
def line() -> Callable[..., bytes]:
    """A line of Helvetica at a place in points from the lower left corner."""

    def text_at(x: float, y: float, text: str, size: float = 12) -> bytes:
        return b"BT /F %g Tf %g %g Td (%s) Tj ET\n" % (size, x, y, text.encode("cp1252"))

    return text_at


def _pdf(contents: tuple[bytes, ...], size: tuple[float, float], more: bytes) -> bytes:
    """A PDF with a good index (ISO 32000-1, 7.5)."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * at) for at in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 %g %g]%s"
        b"/Resources<</Font<</F 3 0 R>>>>>>" % (len(contents), kids, *size, more),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for at, content in enumerate(contents):
        objects += [
            b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (5 + 2 * at),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj%s\nendobj\n" % (number, body)
    entries = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, entries)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return data + table + trailer % (len(objects) + 1, len(data))
