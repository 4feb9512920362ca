"""Passages: what a result says that can be searched, each with its place in the media file.

- a time range: its label, and the texts in its payload. A label by itself is looked through once
  a result, at its first range: one hit says that there is speech, not eight hundred;
- a transcript, sentence by sentence, by the times of its words; without them, whole. A sentence
  that a range says at that time is found there;
- a summary;
- `metadata["pages"]`, a list of `{"page": 1, "text": ...}`, page by page, and `metadata["text"]`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mediahost.model.words import compact, words_of

# The members of a result that passages are in.
SAID = ("ranges", "transcription", "analysis", "metadata")
SPEECH = "speech"
SENTENCE_ENDS = (".", "?", "!", "…", "。", "\uff1f", "\uff01")
LONGEST_SENTENCE_WORDS = 60
PAUSE_S = 2.0
# Postgres indexes 1 MB of words of a passage.
MOST_WORDS = 4_000


class Passage(NamedTuple):
    """One thing to find.

    Attributes:
        kind: range, speech, page, text or summary.
        label: What it is: the range's own label, speech, page, text, the type of the analysis.
        start_s, end_s: Where it is, in seconds; None: it has no place in time.
        page: Number of the page, from 1, or None.
        words: What it says; None: nothing.
        tokens: The words that search finds it by, each in the one spelling, parted by spaces;
            None: it is not found by words.
    """

    kind: str
    label: str
    start_s: float | None = None
    end_s: float | None = None
    page: int | None = None
    words: str | None = None
    tokens: str | None = None


def passages_of(document: Mapping[str, Any]) -> Iterator[Passage]:
    """The passages of an analyzer's result, as plain JSON."""
    for passage in _passages_of(document):
        yield from _short_enough(passage)


def _passages_of(document: Mapping[str, Any]) -> Iterator[Passage]:
    in_ranges = list(_of_ranges(document.get("ranges") or ()))
    said = document.get("transcription")
    sentences = list(_of_transcript(said)) if said else []
    yield from _once(in_ranges, sentences)
    analysis = document.get("analysis")
    if analysis and analysis.get("summary"):
        yield _saying(
            Passage("summary", _clean(analysis["analysis_type"])), _clean(analysis["summary"])
        )
    yield from _of_metadata(document.get("metadata") or {})


def _of_ranges(ranges: Iterable[Mapping[str, Any]]) -> Iterator[Passage]:
    seen: set[str] = set()
    for at in ranges:
        label = _clean(at["label"])
        words = _clean(" ".join(_texts(at.get("payload")))) or None
        passage = Passage("range", label, at["start"], at["end"], words=words)
        found_by = words or ""
        if label not in seen:
            found_by = f"{label} {found_by}"
            seen.add(label)
        yield passage._replace(tokens=_tokens(found_by))


def _once(ranges: Sequence[Passage], sentences: Iterable[Passage]) -> Iterator[Passage]:
    """Ranges and sentences, of which each word is found in one only.

    A sentence that a range says at that time is found there. Ranges that say parts of one sentence
    are found by it. A transcript without times is found in the ranges, if they say all of it.
    """
    said = [compact(at.words or "") for at in ranges]
    all_said = "".join(said)
    by_sentence: set[int] = set()
    kept = []
    for sentence in sentences:
        letters = compact(sentence.words or "")
        if sentence.start_s is None:
            if letters not in all_said:
                kept.append(sentence)
            continue
        there = [at for at, passage in enumerate(ranges) if said[at] and _meet(passage, sentence)]
        if not any(letters in said[at] for at in there):
            kept.append(sentence)
            by_sentence.update(at for at in there if said[at] in letters)
    for at, passage in enumerate(ranges):
        if at in by_sentence:
            label_alone = (passage.tokens or "").removesuffix(_tokens(passage.words or "") or "")
            yield passage._replace(tokens=label_alone.strip() or None)
        else:
            yield passage
    yield from kept


def _meet(one: Passage, other: Passage) -> bool:
    """Whether both are at some moment of the file."""
    if one.start_s is None or one.end_s is None or other.start_s is None or other.end_s is None:
        return False
    return one.start_s < other.end_s and other.start_s < one.end_s


def _saying(passage: Passage, words: str) -> Passage:
    return passage._replace(words=words, tokens=_tokens(words))


def _tokens(words: str) -> str | None:
    return " ".join(words_of(words)) or None


def _short_enough(passage: Passage) -> Iterator[Passage]:
    """A passage, in parts if it is too long for a database to index."""
    words = passage.words
    if not words or (passage.tokens or "").count(" ") < MOST_WORDS:
        yield passage
        return
    middle = len(words) // 2
    cut = words.rfind(" ", 1, middle)
    cut = cut if cut > 0 else middle
    yield from _short_enough(_saying(passage, words[:cut]))
    yield from _short_enough(_saying(passage, words[cut:].lstrip()))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _of_transcript(said: Mapping[str, Any]) -> Iterator[Passage]:
    words = said.get("words") or ()
    if not words:
        yield _saying(Passage("speech", SPEECH), _clean(said["text"]))
    for sentence in _sentences(words):
        start, end = sentence[0]["start"], max(word["end"] for word in sentence)
        text = " ".join(word["text"].strip() for word in sentence)
        yield _saying(Passage("speech", SPEECH, start, max(start, end)), _clean(text))


def _sentences(words: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    sentence: list[Mapping[str, Any]] = []
    for word in words:
        if sentence and (
            sentence[-1]["text"].strip().endswith(SENTENCE_ENDS)
            or word["start"] - sentence[-1]["end"] > PAUSE_S
            or len(sentence) >= LONGEST_SENTENCE_WORDS
        ):
            yield sentence
            sentence = []
        sentence.append(word)
    if sentence:
        yield sentence


def _of_metadata(metadata: Mapping[str, Any]) -> Iterator[Passage]:
    pages = list(_of_pages(metadata.get("pages")))
    text = metadata.get("text")
    if isinstance(text, str) and text:
        # The text of a document is that of its pages: it is found there.
        on_pages = "".join(compact(page.words or "") for page in pages)
        if not pages or compact(text) not in on_pages:
            yield _saying(Passage("text", "text"), _clean(text))
    yield from pages


def _of_pages(pages: Any) -> Iterator[Passage]:
    for each in pages if isinstance(pages, list) else ():
        if isinstance(each, Mapping) and isinstance(text := each.get("text"), str) and text:
            number = each.get("page")
            page = number if isinstance(number, int) else None
            yield _saying(Passage("page", "page", page=page), _clean(text))


def _clean(text: str) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
