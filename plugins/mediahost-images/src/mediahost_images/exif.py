"""EXIF as facts: what a camera noted, under names and in units that people know.

Tag numbers are those of CIPA DC-008 (EXIF 2.32).
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Exif

_EXIF_IFD = 0x8769
_GPS_IFD = 0x8825
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012), (0x0132, 0x9010))
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_FLASH_FIRED = 1
_BELOW_SEA_LEVEL = (1, b"\x01")
_UNKNOWN_ISO = 65_535
_SEXAGESIMAL = (1, 60, 3600)


def camera_facts(exif: "Exif") -> dict[str, Any]:
    """All that is there and makes sense; a fact that isn't there has no key."""
    shot = exif.get_ifd(_EXIF_IFD)
    flash = _number(shot.get(0x9209))
    iso = _number(shot.get(0x8827))
    facts = {
        "camera_make": _text(exif.get(0x010F)),
        "camera_model": _text(exif.get(0x0110)),
        "lens": _text(shot.get(0xA434)),
        "software": _text(exif.get(0x0131)),
        "taken_at": _taken_at(exif, shot),
        "exposure_s": _positive(shot.get(0x829A)),
        "f_number": _positive(shot.get(0x829D)),
        "iso": int(iso) if iso and 0 < iso < _UNKNOWN_ISO else None,
        "focal_length_mm": _positive(shot.get(0x920A)),
        "focal_length_35mm": _positive(shot.get(0xA405)),
        "flash": None if flash is None else bool(int(flash) & _FLASH_FIRED),
        "description": _text(exif.get(0x010E)),
        "artist": _text(exif.get(0x013B)),
        "copyright": _text(exif.get(0x8298)),
        **_place(exif.get_ifd(_GPS_IFD)),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _taken_at(exif: "Exif", shot: Mapping[int, Any]) -> str | None:
    """ISO 8601, by the camera's clock; with the offset from UTC where the camera noted it."""
    for date_tag, offset_tag in _DATES:
        when = _moment(_text(shot.get(date_tag, exif.get(date_tag))), "%Y:%m:%d %H:%M:%S")
        if when:
            offset = _text(shot.get(offset_tag)) or ""
            return when + offset if _OFFSET.fullmatch(offset) else when
    return None


def _place(gps: Mapping[int, Any]) -> dict[str, Any]:
    latitude = _degrees(gps.get(2), _text(gps.get(1)), "S", 90)
    longitude = _degrees(gps.get(4), _text(gps.get(3)), "W", 180)
    if latitude is None or longitude is None:
        return {}
    altitude = _number(gps.get(6))
    if altitude is not None and gps.get(5) in _BELOW_SEA_LEVEL:
        altitude = -altitude
    return {
        "latitude": latitude,
        "longitude": longitude,
        "altitude_m": altitude,
        "gps_at": _gps_at(gps),
    }


def _degrees(value: Any, side: str | None, negative: str, limit: int) -> float | None:
    """Degrees, minutes and seconds as degrees, negative in the south and the west."""
    if not isinstance(value, tuple) or len(value) != len(_SEXAGESIMAL) or not side:
        return None
    parts = [_number(part) for part in value]
    degrees = sum(part / unit for part, unit in zip(parts, _SEXAGESIMAL, strict=True) if part)
    if None in parts or not 0 <= degrees <= limit:
        return None
    return round(-degrees if side.upper().startswith(negative) else degrees, 7)


def _gps_at(gps: Mapping[int, Any]) -> str | None:
    """When the satellites say it was, in UTC."""
    date, time = _text(gps.get(29)), gps.get(7)
    if not date or not isinstance(time, tuple):
        return None
    parts = [_number(part) for part in time]
    if None in parts:
        return None
    clock = ":".join(f"{int(part or 0):02}" for part in parts)
    when = _moment(f"{date} {clock}", "%Y:%m:%d %H:%M:%S")
    return f"{when}+00:00" if when else None


def _moment(text: str | None, form: str) -> str | None:
    try:
        # Without a zone on purpose: most cameras don't know theirs.
        return datetime.strptime(text or "", form).isoformat()  # noqa: DTZ007 - as said
    except ValueError:  # cameras without a clock write zeros or blanks
        return None


def _text(value: Any) -> str | None:
    """Printable text without blanks around it, or None."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    shown = value.partition("\0")[0]
    return "".join(char if char.isprintable() else " " for char in shown).strip() or None


def _number(value: Any) -> float | None:
    """A finite number, or None; of a list the first."""
    if isinstance(value, tuple) and value:
        value = value[0]
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return round(number, 6) if math.isfinite(number) else None


def _positive(value: Any) -> float | None:
    number = _number(value)
    return number if number and number > 0 else None
