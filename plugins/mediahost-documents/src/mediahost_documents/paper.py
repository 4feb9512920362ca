"""Documents being read with PDFium, and what is wrong with them in words."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from mediahost import Completeness, Context, InvalidMedia, MediaReader, TransientError, unreadable
from mediahost.model.paths import display
from mediahost_documents.forms import loads_in_time
from mediahost_documents.page_range import chosen
from mediahost_documents.password import VARIABLE

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

# PDFium is not thread-safe, not even with a document for each thread. A worker runs one attempt
# at a time, but a host may run attempts in threads.
_PDFIUM = Lock()
_ASK_EVERY_S = 0.1
_NOTES = 3  # sentences about pages; what is wrong with more of them is most often the same
_BLOCK_BYTES = 1 << 16  # for each read of the file; PDFium asks for some hundred


class Paper:
    """An open document. Pages count from 1, as people count them.

    Attributes:
        name: The file's name, fit for a message.
        pdf: PDFium's view of it, through pypdfium2.
        bad_pages: Why each page that could not be read could not.
    """

    def __init__(self, reader: MediaReader, pdf: "PdfDocument", password: str = "") -> None:
        self._reader = reader
        self._password = password
        self._fields: bool | None = None
        self.name = display(reader.path.name)
        self.pdf = pdf
        self.bad_pages: dict[int, str] = {}

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

    def load_fields(self, number: int, context: Context) -> None:
        """Have the form fields drawn from now on, if they can be loaded.

        Args:
            number: A page that has some, from 1; none may be open.
            context: Asked whether the job was cancelled.
        """
        if self._fields is None:
            path = self._reader.path
            self._fields = loads_in_time(path, self._password, number, context)
            if self._fields:
                self.pdf.init_forms()

    @contextmanager
    def leaving_out(self, number: int) -> Iterator[None]:
        """Around the work on one page: a bad page is noted and left out, not the whole document."""
        try:
            yield
        except InvalidMedia as error:
            self.bad_pages[number] = error.message

    def completeness(self) -> Completeness:
        """Which pages are left out, and whether some may not even have been found."""
        notes = list(dict.fromkeys(self.bad_pages.values()))[:_NOTES]
        if self._fields is False:
            notes.append("Its form fields are not drawn, because they can't be loaded in time")
        if self.repaired:
            notes.append("The document's index is broken, and some of its pages may be lost")
        return Completeness(missing_pages=tuple(sorted(self.bad_pages)), note="; ".join(notes))

    def demand_some_of(self, numbers: list[int]) -> None:
        """Make sure that not all of the pages are bad.

        Raises:
            InvalidMedia: They are.
        """
        if numbers and all(number in self.bad_pages for number in numbers):
            raise InvalidMedia(self.bad_pages[numbers[0]], "No other page can be read either.")

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
            self._reader.check()
            raise InvalidMedia(f"{self.name} is damaged: {what}") from error


@contextmanager
def opened(path: Path, password: str, context: Context) -> Iterator[Paper]:
    """The document, while no other thread of this process is in PDFium.

    Raises:
        InvalidMedia: It is damaged, no PDF, or protected by another password.
        JobCancelled: It was cancelled while it waited for its turn.
        TransientError: The disk or the network failed.
    """
    with closing(MediaReader(path)) as reader, _alone(context):
        pdf = _load(reader, password)
        try:
            paper = Paper(reader, pdf, password)
            yield paper
        finally:
            pdf.close()
        reader.check()


@contextmanager
def _alone(context: Context) -> Iterator[None]:
    """While no other thread of this process is in PDFium."""
    while not _PDFIUM.acquire(timeout=_ASK_EVERY_S):
        context.checkpoint()
    try:
        yield
    finally:
        _PDFIUM.release()


class _Blocks(BufferedReader):
    """The document's bytes for PDFium, which can't be told of a Python error."""

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer, or give 0 where reading fails; the reader remembers why."""
        try:
            return super().readinto(buffer)
        except TransientError:
            return 0


def _load(reader: MediaReader, password: str) -> "PdfDocument":
    from pypdfium2 import PdfDocument, PdfiumError, raw  # noqa: PLC0415 - as above

    name = display(reader.path.name)
    try:
        return PdfDocument(_Blocks(reader, _BLOCK_BYTES), password=password or None)
    except PdfiumError as error:
        reader.check()
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            another = "another" if password else "a"
            raise InvalidMedia(
                f"{name} is protected by {another} password",
                f"Put the password into the environment variable {VARIABLE}.",
            ) from None
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise InvalidMedia(f"{name} is encrypted in a way that PDFium can't read") from None
        raise unreadable(reader.path) from error
