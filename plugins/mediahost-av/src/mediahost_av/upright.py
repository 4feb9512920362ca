"""Frames as they are to be watched: upright, with square pixels, scaled into bounds."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, cast

from av.audio.frame import AudioFrame
from av.filter import Graph
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mediahost import Orientation

SQUARE = Fraction(1)
MAX_ASPECT = 8
MAX_SIDE = 16_384  # pixels; more than any codec here takes
AS_STORED = Orientation()
TURNS = {
    0: AS_STORED,
    90: Orientation(transposed=True, flipped_down=True),
    180: Orientation(flipped_across=True, flipped_down=True),
    270: Orientation(transposed=True, flipped_across=True),
}
DISPLAY_MATRIX = "DISPLAYMATRIX"  # FFmpeg's name for what comes with a frame


class Bounds(NamedTuple):
    """The largest picture that is wanted, in pixels; None: any."""

    width: int | None = None
    height: int | None = None


ANY_SIZE = Bounds()


class Upright:
    """Makes all frames of a stream upright, of the same size and pixel format.

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
        self._shape: tuple[int, int, str, Orientation] | None = None
        self._graph: Graph | None = None
        self._size: tuple[int, int] | None = None

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it is to be watched; the first one decides on the size of all."""
        shape = (frame.width, frame.height, frame.format.name, orientation_of(frame))
        if shape != self._shape:
            self._graph = self._graph_for(frame)
            self._shape = shape
        if self._graph is None:
            return frame
        self._graph.push(frame)
        return self._graph.vpull()

    def _graph_for(self, frame: VideoFrame) -> Graph | None:
        orientation = orientation_of(frame)
        if self._size is None:
            self._size = fitted(*upright_size(frame, self._aspect), self._bounds)
        as_wanted = (*self._size, self._pixel_format)
        if orientation == AS_STORED and (frame.width, frame.height, frame.format.name) == as_wanted:
            return None
        graph = Graph()
        graph.threads = self._threads  # as the decoder; by default as many as there are cores
        nodes = [
            graph.add(
                "buffer",
                f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
                f":time_base=1/1000:colorspace={frame.colorspace}:range={frame.color_range}",
            ),
            *(graph.add(name, options) for name, options in _filters(orientation)),
            graph.add("scale", f"{self._size[0]}:{self._size[1]}:flags=bicubic"),
            graph.add("format", self._pixel_format),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph


def orientation_of(frame: VideoFrame) -> Orientation:
    """How the frame is to be shown; as it is stored where its display matrix is no orientation."""
    return _orientation_or_none(frame) or AS_STORED


def display_doubt(frame: VideoFrame | AudioFrame) -> list[str]:
    """One sentence if the display matrix is no orientation, so that it is left out of account."""
    if not isinstance(frame, VideoFrame) or _orientation_or_none(frame) is not None:
        return []
    return ["Its display matrix is no orientation and is ignored"]


def _orientation_or_none(frame: VideoFrame) -> Orientation | None:
    try:
        found = cast("SideData | None", frame.side_data.get(DISPLAY_MATRIX))
    except ValueError:
        # PyAV gives none of what comes with a frame if it has no name for some of it, such as a
        # photograph's EXIF. It still tells the angle.
        return TURNS.get(frame.rotation % 360)
    return AS_STORED if found is None else Orientation.of_matrix(bytes(found))


def _filters(orientation: Orientation) -> Iterator[tuple[str, str | None]]:
    """FFmpeg's filters that make a stored frame upright."""
    if orientation.transposed:
        yield "transpose", "cclock_flip"
    if orientation.flipped_across:
        yield "hflip", None
    if orientation.flipped_down:
        yield "vflip", None


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Width of a pixel by its height; square where the header makes no sense."""
    aspect = stream.sample_aspect_ratio or SQUARE
    return aspect if Fraction(1, MAX_ASPECT) <= aspect <= MAX_ASPECT else SQUARE


def upright_size(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Width and height in square pixels, as the film is to be watched."""
    return orientation_of(frame).size(max(round(frame.width * aspect), 1), frame.height)


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
