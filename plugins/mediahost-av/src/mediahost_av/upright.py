"""Frames as they are to be watched: turned upright, with square pixels, scaled into bounds."""

from fractions import Fraction
from typing import NamedTuple

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

SQUARE = Fraction(1)
MAX_ASPECT = 8
MAX_SIDE = 16_384  # pixels; more than any codec here takes
TURNS = {0: (), 90: ("cclock",), 180: ("cclock", "cclock"), 270: ("clock",)}


class Bounds(NamedTuple):
    """The largest picture that is wanted, in pixels; None: any."""

    width: int | None = None
    height: int | None = None


ANY_SIZE = Bounds()


class Upright:
    """Turns all frames of a stream into the same size and pixel format.

    Args:
        stream: Where the frames come from.
        bounds: They are scaled down into these, in proportion.
        pixel_format: FFmpeg's name of it.
    """

    def __init__(self, stream: VideoStream, bounds: Bounds, pixel_format: str) -> None:
        self._aspect = pixel_aspect(stream)
        self._threads = max(stream.codec_context.thread_count, 1)
        self._bounds = bounds
        self._pixel_format = pixel_format
        self._shape: tuple[int, int, str, int] | None = None
        self._graph: Graph | None = None
        self._size: tuple[int, int] | None = None

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it is to be watched; the first one decides on the size of all."""
        shape = (frame.width, frame.height, frame.format.name, frame.rotation)
        if shape != self._shape:
            self._graph = self._graph_for(frame)
            self._shape = shape
        if self._graph is None:
            return frame
        self._graph.push(frame)
        return self._graph.vpull()

    def _graph_for(self, frame: VideoFrame) -> Graph | None:
        turns = TURNS[quarter_of(frame)]
        if self._size is None:
            self._size = fitted(*upright_size(frame, self._aspect), self._bounds)
        as_wanted = (*self._size, self._pixel_format)
        if not turns and (frame.width, frame.height, frame.format.name) == as_wanted:
            return None
        graph = Graph()
        graph.threads = self._threads  # as the decoder; by default as many as there are cores
        nodes = [
            graph.add(
                "buffer",
                f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
                f":time_base=1/1000:colorspace={frame.colorspace}:range={frame.color_range}",
            ),
            *(graph.add("transpose", turn) for turn in turns),
            graph.add("scale", f"{self._size[0]}:{self._size[1]}:flags=bicubic"),
            graph.add("format", self._pixel_format),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph


def quarter_of(frame: VideoFrame) -> int:
    """By how much to turn the frame counterclockwise: 0, 90, 180 or 270 degrees."""
    return round(frame.rotation / 90) * 90 % 360


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel by its height; square where the header makes no sense."""
    aspect = stream.sample_aspect_ratio or SQUARE
    return aspect if Fraction(1, MAX_ASPECT) <= aspect <= MAX_ASPECT else SQUARE


def upright_size(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height in square pixels, as the film is to be watched."""
    width, height = max(round(frame.width * aspect), 1), frame.height
    return (height, width) if quarter_of(frame) % 180 else (width, height)


def fitted(width: int, height: int, bounds: Bounds) -> tuple[int, int]:
    """The size scaled down into the bounds, with even sides as the codecs need."""
    scale = min(
        1.0,
        (bounds.width or MAX_SIDE) / width,
        (bounds.height or MAX_SIDE) / height,
    )
    return _even(width * scale), _even(height * scale)


def _even(side: float) -> int:
    return max(int(side + 0.5) // 2 * 2, 2)
