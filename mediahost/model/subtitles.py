"""Subtitles as text: SubRip, WebVTT and Advanced SubStation Alpha."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

SubtitleFormat = Literal["srt", "vtt", "ass"]

_ASS_HEADER = """\
[Script Info]
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720
WrapStyle: 2
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,44,&H00FFFFFF,&H000000FF,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,2.5,1,2,60,60,40,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_CONTROLS = re.compile(r"[\0-\x1f\x7f-\x9f]")
# Braces begin commands and a backslash too; there is no way to write them as they are.
_ASS_LOOKALIKES = str.maketrans({"{": "(", "}": ")", "\\": "⧵"})  # noqa: RUF001 - on purpose


class Cue(NamedTuple):
    """A subtitle: its lines, and when it is shown, in seconds."""

    start: float
    end: float
    lines: tuple[str, ...]

    @property
    def chars_per_s(self) -> float:
        """How fast one has to read it."""
        return sum(map(len, self.lines)) / max(self.end - self.start, 0.001)


def subtitles_as(name: SubtitleFormat, cues: Sequence[Cue]) -> str:
    """The text of a file of subtitles.

    Args:
        name: Its format.
        cues: In the order of time. What would end a line or a subtitle is left out of their lines.
    """
    return _FORMATS[name](cues)


def _srt(cues: Sequence[Cue]) -> str:
    return "\n".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{_plain(cue)}\n"
        for number, cue in enumerate(cues, 1)
    )


def _vtt(cues: Sequence[Cue]) -> str:
    blocks = [
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_escaped(_plain(cue))}\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def _ass(cues: Sequence[Cue]) -> str:
    """Version 4+."""
    return _ASS_HEADER + "".join(
        f"Dialogue: 0,{_centiseconds(cue.start)},{_centiseconds(cue.end)},Default,,0,0,0,,"
        + "\\N".join(_plain_line(line).translate(_ASS_LOOKALIKES) for line in cue.lines)
        + "\n"
        for cue in cues
    )


_FORMATS: dict[SubtitleFormat, Callable[[Sequence[Cue]], str]] = {
    "srt": _srt,
    "vtt": _vtt,
    "ass": _ass,
}


def _plain(cue: Cue) -> str:
    return "\n".join(map(_plain_line, cue.lines))


def _plain_line(line: str) -> str:
    """Without what would end a line or a subtitle, or steer a terminal."""
    return _CONTROLS.sub("", " ".join(line.split())).replace("-->", "→")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, comma: str) -> str:
    """As 01:02:03,456."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}{comma}{milliseconds % 1000:03}"


def _centiseconds(seconds: float) -> str:
    """As 1:02:03.45."""
    minutes, centiseconds = divmod(round(seconds * 100), 6_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{centiseconds // 100:02}.{centiseconds % 100:02}"
