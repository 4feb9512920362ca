"""Figures and names as short words that fit a column."""

from datetime import datetime
from functools import cache
from pathlib import Path

from rich.cells import cell_len, set_cell_size

from mediahost.model.paths import display, url_to_path

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_BLOCKS = " ▏▎▍▌▋▊▉█"
KILO = 1024
THOUSAND = 1000


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in one unit: `5m`."""
    if moment is None:
        return ""
    return span(max(0.0, (now - moment).total_seconds()))


def span(seconds: float) -> str:
    """A duration in its largest unit: `5m`, `3d`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"


def took(milliseconds: int | None) -> str:
    """How long something took, in three digits or so."""
    if milliseconds is None:
        return ""
    if milliseconds < THOUSAND:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} m" if hours else f"{minutes} m {seconds:02} s"


def clock(seconds: float, *, tenths: bool = True) -> str:
    """A place in a recording: `01:02:03.4`."""
    whole = round(seconds * 10) if tenths else round(seconds) * 10
    minutes, tenth = divmod(whole, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02}:{tenth // 10:02}"
    if hours:
        text = f"{hours}:{text}"
    return f"{text}.{tenth % 10}" if tenths else text


def count(number: int) -> str:
    """A number that fits five cells: `98k`."""
    if number < 10_000:  # noqa: PLR2004 - four digits and a comma
        return f"{number:,}"
    if number < THOUSAND * THOUSAND:
        return f"{number // THOUSAND}k"
    return f"{number / THOUSAND / THOUSAND:.1f}M"


def size(octets: int | None) -> str:
    """Bytes in binary units."""
    if octets is None:
        return ""
    amount = float(octets)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < KILO:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= KILO
    return f"{amount:.1f} TiB"


def fit(text: str, width: int) -> str:
    """Text in exactly so many cells, cut at its end."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width)


def fit_end(text: str, width: int) -> str:
    """Text in exactly so many cells, cut at its beginning: of a path the end tells most."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    tail = text[-width:]
    while cell_len(tail) >= width:
        tail = tail[1:]
    return set_cell_size("…" + tail, width)


def right(text: str, width: int) -> str:
    """Text in exactly so many cells, against the right edge."""
    return " " * max(0, width - cell_len(text)) + fit(text, min(width, cell_len(text)))


@cache
def _home() -> str:
    return str(Path.home())


def media_name(url: str, width: int) -> str:
    """A media file's path in exactly so many cells, home as `~`."""
    path = url_to_path(url)
    home = _home()
    if path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return fit_end(display(path), width)


def bar(fraction: float, width: int) -> str:
    """A bar that is filled so far, to an eighth of a cell."""
    fraction = min(1.0, max(0.0, fraction))
    eighths = round(fraction * width * 8)
    full, part = divmod(eighths, 8)
    text = "█" * full + (_BLOCKS[part] if part else "")
    return text.ljust(width, "░")
