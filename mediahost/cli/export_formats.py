"""What other programs read: subtitles, labels, edit lists and timelines out of time ranges."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from typing import Any

from mediahost.model.paths import display
from mediahost.model.subtitles import Cue, SubtitleFormat, subtitles_as

MS_RATE = 1000.0
# Spreadsheets pass over blanks and invisible signs before it, and take wide signs for plain ones.
_INVISIBLE = r"[\s\0-\x1f\u200b-\u200f\u2060\ufeff]"
_FORMULA = re.compile(rf"{_INVISIBLE}*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something in a stretch of time.

    Attributes:
        start: Seconds from the beginning.
        end: Seconds from the beginning.
        label: What it is.
        text: What is said or written there; empty if it is not about words.
        action: Which action found it.
        confidence: 0 to 1, or None.
        payload: What else is known of it.
    """

    start: float
    end: float
    label: str
    text: str = ""
    action: str = ""
    confidence: float | None = None
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Label and text in one line."""
        text = display(" ".join(self.text.split()))
        label = display(" ".join(self.label.split()))
        return f"{label}: {text}" if text else label


@dataclass(frozen=True, slots=True)
class Film:
    """The media file that marks are about.

    Attributes:
        path: The file, absolute.
        duration: Its length in seconds, where it is known.
        fps: Frames a second, where it has any.
    """

    path: PurePath
    duration: float | None = None
    fps: float | None = None


def as_csv(marks: Sequence[Mark], _film: Film) -> str:
    """A table with a row for each time range, as spreadsheets read it (RFC 4180).

    A spreadsheet takes a text that begins with a sign such as = for a formula, which may send what
    is beside it elsewhere. An apostrophe before it makes it text again.
    """
    import csv
    import io

    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(["start", "end", "label", "text", "confidence", "action", "payload"])
    for mark in marks:
        sure = "" if mark.confidence is None else mark.confidence
        payload = json.dumps(mark.payload) if mark.payload else ""
        words = map(_no_formula, (mark.label, mark.text))
        table.writerow([mark.start, mark.end, *words, sure, mark.action, payload])
    return out.getvalue()


def _no_formula(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def as_subtitles(name: SubtitleFormat, marks: Sequence[Mark], _film: Film) -> str:
    """SubRip, WebVTT or Advanced SubStation Alpha, with a subtitle for each time range."""
    cues = [Cue(mark.start, mark.end, (mark.text or mark.label,)) for mark in marks]
    return subtitles_as(name, cues)


def as_audacity(marks: Sequence[Mark], _film: Film) -> str:
    """A label track for Audacity: start, end and title, with tabs between them."""
    return "".join(f"{mark.start:.6f}\t{mark.end:.6f}\t{mark.title}\n" for mark in marks)


def as_edl(marks: Sequence[Mark], film: Film) -> str:
    """A CMX 3600 edit decision list: each time range is cut out and put behind the one before."""
    fps = film.fps or 25.0
    lines = [f"TITLE: {_ascii(film.path.stem)[:70]}", "FCM: NON-DROP FRAME", ""]
    at = 0
    channel = "V" if film.fps else "A"
    for number, mark in enumerate(marks, 1):
        start, end = round(mark.start * fps), round(mark.end * fps)
        length = max(end - start, 1)
        codes = (start, start + length, at, at + length)
        times = " ".join(_timecode(frames, round(fps)) for frames in codes)
        lines.append(f"{number:03}  AX       {channel}     C        {times}")
        lines.append(f"* FROM CLIP NAME: {_ascii(film.path.name)}")
        lines.append(f"* COMMENT: {_ascii(mark.title)}")
        at += length
    return "\n".join(lines) + "\n"


def as_otio(marks: Sequence[Mark], film: Film) -> str:
    """An OpenTimelineIO timeline: the whole file as one clip, with a marker for each range."""
    rate = film.fps or MS_RATE
    length = film.duration or max((mark.end for mark in marks), default=0.0)
    whole = _otio_range(0.0, length, rate)
    clip = {
        "OTIO_SCHEMA": "Clip.1",
        "name": film.path.name,
        "source_range": whole,
        "media_reference": {
            "OTIO_SCHEMA": "ExternalReference.1",
            "target_url": film.path.as_uri(),
            "available_range": whole,
        },
        "markers": [_otio_marker(mark, rate) for mark in marks],
    }
    track = {
        "OTIO_SCHEMA": "Track.1",
        "name": film.path.stem,
        "kind": "Video" if film.fps else "Audio",
        "children": [clip],
    }
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": film.path.stem,
        "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]},
    }
    return json.dumps(timeline, indent=2) + "\n"


def _otio_marker(mark: Mark, rate: float) -> dict[str, Any]:
    about = {"action": mark.action, "confidence": mark.confidence, "payload": mark.payload}
    return {
        "OTIO_SCHEMA": "Marker.2",
        "name": mark.title,
        "color": "GREEN",
        "marked_range": _otio_range(mark.start, mark.end - mark.start, rate),
        "metadata": {"mediahost": about},
    }


def _otio_range(start: float, length: float, rate: float) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _otio_time(start, rate),
        "duration": _otio_time(length, rate),
    }


def _otio_time(seconds: float, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "value": round(seconds * rate, 6), "rate": rate}


Write = Callable[[Sequence[Mark], Film], str]
FORMATS: dict[str, Write] = {
    "csv": as_csv,
    "srt": partial(as_subtitles, "srt"),
    "vtt": partial(as_subtitles, "vtt"),
    "ass": partial(as_subtitles, "ass"),
    "audacity": as_audacity,
    "otio": as_otio,
    "edl": as_edl,
}


def _ascii(text: str) -> str:
    """As edit lists have it: ASCII that is printed, on one line."""
    return display(" ".join(text.encode("ascii", "replace").decode().split()))


def _timecode(frames: int, base: int) -> str:
    """As 01:02:03:04, which counts `base` frames a second."""
    seconds, frames = divmod(frames, base)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frames:02}"
