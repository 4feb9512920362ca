"""Colours: from whatever a file holds to what a screen shows."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_AS_THEY_ARE = {"L", "RGB", "RGBA", "CMYK"}


def in_eight_bits(image: "Image") -> "Image":
    """The picture with 8 bits in each channel, as L, RGB, RGBA or CMYK, so that it scales well."""
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in _AS_THEY_ARE:
        return image
    if image.mode.startswith("I"):
        return _of_sixteen_bits(image)
    if image.mode == "F":
        return _stretched(image)
    if image.mode == "LAB":
        return _of_lab(image)
    return image.convert("L" if image.mode == "1" else "RGB")


def in_srgb(image: "Image") -> "Image":
    """The picture in sRGB, or in grey without a profile.

    A profile that is broken or of other colours than the picture is passed over, as browsers do.
    """
    from PIL import ImageCms  # noqa: PLC0415 - only a worker needs it

    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image if image.mode in {"L", "RGB", "RGBA"} else image.convert("RGB")


def on_background(image: "Image", color: str) -> "Image":
    """The picture with its transparent parts filled with a colour (#rrggbb)."""
    from PIL import Image  # noqa: PLC0415 - as above

    if image.mode != "RGBA":
        return image
    filled = Image.new("RGBA", image.size, color)
    filled.alpha_composite(image)
    return filled.convert("RGB")


def _of_sixteen_bits(image: "Image") -> "Image":
    # The mode may say 32, but what is met is 16: 65535 / 257 = 255.
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _stretched(image: "Image") -> "Image":
    """Floats have no agreed black and white: the darkest becomes 0, the lightest 255."""
    low, high = (float(str(value)) for value in image.getextrema())
    scale = 255 / (high - low) if high > low else 0.0
    return image.point(lambda value: value * scale - low * scale).convert("L")


def _of_lab(image: "Image") -> "Image":
    from PIL import ImageCms  # noqa: PLC0415 - as above

    source, target = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    return converted if converted is not None else image
