"""The result of `subtitles.export`."""

from mediahost import (
    Artifact,
    Context,
    Cue,
    CueRules,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    cues_of,
    subtitles_as,
)
from mediahost_subtitles.actions import Export

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


def cues_for(rules: CueRules, media: MediaFile, context: Context) -> tuple[list[Cue], str | None]:
    """What a step before has transcribed, as subtitles, and its language.

    Raises:
        InvalidMedia: None has.
    """
    for result in context.inputs.values():
        if isinstance(result, MediaAnalysisResult) and result.transcription is not None:
            return cues_of(result, rules), result.transcription.language
    raise InvalidMedia(
        f"No step before has transcribed {repr(media.path.name)[1:-1]}",
        "Let a step such as speech.transcribe or subtitles.read come first.",
    )
