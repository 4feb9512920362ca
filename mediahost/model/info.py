"""Media information: what is in a media file, as a probe found it."""

from pydantic import BaseModel, ConfigDict, Field


class MediaStream(BaseModel):
    """One stream of a container, such as its picture or its sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int = Field(ge=0)
    type: str = Field(description="video, audio, subtitle, data or attachment")
    codec: str | None = None
    duration: float | None = Field(None, ge=0, description="Seconds")
    bit_rate: int | None = Field(None, ge=0, description="Bits per second")
    language: str | None = None
    width: int | None = Field(None, ge=0, description="Pixels")
    height: int | None = Field(None, ge=0, description="Pixels")
    frame_rate: float | None = Field(None, ge=0, description="Frames per second, on average")
    rotation: int | None = Field(
        None, description="Degrees counterclockwise to turn the picture: 0, 90, 180 or 270"
    )
    mirrored: bool | None = Field(
        None, description="Whether left and right change places after the turn"
    )
    sample_rate: int | None = Field(None, ge=0, description="Hertz")
    channels: int | None = Field(None, ge=0)
    channel_layout: str | None = None
    pixel_format: str | None = None
    sample_format: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class MediaInfo(BaseModel):
    """What is in a media file: container, duration, streams and tags."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    container: str | None = Field(None, description="Short name of the format, such as matroska")
    duration: float | None = Field(None, ge=0, description="Seconds")
    size: int | None = Field(None, ge=0, description="Bytes")
    bit_rate: int | None = Field(None, ge=0, description="Bits per second")
    streams: tuple[MediaStream, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)

    def first(self, stream_type: str) -> MediaStream | None:
        """The first stream of a type, or None."""
        return next((stream for stream in self.streams if stream.type == stream_type), None)
