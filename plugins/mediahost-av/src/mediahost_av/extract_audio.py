"""The sound of a film or a recording by itself."""

from av.audio.stream import AudioStream

from mediahost import Context, InvalidMedia, MediaFile, MediaProcessingResult
from mediahost_av.actions import ExtractAudio
from mediahost_av.container import Source, decoder_of, shown
from mediahost_av.formats import FORMATS, AudioFormatName, FormatName
from mediahost_av.recipe import Recipe, cook
from mediahost_av.selection import selected
from mediahost_av.sound import SoundConfig

# Where a codec is at home, so that it can be copied there.
HOMES: dict[str, AudioFormatName] = {
    "aac": "m4a",
    "alac": "m4a",
    "flac": "flac",
    "mp3": "mp3",
    "opus": "opus",
    "vorbis": "ogg",
}
ELSEWHERE: AudioFormatName = "m4a"
UNCOMPRESSED = "pcm_"


def extract_audio(
    action: ExtractAudio, media: MediaFile, context: Context
) -> MediaProcessingResult:
    """Copy the sound without loss where the format is at home with its codec, else encode it.

    What can't be copied after all, because its times go astray, is encoded too.

    Keys of the result's metadata: `copied`, whether it was; and those of
    `mediahost_av.recipe.cook`.

    Raises:
        InvalidMedia: The source can't be read, or has no sound.
    """
    with Source(media.path, context.threads) as source:
        stream = source.sound()
        if stream is None:
            raise InvalidMedia(f"{shown(media.path)} has no sound")
        if action.sound is not None:
            sounds = source.container.streams.audio
            stream = selected(sounds, action.sound, "sound", media.path)[0]
        recipe = _recipe(action, _codec_of(stream))
        copied = recipe.sound == "copy"
        try:
            result = cook(recipe, source, context)
        except InvalidMedia as error:
            if not copied:
                raise
            context.log.warning("%s; so it is encoded anew", error.message)
            source.rewind()
            copied = False
            result = cook(_encoded(action, recipe.format), source, context)
    return result.model_copy(update={"metadata": {"copied": copied, **result.metadata}})


def _recipe(action: ExtractAudio, codec: str) -> Recipe:
    home = "wav" if codec.startswith(UNCOMPRESSED) else HOMES.get(codec, ELSEWHERE)
    format_name = action.format or home
    # Uncompressed sound loses nothing by being written anew, and it comes in many forms.
    copied = format_name == HOMES.get(codec) and not action.changes_sound
    if copied:
        return Recipe(format_name, None, "copy", needs_sound=True, sounds=action.sound, extras=True)
    return _encoded(action, format_name)


def _encoded(action: ExtractAudio, format_name: FormatName) -> Recipe:
    sound = SoundConfig(
        FORMATS[format_name].audio[0],
        action.audio_bitrate,
        action.sample_rate,
        action.channels,
    )
    return Recipe(format_name, None, sound, needs_sound=True, sounds=action.sound, extras=True)


def _codec_of(stream: AudioStream) -> str:
    decoder = decoder_of(stream)
    return decoder.codec.canonical_name if decoder is not None else ""
