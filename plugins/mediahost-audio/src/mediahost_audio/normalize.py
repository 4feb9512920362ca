"""Sound made as loud as wanted: measured, amplified, limited where need be, measured again."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mediahost import Artifact, Context, InvalidMedia, MediaFile, MediaProcessingResult
from mediahost_audio.actions import Normalize
from mediahost_audio.copy import FORMATS, Copy
from mediahost_audio.loudness import Level, measure
from mediahost_audio.sound import Form, Sound, shown

MAX_STEM = 60  # characters of up to four bytes; a name may have 255 bytes

# As near as a meter tells: the standard asks for 0.5 LU, we try again from here on.
GOOD_LU = 0.1
REACHED_LU = 0.5
# The limiter works on 4 times the samples; going back to the file's rate adds about so much.
_ROOM_DB = 0.1
# Progress when the first measurement is done, and after each time that the copy is written.
_ROUNDS = ((0.15, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 1.0))
_WRITING = 0.7  # of a round; measuring is the rest


@dataclass(frozen=True)
class Recipe:
    """What is done to each sample.

    Attributes:
        gain_db: Amplification.
        limit_dbtp: What peaks are held under; None: they need not be.
    """

    gain_db: float
    limit_dbtp: float | None = None

    def filters(self, sample_rate: int) -> list[tuple[str, str]]:
        """FFmpeg's filters for it, for sound of this rate in hertz."""
        volume = ("volume", f"volume={self.gain_db:.3f}dB:precision=double")
        if self.limit_dbtp is None:
            return [volume]
        limit = 10 ** (self.limit_dbtp / 20)
        return [
            volume,
            # True peaks are between the samples: with 4 times as many they are hardly so.
            ("aresample", f"{4 * sample_rate}"),
            ("alimiter", f"limit={limit:.6f}:attack=5:release=50:level=0:latency=1"),
            ("aresample", f"{sample_rate}"),
        ]

    def bettered(self, after: Level, config: Normalize) -> "Recipe | None":
        """What to do instead after such a copy was heard; None: it is good."""
        loudness, peak = after.integrated, after.true_peak
        missing = 0.0 if loudness is None else config.target_lufs - loudness
        over = 0.0 if peak is None else peak - config.ceiling_dbtp
        if abs(missing) <= GOOD_LU and over <= 0:
            return None
        better = replace(self, gain_db=self.gain_db + missing)
        held = self.limit_dbtp is not None or over + missing > 0
        if not held:
            return better
        limit = config.ceiling_dbtp - _ROOM_DB if self.limit_dbtp is None else self.limit_dbtp
        if self.limit_dbtp is not None and over > 0:
            limit -= over + _ROOM_DB
        return replace(better, limit_dbtp=limit)


def normalize(config: Normalize, media: MediaFile, context: Context) -> MediaProcessingResult:
    """The result of `audio.normalize`."""
    path = context.workdir / f"{media.path.stem[:MAX_STEM]}.{config.format}"
    unfinished = path.with_name(f".unfinished.{config.format}")
    heard = measure(media.path, context, 0.0, _ROUNDS[0][0])
    before = heard.level()
    if before.integrated is None:
        raise InvalidMedia(
            f"There is nothing loud enough to be measured in {shown(media.path)}",
            "It is silent, or shorter than 0.4 s.",
        )
    better: Recipe | None = _first_recipe(before, config)
    for begin, end in _ROUNDS:
        if better is None:
            break
        recipe, written = better, begin + (end - begin) * _WRITING
        sound = Sound(media.path, context.threads)
        for done in _write(sound, unfinished, recipe, config):
            context.progress(begin + done * (written - begin), f"Wrote {sound.end_s:.0f} s")
        after = measure(unfinished, context, written, end - written).level()
        better = recipe.bettered(after, config)
    unfinished.replace(path)
    context.progress(1.0, "Done")
    result = _result(path, before, after, recipe, config)
    return result.model_copy(update={"completeness": heard.completeness})


def _first_recipe(before: Level, config: Normalize) -> Recipe:
    gain = config.target_lufs - (before.integrated or 0.0)
    peak = before.true_peak
    if peak is None or peak + gain <= config.ceiling_dbtp:
        return Recipe(gain)
    return Recipe(gain, config.ceiling_dbtp - _ROOM_DB)


def _write(sound: Sound, target: Path, recipe: Recipe, config: Normalize) -> Iterator[float]:
    """Write the copy, and say after each frame how much is done, 0 to 1."""
    copy: Copy | None = None
    form = Form("dbl", most_channels=FORMATS[config.format].most_channels)
    try:
        for frame in sound.frames(form):
            if copy is None:
                copy = Copy(
                    target, config.format, first=frame, sound=sound, bit_rate=config.kbits * 1000
                )
                copy.filter(recipe.filters(frame.sample_rate))
            copy.take(frame)
            yield sound.share()
        if copy is not None:
            copy.finish()
    finally:
        if copy is not None:
            copy.close()


def _result(
    path: Path, before: Level, after: Level, recipe: Recipe, config: Normalize
) -> MediaProcessingResult:
    reached = (
        after.integrated is not None and abs(after.integrated - config.target_lufs) <= REACHED_LU
    )
    return MediaProcessingResult(
        artifacts=(Artifact(path=Path(path.name), asset_type="audio"),),
        metadata={
            "before": before.facts(),
            "after": after.facts(),
            "gain_db": round(recipe.gain_db, 2),
            "limited": recipe.limit_dbtp is not None,
            "target_reached": reached,
        },
    )
