"""`images.info`: what is in a picture."""

import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost_images.exif import camera_facts
from mediahost_images.orientation import exif_of, orientation_number, sizes_of
from mediahost_images.picture import read

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_ANIMATIONS = {"AVIF", "GIF", "PNG", "WEBP"}
# The later frames of a JPEG are the camera's own (a preview, a depth or a gain map), no picture
# that anybody looks at.
_ONE_PICTURE = {"JPEG", "MPO"}
_MS = 1000


class Info(Analyzer, name="images.info", version=2, accepts={"image"}):
    """Tell format, size, colours, frames, and what the camera noted (EXIF).

    Metadata, each key only where the picture tells it:

    - `format` (jpeg, png...), `mime_type`, `mode` (as Pillow names it: RGB, RGBA, L, P, CMYK...),
      `has_transparency`, `color_profile` (name of the ICC profile), `dpi` ([x, y])
    - `width`, `height`: pixels as shown; `stored_width`, `stored_height`: before it is turned by
      `orientation` (1 to 8, as EXIF counts)
    - `frames`: frames of an animation or pages of a TIFF; `animated`; `duration_s`: of an
      animation, once through
    - `camera_make`, `camera_model`, `lens`, `software`, `taken_at` (ISO 8601 by the camera's
      clock, with the offset from UTC where it is known), `exposure_s`, `f_number`, `iso`,
      `focal_length_mm`, `focal_length_35mm`, `flash` (whether it fired), `description`, `artist`,
      `copyright`
    - `latitude`, `longitude` (degrees, north and east positive), `altitude_m` (metres above sea
      level), `gps_at` (ISO 8601, UTC)
    """

    decode: bool = Field(
        default=True, description="Decode every frame, to find damage that the header doesn't show"
    )

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Read the header, and the pixels if so configured.

        Raises:
            InvalidMedia: It is damaged, no picture, or a decompression bomb.
        """
        context.progress(0, "Reading the header")

        def facts_of(image: "ImageFile") -> dict[str, Any]:
            facts = _header_facts(image)
            if self.decode:
                facts |= _decoded_facts(image, context)
            return facts | _noted_facts(image)

        facts, completeness = read(media.path, facts_of)
        context.progress(1)
        return MediaAnalysisResult(metadata=facts, completeness=completeness)


def _header_facts(image: "ImageFile") -> dict[str, Any]:
    sizes = sizes_of(image)
    name = _format_of(image)
    frames = 1 if name in _ONE_PICTURE else getattr(image, "n_frames", 1)
    facts = {
        "format": name.lower(),
        "mime_type": image.get_format_mimetype(),
        "width": sizes.shown[0],
        "height": sizes.shown[1],
        "stored_width": sizes.stored[0],
        "stored_height": sizes.stored[1],
        "orientation": orientation_number(image),
        "mode": image.mode,
        "has_transparency": image.has_transparency_data,
        "frames": frames,
        "animated": frames > 1 and name in _ANIMATIONS,
        "color_profile": _profile_name(image.info.get("icc_profile")),
        "dpi": _dpi(image.info.get("dpi")),
    }
    return {key: fact for key, fact in facts.items() if fact is not None}


def _format_of(image: "ImageFile") -> str:
    """A JPEG with further pictures behind it is still a JPEG to everybody."""
    return "JPEG" if image.format == "MPO" else image.format or ""


def _decoded_facts(image: "ImageFile", context: Context) -> dict[str, Any]:
    """Decode frame by frame; only one is in memory at a time."""
    image.draft(None, (1, 1))  # a JPEG is read whole, but only an eighth of it is computed
    name = _format_of(image)
    frames = 1 if name in _ONE_PICTURE else getattr(image, "n_frames", 1)
    duration_ms = 0.0
    for number in context.track(range(frames), frames, "Decoding"):
        image.seek(number)
        image.load()
        duration_ms += image.info.get("duration") or 0
    animated = frames > 1 and name in _ANIMATIONS
    return {"duration_s": round(duration_ms / _MS, 3)} if animated else {}


def _noted_facts(image: "ImageFile") -> dict[str, Any]:
    try:
        return camera_facts(exif_of(image))
    except Exception:  # noqa: BLE001 - a broken block raises anything, wherever it is read
        return {}


def _profile_name(profile: bytes | None) -> str | None:
    from PIL import ImageCms  # noqa: PLC0415 - only a worker needs it

    if not profile:
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError):
        return None
    return name.strip() or None


def _dpi(dpi: tuple[float, float] | None) -> list[float] | None:
    if dpi is None or not all(math.isfinite(value) and value > 0 for value in map(float, dpi)):
        return None
    return [round(float(value), 2) for value in dpi]
