"""`speech.transcribe`: what is said, word by word."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from mediahost import (
    Analyzer,
    Completeness,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaKind,
    TimeRange,
    Transcription,
    Word,
)
from mediahost.errors import UsageError
from mediahost.model.paths import display
from mediahost_speech.heedful import heeding
from mediahost_speech.hysteresis import Stretch, find_speech, padded
from mediahost_speech.models import folder_of, is_path, load_whisper
from mediahost_speech.pieces import Piece, Span, grouped, pieces
from mediahost_speech.sound import WINDOW_S, NoSound, Sound
from mediahost_speech.vad import moments

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

PROVIDER = "faster-whisper"

# Whisper needs the breath before a word; a pause of half a second is none within a sentence.
_THRESHOLD, _MIN_SPEECH_S, _MIN_SILENCE_S, _PAD_S = 0.5, 0.25, 0.5, 0.2

# Listening for speech takes about so much of the time that the whole does.
_VAD_SHARE = 0.15

# What Whisper makes of noise: it doubts that there is speech, or each of its words.
_NO_SPEECH, _LEAST_PROBABILITY = 0.6, 0.2


class Transcribe(Analyzer, name="speech.transcribe", version=2, accepts={"audio", "video"}):
    """Write down what is said, with the time and probability of each word (Whisper).

    Only what is speech is given to the model, as `speech.vad` finds it; where a step before has
    found ranges labelled `speech`, those are taken.

    Gives a transcription, and time ranges labelled `speech` whose payload has their `text`.
    Metadata: `language`, `language_probability`, `model`, `words` (how many), `speech_s` (seconds
    that were listened to), `duration` (seconds), `dropped` (how many segments were left out
    because the model doubts that they are speech).
    """

    model: str = Field(
        "base",
        min_length=1,
        description="tiny.en, tiny, base, small, medium, large-v3, large-v3-turbo, or a folder",
    )
    language: str | None = Field(
        None, pattern="^[a-z]{2,3}$", description="Such as en; None: what the first words are in"
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe", description="translate writes English, whatever is spoken"
    )
    beam_size: int = Field(
        5, ge=1, le=20, description="How many readings are compared; 1 is twice as fast"
    )
    prompt: str | None = Field(
        None, max_length=800, description="Names and words that are likely to be said"
    )

    def preflight(self) -> None:
        """See that the model is on this machine.

        Raises:
            ModelMissing: It is not.
            ModelMismatch: It is another than was published under its name.
        """
        folder_of(self.model)

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Listen to the whole file, twice: for speech, then for words.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
            UsageError: The model doesn't know the language.
            ModelMissing: The model is not on this machine.
        """
        # Before anything else: who has no model shall know at once.
        model = context.resource(load_whisper, self.model, context.threads)
        if is_path(self.model):
            context.log.info(
                "%s is a model of your own: its files are not checked", display(self.model)
            )
        sound = Sound(media.path, context.threads)
        _check_language(self.language, model)
        before = _speech_before(context)
        try:
            spans = _heard_speech(sound, context) if before is None else _spans_of(before)
        except NoSound:
            # Nobody speaks in a silent film; a recording without sound is none.
            if media.kind is not MediaKind.VIDEO:
                raise
            spans = []
        listening = _Listening(self, model, context)
        if spans:
            again = Sound(media.path, context.threads)
            with heeding(context.checkpoint):
                for piece in pieces(again.windows(), grouped(spans)):
                    listening.hear(piece, spans[-1].end)
        result = listening.result(spans, sound.end or None)
        return result.model_copy(update={"completeness": _completeness(before, sound)})


def _check_language(language: str | None, model: "WhisperModel") -> None:
    if language not in (None, "en") and not model.model.is_multilingual:
        raise UsageError(
            f"This speech model knows only English, not {language}",
            "Take one whose name doesn't end in .en, such as base.",
        )


def _speech_before(context: Context) -> MediaAnalysisResult | None:
    """What a step before has found of speech."""
    for given in context.inputs.values():
        if isinstance(given, MediaAnalysisResult) and "speech_ranges" in given.metadata:
            return given
    return None


def _spans_of(before: MediaAnalysisResult) -> list[Span]:
    return [Span(one.start, one.end) for one in before.ranges if one.label == "speech"]


def _completeness(before: MediaAnalysisResult | None, sound: Sound) -> Completeness:
    """How whole the recording is: who looked for speech has read it to its end."""
    if before is not None:
        return before.completeness
    return sound.completeness() if sound.end else Completeness()


def _heard_speech(sound: Sound, context: Context) -> list[Span]:
    found: list[Stretch] = list(
        find_speech(
            moments(sound, context, share=_VAD_SHARE),
            threshold=_THRESHOLD,
            min_speech_s=_MIN_SPEECH_S,
            min_silence_s=_MIN_SILENCE_S,
            window_s=WINDOW_S,
        )
    )
    return [Span(one.start, one.end) for one in padded(found, _PAD_S, sound.end)]


class _Listening:
    """What was understood so far."""

    def __init__(self, action: Transcribe, model: "WhisperModel", context: Context) -> None:
        self._action = action
        self._model = model
        self._context = context
        self._language = action.language
        self._language_probability: float | None = None
        self._ranges: list[TimeRange] = []
        self._words: list[Word] = []
        self._text: list[str] = []
        self._dropped = 0

    def hear(self, piece: Piece, until: float) -> None:
        """Add the words of a piece; speech ends at `until` seconds."""
        for segment in self._segments(piece):
            self._take(segment, piece)
        done = _VAD_SHARE + (1 - _VAD_SHARE) * min(piece.end / until, 1.0)
        self._context.progress(done, f"{len(self._words)} words up to {piece.end:.0f} s")

    def _segments(self, piece: Piece) -> Iterator["Segment"]:
        import ctranslate2  # noqa: PLC0415 - only a worker needs them
        import numpy as np  # noqa: PLC0415

        # Where the model is at a loss it guesses; the same guess each time.
        ctranslate2.set_random_seed(0)
        samples = np.frombuffer(piece.samples, "<i2").astype(np.float32) / 32768
        segments, info = self._model.transcribe(
            samples,
            language=self._language,
            task=self._action.task,
            beam_size=self._action.beam_size,
            initial_prompt=self._action.prompt,
            # A mistake in one piece shall not lead astray in the next.
            condition_on_previous_text=False,
            word_timestamps=True,
            no_speech_threshold=_NO_SPEECH,
        )
        if self._language is None:
            self._language = info.language
            self._language_probability = round(info.language_probability, 4)
        yield from segments

    def _take(self, segment: "Segment", piece: Piece) -> None:
        words = [_word(one, piece) for one in segment.words or ()]
        words = [word for word in words if word.text]
        if not words:
            return
        sure = _mean_probability(words)
        if segment.no_speech_prob > _NO_SPEECH or sure < _LEAST_PROBABILITY:
            self._dropped += 1
            return
        self._words += words
        self._text.append(segment.text)
        self._ranges.append(
            TimeRange(
                start=words[0].start,
                end=max(word.end for word in words),
                label="speech",
                confidence=sure,
                payload={
                    "text": segment.text.strip(),
                    "no_speech": round(segment.no_speech_prob, 4),
                },
            )
        )

    def result(self, spans: list[Span], duration: float | None) -> MediaAnalysisResult:
        """All that was understood."""
        self._context.log.info(
            "Listened on %s with %s", self._model.model.device, self._action.model
        )
        spoken = self._language if self._words else None
        written = "en" if spoken and self._action.task == "translate" else spoken
        return MediaAnalysisResult(
            ranges=tuple(self._ranges),
            metadata={
                "language": spoken,
                "language_probability": self._language_probability if spoken else None,
                "model": self._action.model,
                "words": len(self._words),
                "speech_s": round(sum(span.end - span.start for span in spans), 3),
                "duration": None if duration is None else round(duration, 3),
                "dropped": self._dropped,
            },
            transcription=Transcription(
                provider=PROVIDER,
                text="".join(self._text).strip(),
                language=written,
                confidence=_mean_probability(self._words) if self._words else None,
                words=tuple(self._words),
                metadata={"model": self._action.model, "task": self._action.task},
            ),
        )


def _word(found: Any, piece: Piece) -> Word:
    start = min(piece.start + found.start, piece.end)
    end = min(max(piece.start + found.end, start), piece.end)
    return Word(
        text=found.word.strip(),
        start=round(start, 3),
        end=round(end, 3),
        probability=round(min(max(found.probability, 0.0), 1.0), 4),
    )


def _mean_probability(words: list[Word]) -> float:
    return round(sum(word.probability or 0.0 for word in words) / len(words), 4)
