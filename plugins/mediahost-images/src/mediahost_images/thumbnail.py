"""`images.thumbnail`: a picture made small, upright and fit for a screen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, JsonValue

from mediahost import Artifact, Context, MediaFile, MediaProcessingResult, Processor
from mediahost_images.colors import in_eight_bits, in_srgb, on_background
from mediahost_images.orientation import orientation_to_apply, sizes_of, upright
from mediahost_images.picture import read

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

FormatName = Literal["jpeg", "webp", "png"]
_SUFFIXES: dict[FormatName, str] = {"jpeg": "jpg", "webp": "webp", "png": "png"}
_MAX_SIDE_PX = 16_383  # WebP's limit (RFC 9649, section 2.5)
_MAX_STEM = 60  # characters of up to four bytes; a name may have 255 bytes


class Thumbnail(Processor, name="images.thumbnail", version=2, accepts={"image"}):
    """Make a small picture: upright, in sRGB, without EXIF, never larger than the original.

    Of an animation it shows the first frame.

    Gives one artifact, a `thumbnail`, with `width` and `height` in pixels. Metadata:
    `source_width` and `source_height`, the original's pixels as shown.
    """

    max_width: int = Field(512, ge=1, le=_MAX_SIDE_PX, description="Not wider than, in pixels")
    max_height: int = Field(512, ge=1, le=_MAX_SIDE_PX, description="Not higher than, in pixels")
    format: FormatName = Field("jpeg", description="jpeg, webp or png")
    quality: int = Field(
        80, ge=1, le=100, description="Of jpeg and webp, 1 to 100; png is lossless"
    )
    background: str = Field(
        "#ffffff",
        pattern="^#[0-9a-fA-F]{6}$",
        description="Colour behind transparent parts, #rrggbb; jpeg only, the others keep them",
    )

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Decode, scale and encode the picture.

        Raises:
            InvalidMedia: It is damaged, no picture, or a decompression bomb.
        """
        context.progress(0, "Decoding")
        (source_size, small), completeness = read(media.path, self._shrunk)
        context.progress(0.7, "Correcting colours")
        small = in_srgb(small)
        if self.format == "jpeg":
            small = on_background(small, self.background)
        context.progress(0.8, "Encoding")
        path = context.workdir / f"{media.path.stem[:_MAX_STEM]}.{_SUFFIXES[self.format]}"
        self._write(small, path)
        context.progress(1)
        artifact = Artifact(
            path=path,
            asset_type="thumbnail",
            metadata={"width": small.width, "height": small.height},
        )
        size: dict[str, JsonValue] = {
            "source_width": source_size[0],
            "source_height": source_size[1],
        }
        return MediaProcessingResult(
            artifacts=(artifact,), metadata=size, completeness=completeness
        )

    def _shrunk(self, image: "ImageFile") -> "tuple[tuple[int, int], Image]":
        """The size of the original as shown, and the picture scaled down, then turned."""
        from PIL.Image import Resampling  # noqa: PLC0415 - only a worker needs it

        shown, orientation = sizes_of(image).shown, orientation_to_apply(image)
        small = in_eight_bits(image)
        # This drafts a JPEG: it is decoded at 1/2, 1/4 or 1/8 where that is at least twice the box.
        small.thumbnail(orientation.size(self.max_width, self.max_height), Resampling.LANCZOS)
        small.load()  # also one that is small already, as long as the file is open
        return shown, upright(small, orientation).copy()

    def _write(self, image: "Image", path: Path) -> None:
        """Write the file under another name until it is whole."""
        options: dict[FormatName, dict[str, Any]] = {
            "jpeg": {"quality": self.quality, "optimize": True, "progressive": True},
            "webp": {"quality": self.quality, "method": 4},
            "png": {"optimize": True},
        }
        unfinished = path.with_name(f".unfinished{path.suffix}")
        image.info = {}  # else Pillow writes parts of it, such as the old colour profile
        image.save(unfinished, self.format.upper(), **options[self.format])
        unfinished.replace(path)
