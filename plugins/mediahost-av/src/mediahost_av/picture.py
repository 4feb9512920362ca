"""The picture of a new file: turned upright, scaled and encoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.codec.context import Flags
from av.filter import Graph
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from mediahost_av.container import Source, time_base_of
from mediahost_av.formats import VIDEO_CODECS, Effort, VideoCodecName
from mediahost_av.output import Output
from mediahost_av.window import Window

PIXEL_FORMAT = "yuv420p"  # what every player shows
SQUARE = Fraction(1)
MAX_ASPECT = 8
# A frame is as good as at the cut if it is off by no more: Matroska counts in milliseconds.
TOLERANCE_S = 0.001
TURNS = {0: (), 90: ("cclock",), 180: ("cclock", "cclock"), 270: ("clock",)}


@dataclass(frozen=True, slots=True)
class PictureConfig:
    """How a picture is encoded.

    Attributes:
        codec: Which codec.
        effort: How long it searches for a smaller file.
        crf: Quality, lower is better; None: the codec's own.
        kbits: Bit rate in kbit/s instead of crf, or None.
        max_width: In pixels, or None.
        max_height: In pixels, or None.
    """

    codec: VideoCodecName
    effort: Effort = "balanced"
    crf: int | None = None
    kbits: int | None = None
    max_width: int | None = None
    max_height: int | None = None


class Picture:
    """Takes the frames of one stream of the source, gives packets for the new file.

    Args:
        source: Where the frames come from.
        stream: Which of its streams.
        sample: The stream's first frame: size, rotation and colours are known by it alone.
        window: What part of the source is wanted.
        config: How it is encoded.
        output: Where it goes.
        threads: For the encoder.
    """

    def __init__(
        self,
        source: Source,
        stream: VideoStream,
        sample: VideoFrame,
        window: Window,
        config: PictureConfig,
        output: Output,
        threads: int,
    ) -> None:
        self._source = source
        self._window = window
        self._base = time_base_of(stream)
        self._shift = source.origin_in(stream) + round(window.start / self._base)
        self._config = config
        self._upright = _Upright(pixel_aspect(stream), config)
        self._held: VideoFrame | None = None
        self._last: int | None = None
        self.count = 0
        first = self._upright.apply(sample)
        self._stream = self._encoder(output, first, stream, threads)
        self._size = (first.width, first.height)

    def take(self, frame: VideoFrame) -> Iterator[Any]:
        """The packets that are ready with this frame."""
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is None:
            ticks = self._shift + (0 if self._last is None else self._last + 1)
        ticks -= self._shift
        seconds = float(ticks * self._base)
        if self._window.length is not None and seconds >= self._window.length - TOLERANCE_S:
            return
        frame.pts = ticks
        if seconds < -TOLERANCE_S:
            self._held = frame
            return
        if seconds > TOLERANCE_S:
            yield from self._release()
        self._held = None
        frame.pts = max(ticks, 0)
        yield from self._encode(frame)

    def finish(self) -> Iterator[Any]:
        """The packets that were still being worked on."""
        yield from self._release()
        yield from self._packets(None)

    def _packets(self, frame: VideoFrame | None) -> Iterator[Any]:
        # One at a time: at the end an encoder may still have seconds of work before it.
        for packet in self._stream.codec_context.encode_lazy(frame):
            packet.stream = self._stream
            yield packet

    def facts(self) -> dict[str, Any]:
        """Codec, width and height in pixels, number of frames."""
        return {
            "codec": self._config.codec,
            "width": self._size[0],
            "height": self._size[1],
            "frames": self.count,
        }

    def _release(self) -> Iterator[Any]:
        """The frame that was on view when the window opened."""
        held, self._held = self._held, None
        if held is not None and held.pts is not None:
            held.pts = 0
            yield from self._encode(held)

    def _encode(self, frame: VideoFrame) -> Iterator[Any]:
        ticks, duration = frame.pts, frame.duration
        if self._last is not None and ticks is not None and ticks <= self._last:
            return
        self._last = ticks
        upright = self._upright.apply(frame)
        upright.pts = ticks
        upright.duration = duration
        upright.time_base = self._base
        # Which frames are keyframes is for the encoder to say, not for the source.
        upright.pict_type = PictureType.NONE
        self.count += 1
        yield from self._packets(upright)

    def _encoder(
        self, output: Output, first: VideoFrame, stream: VideoStream, threads: int
    ) -> VideoStream:
        codec = VIDEO_CODECS[self._config.codec]
        options = codec.options | codec.efforts[self._config.effort]
        if self._config.kbits is None:
            options["crf"] = str(codec.crf if self._config.crf is None else self._config.crf)
        if self._config.codec == "h265" and threads:
            options["x265-params"] += f":pools={threads}"
        rate = stream.average_rate or stream.guessed_rate or 25
        added = output.container.add_stream(codec.encoder, rate=rate, options=options)
        encoder = added.codec_context
        encoder.width, encoder.height = first.width, first.height
        encoder.pix_fmt = PIXEL_FORMAT
        encoder.time_base = self._base
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
        added.time_base = self._base
        if stream.language:
            added.metadata["language"] = stream.language
        return added


class _Upright:
    """Turns frames upright, makes their pixels square and scales them into the bounds."""

    def __init__(self, aspect: Fraction, config: PictureConfig) -> None:
        self._aspect = aspect
        self._config = config
        self._shape: tuple[Any, ...] | None = None
        self._graph: Graph | None = None
        self._size: tuple[int, int] | None = None

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it is to be encoded; all are of the size of the first."""
        shape = (frame.width, frame.height, frame.format.name, frame.rotation)
        if shape != self._shape:
            self._shape = shape
            self._graph = self._graph_for(frame)
        if self._graph is None:
            return frame
        self._graph.push(frame)
        return self._graph.vpull()

    def _graph_for(self, frame: VideoFrame) -> Graph | None:
        quarter = round(frame.rotation / 90) * 90 % 360
        if self._size is None:
            self._size = fitted(*upright_size(frame, self._aspect), self._config)
        turned = bool(TURNS[quarter])
        same = (frame.width, frame.height) == self._size and frame.format.name == PIXEL_FORMAT
        if same and not turned:
            return None
        graph = Graph()
        nodes = [
            graph.add(
                "buffer",
                f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
                f":time_base=1/1000:colorspace={frame.colorspace}:range={frame.color_range}",
            ),
            *(graph.add("transpose", turn) for turn in TURNS[quarter]),
            graph.add("scale", f"{self._size[0]}:{self._size[1]}:flags=bicubic"),
            graph.add("format", PIXEL_FORMAT),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel by its height; square where the header makes no sense."""
    aspect = stream.sample_aspect_ratio or SQUARE
    return aspect if 1 / MAX_ASPECT <= aspect <= MAX_ASPECT else SQUARE


def upright_size(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height in square pixels, as the film is to be watched."""
    width, height = max(round(frame.width * aspect), 1), frame.height
    return (height, width) if round(frame.rotation / 90) % 2 else (width, height)


def fitted(width: int, height: int, config: PictureConfig) -> tuple[int, int]:
    """The size scaled down into the bounds, with even sides as the codecs need."""
    scale = min(
        1.0,
        (config.max_width or width) / width,
        (config.max_height or height) / height,
    )
    return max(int(width * scale) // 2 * 2, 2), max(int(height * scale) // 2 * 2, 2)
