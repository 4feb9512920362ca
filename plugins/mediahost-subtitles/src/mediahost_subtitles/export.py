"""The result of `subtitles.export`."""

from collections.abc import Iterator

from mediahost import (
    Artifact,
    Context,
    Cue,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Transcription,
    subtitles_as,
)
from mediahost_subtitles.actions import Export
from mediahost_subtitles.cues import Rules, Spoken, cues_of

MIME_TYPES = {"srt": "application/x-subrip", "vtt": "text/vtt", "ass": "text/x-ssa"}
MAX_STEM = 60  # characters of up to four bytes; a name may have 255 bytes


def export(action: Export, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Write what was transcribed as subtitles."""
    context.progress(0.0, "cutting subtitles")
    cues, language = cues_for(action.rules, media, context)
    path = context.workdir / f"{media.path.stem[:MAX_STEM]}.{action.format}"
    unfinished = path.with_name(f".unfinished.{action.format}")
    unfinished.write_text(subtitles_as(action.format, cues), encoding="utf-8")
    unfinished.replace(path)
    speeds = [cue.chars_per_s for cue in cues]
    context.progress(1.0, "done")
    return MediaProcessingResult(
        artifacts=(
            Artifact(
                path=path,
                asset_type="subtitles",
                mime_type=MIME_TYPES[action.format],
                metadata={"language": language},
            ),
        ),
        metadata={
            "cues": len(cues),
            # Rounding is no reason to be called too fast.
            "too_fast": sum(speed > action.max_chars_per_s + 0.1 for speed in speeds),
            "chars_per_s": round(max(speeds, default=0.0), 1),
            "language": language,
        },
    )


def cues_for(rules: Rules, media: MediaFile, context: Context) -> tuple[list[Cue], str | None]:
    """What a step before has transcribed, as subtitles, and its language.

    Raises:
        InvalidMedia: None has.
    """
    result, transcription = _transcribed(media, context)
    words = [word for word in _spoken(result, transcription) if word.text]
    return cues_of(words, rules, _space_of(transcription)), transcription.language


def _transcribed(media: MediaFile, context: Context) -> tuple[MediaAnalysisResult, Transcription]:
    for result in context.inputs.values():
        if isinstance(result, MediaAnalysisResult) and result.transcription is not None:
            return result, result.transcription
    raise InvalidMedia(
        f"No step before has transcribed {repr(media.path.name)[1:-1]}",
        "Let a step such as speech.transcribe or subtitles.read come first.",
    )


def _spoken(result: MediaAnalysisResult, transcription: Transcription) -> Iterator[Spoken]:
    """The words; where there are none, the ranges that have a text."""
    for word in transcription.words:
        yield Spoken(" ".join(word.text.split()), word.start, max(word.end, word.start))
    if not transcription.words:
        for found in result.ranges:
            yield from _spread(str(found.payload.get("text") or "").split(), found.start, found.end)


def _spread(words: list[str], start: float, end: float) -> Iterator[Spoken]:
    """Words over a stretch of time, each as long as its letters."""
    letters = sum(map(len, words))
    for word in words:
        until = start + (end - start) * len(word) / letters
        yield Spoken(word, start, until)
        start, letters = until, letters - len(word)


def _space_of(transcription: Transcription) -> str:
    """What stands between words: nothing where the whole text has hardly any spaces."""
    text, words = transcription.text.strip(), len(transcription.words)
    return "" if text and text.count(" ") < (words - 1) / 2 else " "
