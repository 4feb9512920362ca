"""Documents being read with PDFium, and what is wrong with them in words."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mediahost import Context, InvalidMedia
from mediahost.model.paths import display
from mediahost_documents.page_range import chosen
from mediahost_documents.password import VARIABLE

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# PDFium is not thread-safe, not even with a document for each thread. A worker runs one attempt
# at a time, but a host may run attempts in threads.
_PDFIUM = Lock()
_ASK_EVERY_S = 0.1


class Paper:
    """An open document. Pages count from 1, as people count them.

    Attributes:
        name: The file's name, fit for a message.
        pdf: PDFium's view of it, through pypdfium2.
    """

    def __init__(self, name: str, pdf: "PdfDocument") -> None:
        self.name = name
        self.pdf = pdf

    def __len__(self) -> int:
        return len(self.pdf)

    @contextmanager
    def page(self, number: int) -> Iterator["PdfPage"]:
        """One page, closed again afterwards, so that memory doesn't grow with the document.

        Raises:
            InvalidMedia: The page can't be read.
        """
        with self.damage_in_words(f"page {number} can't be read"):
            page = self.pdf[number - 1]
            try:
                yield page
            finally:
                page.close()

    def pages(self, text: str) -> list[int]:
        """The numbers of the pages in a page range.

        Raises:
            InvalidMedia: The document has none of them.
        """
        numbers = chosen(text, len(self))
        if not numbers:
            raise InvalidMedia(f"{self.name} has {len(self)} pages, none of {text}")
        return numbers

    @property
    def repaired(self) -> bool:
        """Whether its index of objects was broken, as in a file that was cut off.

        PDFium has made a new one out of what it found; pages may be missing.
        """
        from pypdfium2 import raw  # noqa: PLC0415 - only a worker needs it

        return not raw.FPDF_DocumentHasValidCrossReferenceTable(self.pdf)

    @contextmanager
    def damage_in_words(self, what: str) -> Iterator[None]:
        """Around pypdfium2's reading: what it raises of damaged data becomes InvalidMedia."""
        from pypdfium2 import PdfiumError  # noqa: PLC0415 - as above

        try:
            yield
        except (PdfiumError, UnicodeError, ValueError, AssertionError) as error:
            raise InvalidMedia(f"{self.name} is damaged: {what}") from error


@contextmanager
def opened(path: Path, password: str, context: Context) -> Iterator[Paper]:
    """The document, while no other thread of this process is in PDFium.

    Raises:
        InvalidMedia: It is damaged, no PDF, or protected by another password.
        JobCancelled: It was cancelled while it waited for its turn.
        OSError: The file can't be read.
    """
    name = display(path.name)
    if not stat.S_ISREG(path.stat().st_mode):  # a FIFO would be waited for
        raise InvalidMedia(f"{name} is not a regular file")
    path.open("rb").close()  # says what is wrong, if it can't be read
    while not _PDFIUM.acquire(timeout=_ASK_EVERY_S):
        context.checkpoint()
    try:
        pdf = _load(path, name, password)
        try:
            paper = Paper(name, pdf)
            if paper.repaired:
                context.log.warning(
                    "The index of %s was broken and has been rebuilt: pages may be missing", name
                )
            yield paper
        finally:
            pdf.close()
    finally:
        _PDFIUM.release()


def _load(path: Path, name: str, password: str) -> "PdfDocument":
    from pypdfium2 import PdfDocument, PdfiumError, raw  # noqa: PLC0415 - as above

    try:
        return PdfDocument(path, password=password or None)
    except PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            another = "another" if password else "a"
            raise InvalidMedia(
                f"{name} is protected by {another} password",
                f"Put the password into the environment variable {VARIABLE}.",
            ) from None
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise InvalidMedia(f"{name} is encrypted in a way that PDFium can't read") from None
        raise InvalidMedia(f"{name} is damaged, or no PDF") from error
