"""A stretch of time out of a film or a recording."""

from typing import Any

from av.stream import Stream

from mediahost import Context, MediaFile, MediaProcessingResult
from mediahost_av.actions import ExtractSegment
from mediahost_av.container import Source, decoder_of, ends_before
from mediahost_av.copy import Copy
from mediahost_av.cut import copy_from, cut_before
from mediahost_av.flac import set_length
from mediahost_av.formats import FORMATS, AudioCodecName, FormatName, VideoCodecName
from mediahost_av.output import Output, named_after
from mediahost_av.picture import PictureConfig
from mediahost_av.probe import short_name
from mediahost_av.recipe import Recipe, artifact, cook, tags_of_the_work
from mediahost_av.sound import SoundConfig
from mediahost_av.window import Window

SAME_FORMAT: dict[str, FormatName] = {
    "matroska": "mkv",
    "mp3": "mp3",
    "flac": "flac",
    "wav": "wav",
    "ogg": "ogg",
}
SAME_VIDEO: dict[str, VideoCodecName] = {"h264": "h264", "hevc": "h265", "vp9": "vp9", "av1": "av1"}
SAME_AUDIO: dict[str, AudioCodecName] = {"aac": "aac", "mp3": "mp3", "opus": "opus", "flac": "flac"}


def extract_segment(
    action: ExtractSegment, media: MediaFile, context: Context
) -> MediaProcessingResult:
    """Write the segment.

    Keys of the result's metadata: `mode`; `start` and `end`, where the segment really begins and
    ends in the source, in seconds; `offset`, how many seconds into the segment the start that was
    asked for is, 0 for an exact cut; and those of `mediahost_av.recipe.cook`.

    Raises:
        InvalidMedia: The source can't be read, ends before the segment starts, or can't be copied
            into the format.
    """
    with Source(media.path, context.threads) as source:
        duration = source.duration
        if duration is not None and action.start >= duration:
            raise ends_before(media.path, duration, action.start)
        format_name = action.format or _format_of(source)
        if action.mode == "fast":
            return _copied(action, format_name, source, context)
        result = cook(_recipe(action, format_name, source), source, context)
    facts = {"mode": "exact", "start": action.start, "offset": 0.0}
    return result.model_copy(update={"metadata": {**result.metadata, **facts}})


def _format_of(source: Source) -> FormatName:
    name = short_name(source.container.format.name)
    if name == "mp4":
        return "mp4" if source.picture() else "m4a"
    if name == "matroska" and source.path.suffix.lower() == ".webm":
        return "webm"
    return SAME_FORMAT.get(name, "mkv")


def _recipe(action: ExtractSegment, format_name: FormatName, source: Source) -> Recipe:
    """The source's own codecs, as far as they can be written into the format."""
    written = FORMATS[format_name]
    until = action.until
    video = SAME_VIDEO.get(_codec_of(source.picture()))
    sound_codec = _codec_of(source.sound())
    audio = "pcm" if sound_codec.startswith("pcm_") else SAME_AUDIO.get(sound_codec)
    if video not in written.video:
        video = next(iter(written.video), None)
    if audio not in written.audio:
        audio = written.audio[0]
    return Recipe(
        format_name,
        PictureConfig(video, crf=action.crf) if video else None,
        SoundConfig(audio),
        window=Window(action.start, None if until is None else until - action.start),
    )


def _codec_of(stream: Stream | None) -> str:
    decoder = decoder_of(stream) if stream is not None else None
    return decoder.codec.canonical_name if decoder is not None else ""


def _copied(
    action: ExtractSegment, format_name: FormatName, source: Source, context: Context
) -> MediaProcessingResult:
    path = named_after(source.path, context.workdir, format_name)
    until = action.until if action.until is not None else float("inf")
    holds_pictures = bool(FORMATS[format_name].video)
    cut = cut_before(source, action.start, context, with_picture=holds_pictures)
    with Output(path, format_name, source.path) as output:
        output.keep_tags(*tags_of_the_work(source, [cut.sound] if cut.sound else []))
        copies = {stream.index: Copy(source, stream, output, cut.seconds) for stream in cut.streams}
        end = copy_from(cut, source, copies, output, context, until=until)
    if format_name == "flac" and cut.sound is not None:
        set_length(path, copies[cut.sound.index].ticks)
    metadata: dict[str, Any] = {
        "mode": "fast",
        "format": format_name,
        "start": round(cut.seconds, 6),
        "end": round(end, 6),
        "offset": round(action.start - cut.seconds, 6),
        "picture": copies[cut.picture.index].facts() if cut.picture else None,
        "sound": copies[cut.sound.index].facts() if cut.sound else None,
        "dropped_streams": len(source.container.streams) - len(cut.streams),
        "warnings": [],
    }
    context.progress(1.0, "done")
    made = artifact(path, format_name, has_picture=cut.picture is not None)
    return MediaProcessingResult(
        artifacts=(made,),
        metadata=metadata,
        completeness=source.completeness(cut.streams, end, until_s=action.until),
    )
