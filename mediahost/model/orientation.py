"""How a stored picture is to be shown: turned, mirrored, or as it is."""

import struct
from typing import NamedTuple, Self

# ISO 14496-12, section 6.2.2: nine numbers (a b u, c d v, x y w), 16.16 but for u, v and w.
_MATRIX = struct.Struct("<9i")
# A turn by some degrees is none that a picture can be shown at; less is what encoders round.
_SLANT = 0.1
# EXIF 2.32, tag 0x0112: whether rows are columns, then whether left-right and top-bottom change.
_EXIF = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
_QUARTER = 90


class Orientation(NamedTuple):
    """What is done to the stored picture before it is shown, in this order.

    Attributes:
        transposed: Rows become columns: the upper right corner becomes the lower left one.
        flipped_across: Left and right change places.
        flipped_down: Top and bottom change places.
    """

    transposed: bool = False
    flipped_across: bool = False
    flipped_down: bool = False

    @classmethod
    def of_matrix(cls, data: bytes) -> Self | None:
        """What a film's display matrix says, in FFmpeg's form: nine 32-bit numbers.

        None: it is no orientation, as a matrix of zeros or one that slants the picture.
        """
        if len(data) < _MATRIX.size:
            return None
        across, down_by_x, _, across_by_y, down, *_ = _MATRIX.unpack(data[: _MATRIX.size])
        straight, turned = (across, down), (across_by_y, down_by_x)
        most = max(map(abs, (*straight, *turned)))
        for transposed, kept, lost in ((False, straight, turned), (True, turned, straight)):
            if min(map(abs, kept)) and max(map(abs, lost)) <= _SLANT * most:
                return cls(transposed, kept[0] < 0, kept[1] < 0)
        return None

    @classmethod
    def of_exif(cls, number: object) -> Self:
        """What EXIF's orientation says, 1 to 8; anything else is upright."""
        return cls(*_EXIF.get(number if isinstance(number, int) else 1, _EXIF[1]))

    @property
    def rotation(self) -> int:
        """Degrees counterclockwise to turn the stored picture: 0, 90, 180 or 270."""
        if self.transposed:
            return _QUARTER if self.flipped_down else 3 * _QUARTER
        return 2 * _QUARTER if self.flipped_down else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right change places after the turn."""
        return (self.transposed + self.flipped_across + self.flipped_down) % 2 == 1

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown, of a picture stored in this size."""
        return (height, width) if self.transposed else (width, height)


UPRIGHT = Orientation()
