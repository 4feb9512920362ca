"""What Whisper reads in pieces of sound: a fixed number of them at once, words with their times."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediahost_speech.pieces import Piece
from mediahost_speech.sound import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

    Samples = np.ndarray[Any, np.dtype[np.float32]]

# What faster-whisper takes for a failure: text that is hardly likely, or that repeats itself.
# People repeat themselves too ("it was the age of ..., it was the age of ..."), but they don't
# speak so quickly: five tokens a second are usual, a model that runs in circles writes fifteen.
_UNLIKELY, _REPEATS, _TOO_QUICK = -1.0, 2.4, 8.0
# A mistake in one piece shall not lead astray in the next.
_COMMON: dict[str, Any] = {"word_timestamps": True, "condition_on_previous_text": False}


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word as the model writes it, with its spaces; times count from the piece's beginning."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Read:
    """What was read in a piece.

    Attributes:
        words: In order of time.
        no_speech: How probable it is that nobody speaks.
    """

    words: tuple[ReadWord, ...]
    no_speech: float


class Reader:
    """Reads pieces, all in one language.

    Args:
        model: Whisper.
        language: Of all pieces; None: that of the first ones.
        task: `transcribe` or `translate`.
        beam_size: How many readings are compared.
        prompt: What is likely to be said.
    """

    def __init__(
        self,
        model: "WhisperModel",
        *,
        language: str | None,
        task: str,
        beam_size: int,
        prompt: str | None,
    ) -> None:
        self._model = model
        self._options: dict[str, Any] = {
            "task": task,
            "beam_size": beam_size,
            "initial_prompt": prompt,
            **_COMMON,
        }
        self.language = language
        self.language_probability: float | None = None

    def read(self, pieces: Sequence[Piece]) -> list[Read]:
        """What is said in each piece."""
        import numpy as np  # noqa: PLC0415 - only a worker needs it

        sounds = [_sound(piece) for piece in pieces]
        clips, begins = [], []
        at = 0
        for sound in sounds:
            clips.append({"start": at / SAMPLE_RATE, "end": (at + len(sound)) / SAMPLE_RATE})
            begins.append(at / SAMPLE_RATE)
            at += len(sound)
        found = self._in_clips(np.concatenate(sounds), clips)
        return [
            self._read(segments, begin, sound)
            for segments, begin, sound in zip(found, begins, sounds, strict=True)
        ]

    def _in_clips(self, sound: "Samples", clips: "list[dict[str, float]]") -> "list[list[Segment]]":
        """The segments of each clip."""
        from faster_whisper import BatchedInferencePipeline  # noqa: PLC0415 - as above

        segments, info = BatchedInferencePipeline(self._model).transcribe(
            sound,
            language=self.language,
            clip_timestamps=clips,
            batch_size=len(clips),
            **self._options,
        )
        if self.language is None:
            self.language = info.language
            self.language_probability = round(info.language_probability, 4)
        # A segment tells its clip by where that begins, in hundredths of a second.
        per_second = self._model.frames_per_second
        seeks = [int(int(clip["start"] * SAMPLE_RATE) / SAMPLE_RATE * per_second) for clip in clips]
        found: dict[int, list[Segment]] = {seek: [] for seek in seeks}
        for segment in segments:
            found[segment.seek].append(segment)
        return [found[seek] for seek in seeks]

    def _read(self, segments: "list[Segment]", begin: float, sound: "Samples") -> Read:
        if any(_failed(segment, len(sound) / SAMPLE_RATE) for segment in segments):
            segments, begin = self._again(sound), 0.0
        return Read(
            tuple(
                ReadWord(word.word, word.start - begin, word.end - begin, word.probability)
                for segment in segments
                for word in segment.words or ()
            ),
            max((segment.no_speech_prob for segment in segments), default=1.0),
        )

    def _again(self, sound: "Samples") -> "list[Segment]":
        """Read one piece by itself, with guesses where the most likely reading is no good."""
        import ctranslate2  # noqa: PLC0415 - as above

        # The same guesses each time.
        ctranslate2.set_random_seed(0)
        segments, _ = self._model.transcribe(sound, language=self.language, **self._options)
        return list(segments)


def _failed(segment: "Segment", seconds: float) -> bool:
    too_quick = len(segment.tokens) > _TOO_QUICK * seconds
    runs_in_circles = too_quick and segment.compression_ratio > _REPEATS
    return bool(runs_in_circles or segment.avg_logprob < _UNLIKELY)


def _sound(piece: Piece) -> "Samples":
    import numpy as np  # noqa: PLC0415 - only a worker needs it

    return np.frombuffer(piece.samples, "<i2").astype(np.float32) / np.float32(32768)
