"""The result of `llm.analyze`."""

from collections.abc import Sequence
from typing import Any

from mediahost import Analysis, Context, InvalidMedia, MediaAnalysisResult, MediaFile
from mediahost.errors import UsageError
from mediahost_llm.actions import Analyze
from mediahost_llm.asking import Model
from mediahost_llm.material import Passage, chunks, passages, pictures
from mediahost_llm.outcome import metadata, nothing_to_ask

_READER = "You answer questions by the given texts and pictures alone, briefly and truthfully."


def analyze(action: Analyze, media: MediaFile, context: Context) -> MediaAnalysisResult:
    """Put the question, about each part of a long text and then about the answers."""
    seen = pictures(context, media, action.max_pictures)
    found = _text(context, media, needed=not seen)
    if not found and not seen:
        return nothing_to_ask(action, "answer")
    parts = chunks(found, action.input_tokens) or [[]]
    if action.answer_schema is not None and len(parts) > 1:
        raise UsageError(
            f"The text is too long to be asked about at once: it has {len(parts)} parts of "
            f"{action.input_tokens:,} tokens",
            "Raise max_input_tokens, or let llm.summarize come first.",
        )
    model = Model.of(action.model, context, action.max_total_tokens, action.temperature)
    summary, detailed = _answer(action, model, parts, seen, context)
    context.progress(1.0, "done")
    return MediaAnalysisResult(
        metadata=metadata(model, parts=len(parts), pictures=len(seen)),
        analysis=Analysis(
            analysis_type="answer",
            summary=summary,
            detailed=detailed,
            model=model.name,
            prompt=action.prompt,
            input_tokens=model.spent.input,
            output_tokens=model.spent.output,
        ),
    )


def _text(context: Context, media: MediaFile, *, needed: bool) -> list[Passage]:
    try:
        return passages(context, media)
    except InvalidMedia:
        if needed:
            raise
        return []


def _answer(
    action: Analyze,
    model: Model,
    parts: list[list[Passage]],
    seen: Sequence[str],
    context: Context,
) -> tuple[str | None, dict[str, Any] | None]:
    if (schema := action.answer_schema) is not None:
        answer = model.answer(
            _messages(action.prompt, parts[0], seen),
            schema,
            lambda given: _fitting(given, schema),
            action.max_output_tokens,
        )
        return None, answer
    answers = []
    for part in context.track(parts, len(parts) + 1, "asking"):
        messages = _messages(action.prompt, part, seen)
        answers.append(Passage(model.text(messages, action.max_output_tokens)))
    if len(answers) == 1:
        return answers[0].text, None
    whole = chunks(answers, action.input_tokens)[0]
    prompt = f"{action.prompt}\nWhat follows are answers to this about parts of one text."
    return model.text(_messages(prompt, whole, ()), action.max_output_tokens), None


def _messages(prompt: str, part: Sequence[Passage], seen: Sequence[str]) -> list[dict[str, Any]]:
    text = "\n".join(passage.text for passage in part)
    question = f"{prompt}\n\nThe text:\n\n{text}" if text else prompt
    content: Any = question
    if seen:
        shown = [{"type": "image_url", "image_url": {"url": url}} for url in seen]
        content = [{"type": "text", "text": question}, *shown]
    return [{"role": "system", "content": _READER}, {"role": "user", "content": content}]


def _fitting(answer: Any, schema: Any) -> dict[str, Any]:
    import jsonschema  # noqa: PLC0415 - only with a schema

    fault = next(iter(jsonschema.Draft202012Validator(schema).iter_errors(answer)), None)
    if fault is not None:
        raise ValueError(fault.message)
    return answer if isinstance(answer, dict) else {"answer": answer}
