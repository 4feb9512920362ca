"""The five actions and their configs. The work is done in modules that load FFmpeg and numpy."""

from typing import Literal, Self

from pydantic import Field, model_validator

from mediahost import (
    Analyzer,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaKind,
    MediaProcessingResult,
    Processor,
)

WITH_SOUND = frozenset({MediaKind.VIDEO, MediaKind.AUDIO})


class Loudness(Analyzer, name="audio.loudness", version=2, accepts=WITH_SOUND):
    """Measure how loud it is, by EBU R 128.

    Metadata: `integrated_lufs` (None: silent, or shorter than 0.4 s), `range_lu` (loudness range;
    None: shorter than 3 s), `true_peak_dbtp` (None: digital silence), `duration` in seconds, and
    one value per second in LUFS: `momentary_lufs` (its loudest 0.4 s) and `short_term_lufs` (the
    loudest 3 s that end in it). Below -70 LUFS, where the standard's gate is, values are None.
    """

    series: bool = Field(default=True, description="Give the loudness of every second too")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Listen to the whole file.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
        """
        from mediahost_audio.loudness import analyze  # noqa: PLC0415 - loads FFmpeg

        return analyze(media, context, series=self.series)


class Normalize(Processor, name="audio.normalize", version=2, accepts=WITH_SOUND):
    """Make a copy of the sound that is as loud as wanted, by EBU R 128.

    One gain for the whole recording, so quiet and loud stay as far apart as they were; a limiter
    only where a peak would pass the ceiling.

    Metadata: `before` and `after` (each with `integrated_lufs`, `range_lu`, `true_peak_dbtp`),
    `gain_db`, `limited` (whether peaks were held down), `target_reached` (within 0.5 LU).
    """

    target_lufs: float = Field(
        -16, ge=-50, le=-5, description="Integrated loudness of the copy, in LUFS"
    )
    ceiling_dbtp: float = Field(
        -1, ge=-9, le=0, description="True peak that the copy shall not pass, in dBTP"
    )
    format: Literal["flac", "wav", "m4a", "mp3", "opus"] = Field(
        "flac", description="Format of the copy"
    )
    kbits: int = Field(192, ge=32, le=320, description="Bit rate of m4a, mp3 and opus, in kbit/s")

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Measure, write, measure again.

        Raises:
            InvalidMedia: It has no sound, or silence only, or it can't be decoded.
        """
        from mediahost_audio.normalize import normalize  # noqa: PLC0415 - loads FFmpeg

        return normalize(self, media, context)


class Silence(Analyzer, name="audio.silence", version=2, accepts=WITH_SOUND):
    """Find where it is silent: ranges labelled `silence`.

    Silence is where the samples of all channels stay below the noise floor. Metadata: `duration`
    and `silence_s`, in seconds, `silence_ratio` (0 to 1), `silence_ranges` (how many).
    """

    noise_db: float = Field(
        -50, ge=-120, lt=0, description="What is below is silence, in dB of full scale"
    )
    min_s: float = Field(0.5, gt=0, le=3600, description="Shorter silences don't count, in seconds")

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Listen to the whole file.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
        """
        from mediahost_audio.silence import analyze  # noqa: PLC0415 - loads FFmpeg and numpy

        return analyze(media, context, noise_db=self.noise_db, min_s=self.min_s)


class Chapters(Analyzer, name="audio.chapters", version=2, accepts=WITH_SOUND):
    """Find chapters: ranges labelled `chapter`, cut where it is silent for long.

    The longest pauses are taken first; a chapter begins where sound comes back. Payload: `title`,
    such as Chapter 2. Metadata: `duration` in seconds, `chapters` (how many).
    """

    noise_db: float = Field(
        -45, ge=-120, lt=0, description="What is below is silence, in dB of full scale"
    )
    pause_s: float = Field(
        1.5,
        gt=0,
        le=3600,
        description="Only a silence as long as this may end a chapter, in seconds",
    )
    min_s: float = Field(
        60, ge=1, le=36_000, description="No chapter is shorter than this, in seconds"
    )

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Listen to the whole file.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
        """
        from mediahost_audio.chapters import analyze  # noqa: PLC0415 - loads FFmpeg and numpy

        return analyze(
            media, context, noise_db=self.noise_db, pause_s=self.pause_s, min_s=self.min_s
        )


class Beats(Analyzer, name="audio.beats", version=2, accepts=WITH_SOUND):
    """Find the beats of music: ranges labelled `beat`, each up to the next one, and the tempo.

    One tempo is taken for the whole file; beats follow it where it sways a little. Metadata:
    `tempo_bpm` in beats per minute (None: there is no rhythm), `tempo_confidence` (0 to 1: how
    regularly sound comes back after each beat), `beats` (how many), `duration` in seconds.
    """

    min_bpm: float = Field(60, ge=30, le=200, description="Slowest tempo, in beats per minute")
    max_bpm: float = Field(200, ge=60, le=300, description="Fastest tempo, in beats per minute")

    @model_validator(mode="after")
    def _the_bounds_are_in_order(self) -> Self:
        if self.min_bpm >= self.max_bpm:
            raise ValueError(
                f"min_bpm ({self.min_bpm:g}) must be less than max_bpm ({self.max_bpm:g})"
            )
        return self

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Listen to the whole file.

        Raises:
            InvalidMedia: It has no sound, or it can't be decoded.
        """
        from mediahost_audio.beats import analyze  # noqa: PLC0415 - loads FFmpeg and numpy

        return analyze(media, context, slowest=self.min_bpm, fastest=self.max_bpm)
