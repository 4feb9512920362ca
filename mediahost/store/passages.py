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

# The members of a result that passages are in.
SAID = ("ranges", "transcription", "analysis", "metadata")
SPEECH = "speech"
SENTENCE_ENDS = (".", "?", "!", "…", "。", "\uff1f", "\uff01")
LONGEST_SENTENCE_WORDS = 60
PAUSE_S = 2.0


class Passage(NamedTuple):
    """One thing to find.

    Attributes:
        kind: range, speech, page, text or summary.
        label: What it is: the range's own label, speech, page, text, the type of the analysis.
        start_s, end_s: Where it is, in seconds; None: it has no place in time.
        page: Number of the page, from 1, or None.
        words: What full text search looks through; None: nothing.
    """

    kind: str
    label: str
    start_s: float | None = None
    end_s: float | None = None
    page: int | None = None
    words: str | None = None


def passages_of(document: Mapping[str, Any]) -> Iterator[Passage]:
    """The passages of an analyzer's result, as plain JSON."""
    in_ranges = list(_of_ranges(document.get("ranges") or ()))
    yield from in_ranges
    if said := document.get("transcription"):
        telling = [at for at in in_ranges if at.words]
        for sentence in _of_transcript(said):
            if not any(_says(at, sentence) for at in telling):
                yield sentence
    analysis = document.get("analysis")
    if analysis and analysis.get("summary"):
        yield Passage(
            "summary", _clean(analysis["analysis_type"]), words=_clean(analysis["summary"])
        )
    yield from _of_metadata(document.get("metadata") or {})


def _of_ranges(ranges: Iterable[Mapping[str, Any]]) -> Iterator[Passage]:
    seen: set[str] = set()
    for at in ranges:
        label = _clean(at["label"])
        texts = list(_texts(at.get("payload")))
        if label not in seen:
            texts.insert(0, label)
            seen.add(label)
        words = _clean(" ".join(texts)) if texts else None
        yield Passage("range", label, at["start"], at["end"], words=words)


def _says(at: Passage, sentence: Passage) -> bool:
    """Whether a range says a sentence, at its time."""
    if at.start_s is None or at.end_s is None or sentence.start_s is None or sentence.end_s is None:
        return False
    overlap = at.start_s < sentence.end_s and sentence.start_s < at.end_s
    return overlap and (sentence.words or "") in (at.words or "")


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
        yield Passage("speech", SPEECH, words=_clean(said["text"]))
    for sentence in _sentences(words):
        start, end = sentence[0]["start"], max(word["end"] for word in sentence)
        text = " ".join(word["text"].strip() for word in sentence)
        yield Passage("speech", SPEECH, start, max(start, end), words=_clean(text))


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
    if isinstance(text := metadata.get("text"), str) and text:
        yield Passage("text", "text", words=_clean(text))
    pages = metadata.get("pages")
    for each in pages if isinstance(pages, list) else ():
        if isinstance(each, Mapping) and isinstance(text := each.get("text"), str) and text:
            number = each.get("page")
            page = number if isinstance(number, int) else None
            yield Passage("page", "page", page=page, words=_clean(text))


def _clean(text: str) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
