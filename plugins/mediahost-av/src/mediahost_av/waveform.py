"""The sound of a film or a recording drawn as a picture."""

from collections.abc import Iterator, Sequence

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from PIL import Image, ImageColor

from mediahost import Artifact, Context, InvalidMedia, MediaFile, MediaProcessingResult
from mediahost_av.container import Source, shown
from mediahost_av.envelope import Envelope, Floats
from mediahost_av.output import named_after
from mediahost_av.sketches import Waveform
from mediahost_av.transcode import demand_half, nothing_decodable

GAP_S = 0.05  # containers round timestamps and encoders pad: less is no gap
LONGEST_GAP_S = 600.0  # a timestamp that leaps further is damage, if the header promises less
TRANSPARENT = "transparent"
# All channels in one plane: the planes of PyAV are wrong pointers where there are 8 or more.
PACKED = "flt"


def waveform(action: Waveform, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Draw the waveform.

    Keys of the result's metadata: `duration` of the sound in seconds; `peak`, how far it swings,
    1 being full scale; `width` and `height` in pixels.

    Raises:
        InvalidMedia: The file has no sound, or it can't be decoded.
    """
    envelope = Envelope()
    rate = 1
    with Source(media.path, context.threads) as source:
        stream = source.sound()
        if stream is None:
            raise InvalidMedia(f"{shown(media.path)} has no sound")
        for samples, rate in _pieces(source, stream):
            envelope.take(samples)
            done = envelope.samples / rate
            context.progress(done / source.duration if source.duration else 0.0, "listening")
        if not envelope.samples:
            raise nothing_decodable(source, [stream])
        demand_half(source)
        completeness = source.completeness([stream], envelope.samples / rate)
    low, high = envelope.columns(action.width)
    peak = float(max(-low.min(), high.max()))
    path = named_after(media.path, context.workdir, action.format)
    _drawn(action, low, high, peak).save(path, action.format)
    context.progress(1.0, "done")
    return MediaProcessingResult(
        artifacts=(Artifact(path=path, asset_type="waveform", mime_type=f"image/{action.format}"),),
        metadata={
            "duration": round(envelope.samples / rate, 3),
            "peak": round(peak, 4),
            "width": action.width,
            "height": action.height,
        },
        completeness=completeness,
    )


def _pieces(source: Source, stream: AudioStream) -> Iterator[tuple[Sequence[Floats], int]]:
    """Samples of each channel and their rate in hertz; gaps in the timestamps are silence."""
    resampler: av.AudioResampler | None = None
    shape: tuple[str, str, int] | None = None
    rate, taken = 0, 0
    latest = source.duration or LONGEST_GAP_S
    for packet in source.packets(stream):
        for frame in source.frames(packet):
            if shape != (frame.format.name, frame.layout.name, frame.sample_rate):
                shape = (frame.format.name, frame.layout.name, frame.sample_rate)
                rate = rate or frame.sample_rate
                resampler = av.AudioResampler(PACKED, frame.layout.name, rate)
            missing = _missing_s(source, stream, frame, taken / rate)
            if missing > GAP_S and taken / rate + missing <= latest:
                for silence in _silence(round(missing * rate), rate):
                    taken += silence.size
                    yield [silence], rate
            frame.pts = None  # the resampler must not know of gaps
            with source.blamed():
                made = resampler.resample(frame) if resampler else []
            for piece in made:
                taken += piece.samples
                yield _channels(piece), rate


def _missing_s(source: Source, stream: AudioStream, frame: AudioFrame, taken_s: float) -> float:
    return source.seconds(stream, frame.pts) - taken_s if frame.pts is not None else 0.0


def _silence(count: int, rate: int) -> Iterator[Floats]:
    while count > 0:
        piece = min(count, rate)
        count -= piece
        yield np.zeros(piece, np.float32)


def _channels(frame: AudioFrame) -> Sequence[Floats]:
    """The samples of each channel of a packed frame."""
    channels = frame.layout.nb_channels
    samples = np.frombuffer(memoryview(frame.planes[0]), np.float32, frame.samples * channels)
    return [*samples.reshape(-1, channels).T]


def _drawn(action: Waveform, low: Floats, high: Floats, peak: float) -> Image.Image:
    """A bar for each column, from its lowest to its highest sample, at least a pixel."""
    loudest = peak if action.fill and peak > 0 else 1.0
    middle = (action.height - 1) / 2
    top = np.rint(middle - np.clip(high / loudest, -1, 1) * middle)
    bottom = np.rint(middle - np.clip(low / loudest, -1, 1) * middle)
    rows = np.arange(action.height)[:, None]
    bars = (rows >= top) & (rows <= bottom)
    palette = np.array([_rgba(action.background), _rgba(action.color)], np.uint8)
    return Image.fromarray(palette[bars.astype(int)])


def _rgba(color: str) -> tuple[int, int, int, int]:
    if color == TRANSPARENT:
        return (0, 0, 0, 0)
    red, green, blue = ImageColor.getrgb(color)[:3]
    return (red, green, blue, 255)
