"""The result of `llm.summarize`."""

from collections.abc import Sequence
from typing import Any

from mediahost import Analysis, Context, MediaAnalysisResult, MediaFile
from mediahost_llm.actions import Summarize
from mediahost_llm.asking import Model
from mediahost_llm.material import Passage, chunks, passages
from mediahost_llm.outcome import metadata, nothing_to_ask

_READER = "You read texts and answer briefly and truthfully, by what is in them alone."


def summarize(action: Summarize, media: MediaFile, context: Context) -> MediaAnalysisResult:
    """Ask for a summary of each part, and of the summaries, until there is one."""
    found = passages(context, media)
    if not found:
        return nothing_to_ask(action, "summary")
    model = Model.of(action.model, context, action.max_total_tokens, action.temperature)
    parts = chunks(found, action.input_tokens)
    count = len(parts)
    while len(parts) > 1:
        shorter = [
            Passage(_summary(action, model, part)["summary"])
            for part in context.track(parts, len(parts), f"summarising {len(parts)} parts")
        ]
        again = chunks(shorter, action.input_tokens)
        # Answers as long as what they summarise would go on for ever.
        parts = again if len(again) < len(parts) else [*again[:1]]
    context.progress(0.5, "summarising")
    answer = _summary(action, model, parts[0])
    context.progress(1.0, "done")
    return MediaAnalysisResult(
        metadata=metadata(model, parts=count),
        analysis=Analysis(
            analysis_type="summary",
            summary=answer["summary"],
            detailed={"key_points": answer["key_points"], "parts": count},
            model=model.name,
            prompt=action.prompt,
            input_tokens=model.spent.input,
            output_tokens=model.spent.output,
        ),
    )


def _summary(action: Summarize, model: Model, part: Sequence[Passage]) -> dict[str, Any]:
    text = "\n".join(passage.text for passage in part)
    messages = [
        {"role": "system", "content": _READER},
        {"role": "user", "content": f"{action.prompt}\n\nThe text:\n\n{text}"},
    ]
    return model.answer(
        messages,
        _schema(action.key_points),
        lambda answer: _checked(answer, action.key_points),
        action.max_output_tokens,
    )


def _schema(most_points: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"summary": {"type": "string"}}
    if most_points:
        points = {"type": "array", "items": {"type": "string"}, "maxItems": most_points}
        fields["key_points"] = points
    return {
        "type": "object",
        "properties": fields,
        "required": [*fields],
        "additionalProperties": False,
    }


def _checked(answer: Any, most_points: int) -> dict[str, Any]:
    given = answer if isinstance(answer, dict) else {}
    summary, points = given.get("summary"), given.get("key_points", [])
    if not isinstance(summary, str) or not summary.strip():
        raise ValueError("there is no text named summary")
    if not (isinstance(points, list) and all(isinstance(point, str) for point in points)):
        raise ValueError("key_points is no list of texts")
    said = [point.strip() for point in points if point.strip()]
    return {"summary": summary.strip(), "key_points": said[:most_points]}
