"""What a model is given to read and to look at, out of the results of steps before."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from mediahost import (
    Context,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    MediaKind,
    MediaProcessingResult,
    Transcription,
)

# A token of English is some four letters; other languages have shorter ones, so count more.
_LETTERS_PER_TOKEN = 3
_SENTENCE_ENDS = (".", "?", "!", "…")
_MOST_WORDS = 40  # of a sentence without an end
_PICTURE_PIXELS = 1024
_PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


class Passage(NamedTuple):
    """A piece of text: a sentence that is said, or a page.

    Attributes:
        text: What it says.
        start: When it begins, in seconds; None: it has no time.
        end: When it ends.
        page: Which page it is on, from 1; None: there are no pages.
    """

    text: str
    start: float | None = None
    end: float | None = None
    page: int | None = None


def tokens_of(text: str) -> int:
    """At most about so many tokens; which ones only the model knows."""
    return len(text) // _LETTERS_PER_TOKEN + 1


def passages(context: Context, media: MediaFile) -> list[Passage]:
    """All text that steps before have found.

    Raises:
        InvalidMedia: None of them looks for text.
    """
    found: list[Passage] | None = None
    for result in context.inputs.values():
        if isinstance(result, MediaAnalysisResult) and (given := _text_of(result)) is not None:
            found = (found or []) + given
    if found is None:
        raise InvalidMedia(
            f"No step before has given the text of {repr(media.path.name)[1:-1]}",
            "Let a step such as speech.transcribe, subtitles.read or documents.text come first.",
        )
    return found


def chunks(found: Iterable[Passage], most_tokens: int) -> list[list[Passage]]:
    """Passages in groups of at most so many tokens; one that is longer is cut up."""
    groups: list[list[Passage]] = []
    room = 0
    for passage in found:
        for piece in _pieces(passage, most_tokens * _LETTERS_PER_TOKEN):
            needed = tokens_of(piece.text)
            if not groups or needed > room:
                groups.append([])
                room = most_tokens
            groups[-1].append(piece)
            room -= needed
    return groups


def pictures(context: Context, media: MediaFile, most: int) -> list[str]:
    """Pictures as data URLs: those that steps before have made, and the file if it is one."""
    paths = [
        artifact.path
        for result in context.inputs.values()
        if isinstance(result, MediaProcessingResult)
        for artifact in result.artifacts
        if artifact.path.suffix.lower() in _PICTURE_SUFFIXES
    ]
    if media.kind is MediaKind.IMAGE:
        paths.insert(0, media.path)
    # Evenly over all of them, the first and the last too.
    step = max(len(paths) - 1, 1) / max(most - 1, 1)
    places = range(len(paths)) if len(paths) <= most else {round(n * step) for n in range(most)}
    return [_data_url(paths[place]) for place in sorted(places)] if most else []


def _text_of(result: MediaAnalysisResult) -> list[Passage] | None:
    if result.transcription is not None:
        return list(_said(result, result.transcription))
    pages = result.metadata.get("pages")
    if isinstance(pages, list) and all(
        isinstance(page, Mapping) and "text" in page for page in pages
    ):
        texts = [str(page["text"]).strip() for page in pages if isinstance(page, Mapping)]
        return [Passage(text, page=number) for number, text in enumerate(texts, 1) if text]
    return None


def _said(result: MediaAnalysisResult, said: Transcription) -> Iterator[Passage]:
    """Sentences with their times: out of the ranges, the words, or without times the text."""
    with_text = [found for found in result.ranges if str(found.payload.get("text") or "").strip()]
    if with_text:
        for found in with_text:
            text = " ".join(str(found.payload["text"]).split())
            yield Passage(text, found.start, found.end)
    elif said.words:
        held = []
        for word in said.words:
            held.append(word)
            if word.text.endswith(_SENTENCE_ENDS) or len(held) >= _MOST_WORDS:
                yield Passage(" ".join(one.text for one in held), held[0].start, word.end)
                held = []
        if held:
            yield Passage(" ".join(one.text for one in held), held[0].start, held[-1].end)
    elif said.text.strip():
        yield Passage(said.text.strip())


def _pieces(passage: Passage, most_letters: int) -> Iterator[Passage]:
    text = passage.text
    while len(text) >= most_letters:
        cut = text.rfind(" ", most_letters // 2, most_letters - 1) + 1 or most_letters - 1
        yield passage._replace(text=text[:cut].rstrip())
        text = text[cut:]
    if text:
        yield passage._replace(text=text)


def _data_url(path: Path) -> str:
    """A picture small enough to be looked at, upright."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415 - only with pictures

    small = BytesIO()
    try:
        with Image.open(path) as picture:
            picture.draft("RGB", (_PICTURE_PIXELS, _PICTURE_PIXELS))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((_PICTURE_PIXELS, _PICTURE_PIXELS))
            upright.convert("RGB").save(small, "JPEG", quality=85)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ) as error:
        raise InvalidMedia(f"{repr(path.name)[1:-1]} is no picture: {error}") from error
    return "data:image/jpeg;base64," + base64.b64encode(small.getvalue()).decode()
