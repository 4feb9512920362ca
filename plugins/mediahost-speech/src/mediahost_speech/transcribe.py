"""`speech.transcribe`: what is said, word by word."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Literal

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
from mediahost_speech.heap import kept_buffers
from mediahost_speech.heedful import heeding
from mediahost_speech.listening import Listener
from mediahost_speech.models import folder_of, is_path, load_whisper
from mediahost_speech.pieces import Part, Piece, heard_parts, known_parts, packed
from mediahost_speech.reading import Reader, ReadWord
from mediahost_speech.sentences import sentences
from mediahost_speech.sound import NoSound, Sound, Window

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

PROVIDER = "faster-whisper"

SURE_LANGUAGE = 0.6  # probability; below it Whisper is as often wrong as right
# What Whisper makes of noise: it doubts that there is speech, or each of its words.
_NO_SPEECH, _LEAST_PROBABILITY = 0.6, 0.2
_CHECK_EVERY = 128  # windows, that is four seconds of sound, listened to in 10 ms


class Transcribe(Analyzer, name="speech.transcribe", version=4, accepts={"audio", "video"}):
    """Write down what is said, with the time and probability of each word (Whisper).

    Only what is speech is given to the model, as `speech.vad` finds it; where a step before has
    found ranges labelled `speech`, those are taken.

    Gives a transcription, and time ranges labelled `speech` whose payload has their `text`.
    Metadata: `language`, `language_probability`, `language_is_unsure` (the probability is low),
    `model`, `words` (how many), `speech_s` (seconds that were listened to), `duration` (seconds),
    `dropped` (how many segments were left out because the model doubts that they are speech).
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
        """Listen to the whole file once; speech is read as soon as there is enough of it.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
            UsageError: The model doesn't know the language.
            ModelMissing: The model is not on this machine.
            ModelMismatch: The files of the model are not the published ones.
        """
        # Before anything else: a missing model is told at once.
        loaded = context.resource(load_whisper, self.model, context.threads)
        if is_path(self.model):
            context.log.info(
                "%s is a model of your own: its files are not checked", display(self.model)
            )
        _check_language(self.language, loaded.whisper)
        sound = Sound(media.path, context.threads)
        before = _speech_before(context)
        writing = _Writing(self, loaded.whisper, sound, context)
        try:
            with kept_buffers(), heeding(context.checkpoint):
                pieces = packed(_parts(sound, before, context))
                while batch := list(islice(pieces, loaded.batch)):
                    writing.add(batch)
        except NoSound:
            # Nobody speaks in a silent film; a recording without sound is none.
            if media.kind is not MediaKind.VIDEO:
                raise
        return writing.result(_duration(before, sound), _completeness(before, sound))


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


def _duration(before: MediaAnalysisResult | None, sound: Sound) -> float | None:
    """How long the sound is, in seconds: of known speech, only its end was read."""
    known = before.metadata.get("duration") if before is not None else sound.end
    return round(known, 3) if isinstance(known, float) and known else None


def _completeness(before: MediaAnalysisResult | None, sound: Sound) -> Completeness:
    """How whole the recording is: who looked for speech has read it to its end."""
    if before is not None:
        return before.completeness
    return sound.completeness() if sound.end else Completeness()


def _parts(sound: Sound, before: MediaAnalysisResult | None, context: Context) -> Iterator[Part]:
    """The parts of the sound where somebody speaks, found here or by a step before."""
    if before is not None:
        speech = [(one.start, one.end) for one in before.ranges if one.label == "speech"]
        return known_parts(sound.windows(), speech)
    listener = context.resource(Listener)
    return heard_parts(_heeded(listener.hear(sound.windows()), context))


def _heeded(
    heard: Iterator[tuple[Window, float]], context: Context
) -> Iterator[tuple[Window, float]]:
    for number, each in enumerate(heard):
        if number % _CHECK_EVERY == 0:
            context.checkpoint()
        yield each


class _Writing:
    """What was understood so far."""

    def __init__(
        self, action: Transcribe, model: "WhisperModel", sound: Sound, context: Context
    ) -> None:
        self._action = action
        self._sound = sound
        self._context = context
        self._device = model.model.device
        self._reader = Reader(
            model,
            language=action.language,
            task=action.task,
            beam_size=action.beam_size,
            prompt=action.prompt,
        )
        self._ranges: list[TimeRange] = []
        self._words: list[Word] = []
        self._text: list[str] = []
        self._speech_s = 0.0
        self._dropped = 0

    def add(self, pieces: list[Piece]) -> None:
        """Add the words of some pieces."""
        until = pieces[-1].end
        promised = self._sound.promised_s
        for piece, read in zip(pieces, self._reader.read(pieces), strict=True):
            self._speech_s += sum(part.seconds for part in piece.parts)
            spelled = [(_word(word, piece), word.text) for word in read.words]
            for sentence in sentences(each for each in spelled if each[0].text):
                self._take(sentence, read.no_speech)
        done = min(until / promised, 1.0) if promised else 0.0
        self._context.progress(done, f"{len(self._words)} words up to {until:.0f} s")

    def _take(self, sentence: list[tuple[Word, str]], no_speech: float) -> None:
        words = [word for word, _ in sentence]
        text = "".join(spelling for _, spelling in sentence)
        sure = _mean_probability(words)
        if no_speech > _NO_SPEECH or sure < _LEAST_PROBABILITY:
            self._dropped += 1
            return
        self._words += words
        self._text.append(text)
        self._ranges.append(
            TimeRange(
                start=words[0].start,
                end=max(word.end for word in words),
                label="speech",
                confidence=sure,
                payload={"text": text.strip(), "no_speech": round(no_speech, 4)},
            )
        )

    def result(self, duration: float | None, completeness: Completeness) -> MediaAnalysisResult:
        """All that was understood."""
        self._context.log.info("Listened on %s with %s", self._device, self._action.model)
        if self._sound.promised_s:
            self._context.progress(1.0, f"{len(self._words)} words")
        reader = self._reader
        spoken = reader.language if self._words else None
        sure = reader.language_probability or 1.0
        unsure = spoken is not None and sure < SURE_LANGUAGE
        if unsure:
            self._context.log.warning(
                "The language is a guess: %s, with a probability of %.2f; set `language`",
                spoken,
                sure,
            )
        written = "en" if spoken and self._action.task == "translate" else spoken
        return MediaAnalysisResult(
            ranges=tuple(self._ranges),
            completeness=completeness,
            metadata={
                "language": spoken,
                "language_probability": reader.language_probability if spoken else None,
                "language_is_unsure": unsure,
                "model": self._action.model,
                "words": len(self._words),
                "speech_s": round(self._speech_s, 3),
                "duration": duration,
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


def _word(read: ReadWord, piece: Piece) -> Word:
    start, end = piece.in_file(read.start, read.end)
    return Word(
        text=read.text.strip(),
        start=round(start, 3),
        end=round(end, 3),
        probability=round(min(max(read.probability, 0.0), 1.0), 4),
    )


def _mean_probability(words: list[Word]) -> float:
    return round(sum(word.probability or 0.0 for word in words) / len(words), 4)
