"""Frames written as picture files: upright, with square pixels, scaled down."""

from pathlib import Path
from typing import Any, Literal, Protocol

from av.video.stream import VideoStream
from PIL import Image

from mediahost import Artifact
from mediahost_av.stills import Still
from mediahost_av.upright import Bounds, Upright

PictureFormat = Literal["jpeg", "png", "webp"]
SUFFIXES: dict[PictureFormat, str] = {"jpeg": "jpg", "png": "png", "webp": "webp"}


class Look(Protocol):
    """What an action says of the pictures that it wants."""

    @property
    def format(self) -> PictureFormat:
        """Of the file."""

    @property
    def quality(self) -> int:
        """1 to 95, for JPEG and WebP."""

    @property
    def max_width(self) -> int | None:
        """In pixels; None: as the film."""

    @property
    def max_height(self) -> int | None:
        """In pixels; None: as the film."""


class Snapshots:
    """Writes frames of one stream, all of the same size."""

    def __init__(self, stream: VideoStream, look: Look) -> None:
        self._look = look
        self._upright = Upright(stream, Bounds(look.max_width, look.max_height), "rgb24")
        self._size = (0, 0)

    def image(self, still: Still) -> Image.Image:
        """The frame as it is to be watched."""
        return Image.fromarray(self._upright.apply(still.frame).to_ndarray())

    def save(self, still: Still, path: Path, asset_type: str) -> Artifact:
        """Write the frame, and name it as an artifact."""
        image = self.image(still)
        self._size = image.size
        options = {} if self._look.format == "png" else {"quality": self._look.quality}
        unfinished = path.with_name(f".unfinished{path.suffix}")
        image.save(unfinished, self._look.format, **options)
        unfinished.replace(path)
        return Artifact(
            path=path,
            asset_type=asset_type,
            mime_type=f"image/{self._look.format}",
            metadata={"timestamp": round(still.seconds, 3)},
        )

    def facts(self) -> dict[str, Any]:
        """Width and height in pixels of what was written."""
        return {"width": self._size[0], "height": self._size[1]}
