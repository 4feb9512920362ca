"""What a film's first frame says of how its picture is to be shown."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorTrc
from av.video.stream import VideoStream

from mediahost_av.upright import orientation_of, pixel_aspect

# ITU-T H.273 gives the numbers, FFmpeg the words.
UNKNOWN = 2
MATRICES = {
    0: "rgb",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}
RANGES = {1: "limited", 2: "full"}


def picture_facts(stream: VideoStream, frame: VideoFrame) -> dict[str, Any]:
    """Sizes in square pixels, the shape of a pixel, interlacing and colours.

    See `mediahost_av.probe.probe` for the keys.
    """
    aspect = pixel_aspect(stream)
    stored = max(round(frame.width * aspect), 1), frame.height
    width, height = orientation_of(frame).size(*stored)
    colors = {
        "color_primaries": _word(ColorPrimaries, int(frame.color_primaries)),
        "color_transfer": _word(ColorTrc, int(frame.color_trc)),
        "color_matrix": MATRICES.get(int(frame.colorspace)),
        "color_range": RANGES.get(int(frame.color_range)),
    }
    return {
        "display_width": width,
        "display_height": height,
        "pixel_aspect": f"{aspect.numerator}:{aspect.denominator}",
        "interlaced": bool(frame.interlaced_frame),
        **{name: word for name, word in colors.items() if word is not None},
    }


def _word(words: type[IntEnum], number: int) -> str | None:
    known: Mapping[int, str] = {word.value: word.name.lower() for word in words}
    return known.get(number) if number != UNKNOWN else None
