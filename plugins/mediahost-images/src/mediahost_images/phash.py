"""`images.phash`: a hash that changes little when the picture changes little."""

import math
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost_images.colors import in_eight_bits
from mediahost_images.orientation import orientation_to_apply, upright
from mediahost_images.picture import read

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

SIDE = 32
LOW = 8
# Far below what tells pictures apart, far above the rounding of floats: coefficients that are
# equal stay equal, on every machine.
_DECIMALS = 4
# Pillow would cut these off at 255, which leaves a white picture.
_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N", "F"}


class PerceptualHash(Analyzer, name="images.phash", version=2, accepts={"image"}):
    """Hash what a picture looks like: copies in other sizes and formats differ in few bits.

    Metadata: `phash`, 64 bits as 16 hexadecimal digits. The number of bits in which two hashes
    differ, `(int(a, 16) ^ int(b, 16)).bit_count()`, is 0 to some 10 for copies of one picture and
    around 32 for unrelated ones.

    The bits are those of `imagehash.phash` 4.3 for the picture turned upright (and for one of 16
    bits: brought down to 8). The method is
    Krawetz's "Looks Like It" (hackerfactor.com, 2011): grey, 32x32, the 8x8 lowest frequencies of
    a cosine transform, each more or less than their median.
    """

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        """Decode the picture and hash it.

        Raises:
            InvalidMedia: It is damaged, no picture, or a decompression bomb.
        """
        from PIL.Image import Resampling  # noqa: PLC0415 - only a worker needs it

        def small(image: "ImageFile") -> bytes:
            orientation = orientation_to_apply(image)
            # Grey first: it is a third of the bytes to turn.
            grey = (in_eight_bits(image) if image.mode in _DEEP else image).convert("L")
            context.checkpoint()
            return upright(grey, orientation).resize((SIDE, SIDE), Resampling.LANCZOS).tobytes()

        context.progress(0, "Decoding")
        pixels, completeness = read(media.path, small)
        context.progress(1)
        return MediaAnalysisResult(metadata={"phash": hash_of(pixels)}, completeness=completeness)


def hash_of(pixels: bytes) -> str:
    """The hash of 32x32 grey pixels, row by row: 16 hexadecimal digits."""
    rows = [pixels[start : start + SIDE] for start in range(0, SIDE * SIDE, SIDE)]
    across = [_low_frequencies(row) for row in rows]
    down = [_low_frequencies(column) for column in zip(*across, strict=True)]
    waves = [round(value, _DECIMALS) for row in zip(*down, strict=True) for value in row]
    middle = median(waves)
    bits = "".join("1" if wave > middle else "0" for wave in waves)
    return f"{int(bits, 2):016x}"


def _low_frequencies(values: bytes | tuple[float, ...]) -> list[float]:
    """The first coefficients of the discrete cosine transform, type II."""
    return [sum(map(float.__mul__, wave, map(float, values))) for wave in _waves()]


@cache
def _waves() -> list[list[float]]:
    return [
        [2 * math.cos(math.pi * frequency * (2 * at + 1) / (2 * SIDE)) for at in range(SIDE)]
        for frequency in range(LOW)
    ]
