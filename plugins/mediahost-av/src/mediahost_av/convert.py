"""A film or a recording in another format."""

from typing import Literal

from mediahost import Context, MediaFile, MediaProcessingResult
from mediahost_av.actions import Convert
from mediahost_av.container import Source
from mediahost_av.picture import PictureConfig
from mediahost_av.recipe import Recipe, cook
from mediahost_av.sound import SoundConfig
from mediahost_av.upright import Bounds


def convert(action: Convert, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Write the new file: the picture, and of all else what its format can hold.

    See `mediahost_av.recipe.cook` for the keys of the result's metadata.

    Raises:
        InvalidMedia: The source can't be read, or has nothing of what is to be written.
    """
    recipe = Recipe(
        action.format,
        _picture(action),
        _sound(action),
        needs_picture=action.video_codec not in (None, "none"),
        needs_sound=action.audio_codec not in (None, "none"),
        sounds=action.sounds,
        subtitles=action.subtitles,
        extras=True,
    )
    with Source(media.path, context.threads) as source:
        return cook(recipe, source, context)


def _picture(action: Convert) -> PictureConfig | Literal["copy"] | None:
    if action.video is None or action.video == "copy":
        return action.video
    return PictureConfig(
        action.video,
        action.effort,
        action.crf,
        action.video_bitrate,
        Bounds(action.max_width, action.max_height),
    )


def _sound(action: Convert) -> SoundConfig | Literal["copy"] | None:
    if action.audio is None or action.audio == "copy":
        return action.audio
    return SoundConfig(action.audio, action.audio_bitrate, action.sample_rate, action.channels)
