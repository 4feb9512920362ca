"""The result of `llm.chapters`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from mediahost import Analysis, Context, InvalidMedia, MediaAnalysisResult, MediaFile, TimeRange
from mediahost_llm.actions import Chapters
from mediahost_llm.asking import Model
from mediahost_llm.material import Passage, chunks, passages
from mediahost_llm.outcome import metadata, nothing_to_ask

_READER = "You divide transcripts into chapters."
_MOST_OF_A_PART = 12
_LONGEST_TITLE = 120


class Beginning(NamedTuple):
    """Where a chapter begins, in seconds, and what it is called."""

    start: float
    title: str


def chapters(action: Chapters, media: MediaFile, context: Context) -> MediaAnalysisResult:
    """Ask where chapters begin, part by part."""
    found = passages(context, media)
    if not found:
        return nothing_to_ask(action, "chapters")
    if any(passage.start is None for passage in found):
        raise InvalidMedia(
            f"The text of {repr(media.path.name)[1:-1]} has no times",
            "Let speech.transcribe come first.",
        )
    model = Model.of(action.model, context, action.max_total_tokens, action.temperature)
    parts = chunks(found, action.input_tokens)
    begun: list[Beginning] = []
    for part in context.track(parts, len(parts), "looking for chapters"):
        begun += _asked(action, model, part)
    end = max(passage.end or 0.0 for passage in found)
    ranges = _ranges(begun, end, action.min_chapter_s)
    context.progress(1.0, "done")
    return MediaAnalysisResult(
        ranges=tuple(ranges),
        metadata=metadata(model, parts=len(parts), chapters=len(ranges)),
        analysis=Analysis(
            analysis_type="chapters",
            summary="\n".join(f"{_clock(one.start)} {one.payload['title']}" for one in ranges),
            model=model.name,
            prompt=action.prompt,
            input_tokens=model.spent.input,
            output_tokens=model.spent.output,
        ),
    )


def _asked(action: Chapters, model: Model, part: Sequence[Passage]) -> list[Beginning]:
    lines = "\n".join(f"[{number}] {passage.text}" for number, passage in enumerate(part, 1))
    messages = [
        {"role": "system", "content": _READER},
        {"role": "user", "content": f"{action.prompt}\n\nThe transcript:\n\n{lines}"},
    ]
    answer: list[tuple[int, str]] = model.answer(
        messages,
        _schema(len(part)),
        lambda given: _checked(given, len(part)),
        action.max_output_tokens,
    )
    return [Beginning(part[line - 1].start or 0.0, title) for line, title in answer]


def _schema(lines: int) -> dict[str, Any]:
    chapter = {
        "type": "object",
        "properties": {
            "line": {"type": "integer", "minimum": 1, "maximum": lines},
            "title": {"type": "string"},
        },
        "required": ["line", "title"],
        "additionalProperties": False,
    }
    most = min(lines, _MOST_OF_A_PART)
    listed = {"type": "array", "items": chapter, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "properties": {"chapters": listed},
        "required": ["chapters"],
        "additionalProperties": False,
    }


def _checked(answer: Any, lines: int) -> list[tuple[int, str]]:
    """Lines and titles in order, each line once, the first one among them."""
    listed = answer.get("chapters") if isinstance(answer, dict) else None
    if not isinstance(listed, list) or not listed:
        raise ValueError("there is no list named chapters")
    titles: dict[int, str] = {}
    for one in listed:
        line = one.get("line") if isinstance(one, dict) else None
        title = one.get("title") if isinstance(one, dict) else None
        if not isinstance(line, int) or not 1 <= line <= lines:
            raise ValueError(f"{line!r} is no line from 1 to {lines}")
        if not isinstance(title, str) or not title.strip():
            raise ValueError(f"the chapter at line {line} has no title")
        titles.setdefault(line, " ".join(title.split())[:_LONGEST_TITLE])
    ordered = sorted(titles.items())
    # The first chapter begins where the text does, whatever the model says.
    return [(1, ordered[0][1]), *ordered[1:]]


def _ranges(begun: Sequence[Beginning], end: float, min_s: float) -> list[TimeRange]:
    kept: list[Beginning] = []
    for one in begun:
        if not kept or one.start - kept[-1].start >= min_s:
            kept.append(one)
    if len(kept) > 1 and end - kept[-1].start < min_s:
        kept.pop()
    ends = [*(one.start for one in kept[1:]), max(end, kept[-1].start)]
    return [
        TimeRange(start=one.start, end=until, label="chapter", payload={"title": one.title})
        for one, until in zip(kept, ends, strict=True)
    ]


def _clock(second: float) -> str:
    """As 1:02:03, the way players and podcast pages write it."""
    minutes, seconds = divmod(int(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
