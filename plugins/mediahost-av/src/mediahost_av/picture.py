"""The picture of a new file: upright, in its place in time, and encoded."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from mediahost_av.container import Source, time_base_of
from mediahost_av.formats import VIDEO_CODECS, Effort, VideoCodecName
from mediahost_av.output import Output, unwritable
from mediahost_av.upright import ANY_SIZE, SQUARE, Bounds, Upright
from mediahost_av.window import Window

PIXEL_FORMAT = "yuv420p"  # what every player shows
# A frame is as good as at the cut if it is off by no more: Matroska counts in milliseconds.
TOLERANCE_S = 0.001
USUAL_RATE = Fraction(25)
# Of pictures of a few macroblocks x264's macroblock tree reads what it has not written: the same
# 64 x 36 pixels gave other bytes in 4 of 50 encodings. At 320 x 180 they never did.
TREE_PX = 128
MAX_RATE = 1000


@dataclass(frozen=True, slots=True)
class PictureConfig:
    """How a picture is encoded.

    Attributes:
        codec: Which codec.
        effort: How long it searches for a smaller file.
        crf: Quality, lower is better; None: the codec's own.
        kbits: Bit rate in kbit/s instead of crf, or None.
        bounds: The largest picture that is wanted.
    """

    codec: VideoCodecName
    effort: Effort = "balanced"
    crf: int | None = None
    kbits: int | None = None
    bounds: Bounds = ANY_SIZE


class Picture:
    """Takes the frames of one stream of the source, gives packets for the new file.

    Args:
        source: Where the frames come from.
        stream: Which of its streams.
        sample: The stream's first frame: size, rotation and colours are known by it alone.
        output: Where the packets go.
        config: How they are encoded.
        window: What part of the source is wanted.
        threads: For the encoder.

    Attributes:
        count: How many frames were encoded so far.

    Raises:
        InvalidMedia: No encoder takes such frames.
    """

    def __init__(
        self,
        source: Source,
        stream: VideoStream,
        sample: VideoFrame,
        output: Output,
        *,
        config: PictureConfig,
        window: Window,
        threads: int,
    ) -> None:
        self.count = 0
        self._source = source
        self._window = window
        self._base = time_base_of(stream)
        self._start = source.origin_in(stream) + round(window.start / self._base)
        self._step = round(1 / (_rate_of(stream) * self._base))
        self._config = config
        self._upright = Upright(stream, config.bounds, PIXEL_FORMAT)
        self._held: VideoFrame | None = None
        self._next = source.origin_in(stream)
        self._last = -1
        with source.blamed():
            first = self._upright.apply(sample)
        self._size = (first.width, first.height)
        try:
            self._stream = self._added(output, first, stream, threads)
        except (UnknownCodecError, ValueError, OSError) as error:
            raise unwritable(source.path, config.codec, error) from error

    def take(self, frame: VideoFrame) -> Iterator[Any]:
        """The packets that are ready with this frame."""
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is None:
            ticks = self._next
        self._next = ticks + (frame.duration or self._step)
        frame.pts = ticks = ticks - self._start
        seconds = float(ticks * self._base)
        if seconds < -TOLERANCE_S:
            self._held = frame
            return
        if self._window.length is not None and seconds >= self._window.length - TOLERANCE_S:
            return
        if seconds > TOLERANCE_S:
            yield from self._release()
        self._held = None
        yield from self._encode(frame, max(ticks, 0))

    def finish(self) -> Iterator[Any]:
        """The packets that were still being worked on."""
        yield from self._release()
        yield from self._packets(None)

    def facts(self) -> dict[str, Any]:
        """Codec, width and height in pixels, number of frames."""
        return {
            "codec": self._config.codec,
            "width": self._size[0],
            "height": self._size[1],
            "frames": self.count,
        }

    def _release(self) -> Iterator[Any]:
        """The frame that was on view when the window opened, if it still was."""
        held, self._held = self._held, None
        if held is None or held.pts is None:
            return
        left = held.pts + (held.duration or self._step)
        if left > 0:
            held.duration = left
            yield from self._encode(held, 0)

    def _encode(self, frame: VideoFrame, ticks: int) -> Iterator[Any]:
        if ticks <= self._last:
            return
        self._last = ticks
        duration = frame.duration or self._step
        if self._window.length is not None:
            duration = min(duration, round(self._window.length / self._base) - ticks)
        with self._source.blamed():
            upright = self._upright.apply(frame)
        upright.pts = ticks
        upright.duration = max(duration, 1)
        upright.time_base = self._base
        # Which frames are keyframes is for the encoder to say, not for the source.
        upright.pict_type = PictureType.NONE
        self.count += 1
        yield from self._packets(upright)

    def _packets(self, frame: VideoFrame | None) -> Iterator[Any]:
        # One at a time: at the end an encoder may still have seconds of work before it.
        for packet in self._stream.codec_context.encode_lazy(frame):
            packet.stream = self._stream
            yield packet

    def _added(
        self, output: Output, first: VideoFrame, stream: VideoStream, threads: int
    ) -> VideoStream:
        codec = VIDEO_CODECS[self._config.codec]
        options = _options(self._config, threads, self._size)
        added = cast(
            "VideoStream",
            output.container.add_stream(codec.encoder, rate=_rate_of(stream), options=options),
        )
        encoder = added.codec_context
        encoder.width, encoder.height = first.width, first.height
        encoder.pix_fmt = PIXEL_FORMAT
        encoder.time_base = added.time_base = self._base
        encoder.thread_count = threads
        encoder.bit_rate = (self._config.kbits or 0) * 1000
        encoder.sample_aspect_ratio = SQUARE
        encoder.color_range = first.color_range
        encoder.colorspace = first.colorspace
        encoder.color_primaries = first.color_primaries
        encoder.color_trc = first.color_trc
        encoder.flags |= Flags.frame_duration | Flags.bitexact
        if self._config.codec == "h265" and output.path.suffix == ".mp4":
            encoder.codec_tag = "hvc1"  # the only tag that Apple's players know
        output.describe(added, stream)
        # SVT-AV1 writes to stderr past FFmpeg's log.
        os.environ.setdefault("SVT_LOG", "0")
        encoder.open()
        return added


def _options(config: PictureConfig, threads: int, size: tuple[int, int]) -> dict[str, str]:
    codec = VIDEO_CODECS[config.codec]
    options = codec.options | codec.efforts[config.effort]
    if config.kbits is None:
        options["crf"] = str(codec.crf if config.crf is None else config.crf)
    if config.codec == "h264" and min(size) < TREE_PX:
        options["mbtree"] = "0"
    if config.codec == "h265":
        options["x265-params"] += f":pools={threads}"
    return options


def _rate_of(stream: VideoStream) -> Fraction:
    """Frames per second, as far as the header makes sense."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= MAX_RATE:
            return rate
    return USUAL_RATE
