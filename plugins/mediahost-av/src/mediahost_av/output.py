"""Files being written: under a temporary name until they are whole."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import av
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.container.core import Flags
from av.stream import Stream

from mediahost import InvalidMedia
from mediahost_av.container import shown
from mediahost_av.formats import FORMATS, FormatName

# What describes the old file's container, not the work in it.
CONTAINER_TAGS = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
)

# The same of a stream; Matroska's programs note what they have measured.
STREAM_TAGS = CONTAINER_TAGS | {"vendor_id", "handler_name"}
MEASURED = ("BPS", "NUMBER_OF_", "_STATISTICS_")

MAX_STEM = 60  # characters of up to four bytes; a name may have 255 bytes


def named_after(source: Path, folder: Path, suffix: str) -> Path:
    """Where the new file goes; its name is the source's, as far as a file system takes it."""
    return folder / f"{source.stem[:MAX_STEM]}.{suffix}"


def unwritable(source: Path, codec: str, error: Exception) -> InvalidMedia:
    """The error for a source that the codec's encoder refuses."""
    if isinstance(error, UnknownCodecError):
        return InvalidMedia(f"The installed PyAV can't write {codec}", "Choose another codec.")
    reason = getattr(error, "strerror", None) or str(error)
    return InvalidMedia(f"{shown(source)} can't be encoded as {codec}: {reason}")


class Output:
    """A media file being written, as a context manager; it gets its name when it is whole.

    A killed mp4 is unreadable, so what is left of one must not bear the name of a whole one.

    Attributes:
        path: Where the whole file will be.
        source: What it is made of, for errors.
        container: PyAV's view of it. Add all streams before the first packet.
    """

    def __init__(self, path: Path, format_name: FormatName, source: Path) -> None:
        self.path = path
        self.source = source
        self._unfinished = path.with_name(f".unfinished{path.suffix}")
        written = FORMATS[format_name]
        self.container: OutputContainer = av.open(
            f"file:{self._unfinished}",
            "w",
            format=written.muxer,
            container_options=dict(written.options),
        )
        # The same input and config give the same bytes: no random ids, no date, no version.
        self.container.flags |= cast("int", Flags.bitexact.value)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None:
            self._abandon()
            return
        try:
            self.container.close()
        except BaseException:
            self._unfinished.unlink(missing_ok=True)
            raise
        self._unfinished.replace(self.path)

    def keep_tags(self, *sources: Mapping[str, str]) -> None:
        """Take over the tags of the source; the first to know a tag counts."""
        for tags in sources:
            for name, value in tags.items():
                if name.lower() not in CONTAINER_TAGS:
                    self.container.metadata.setdefault(name, value)

    def describe(self, stream: Stream, source: Stream) -> None:
        """Give a new stream what the source's says of itself: title, language, what it is for."""
        for name, value in source.metadata.items():
            if name.lower() not in STREAM_TAGS and not name.startswith(MEASURED):
                stream.metadata.setdefault(name, value)
        stream.disposition = source.disposition

    def write(self, packet: Any) -> None:
        """Write a packet of one of the streams.

        Raises:
            InvalidMedia: The format can't hold it: it was copied from a damaged or odd source.
            OSError: The disk is full, or something else is wrong with where it goes.
        """
        try:
            self.container.mux_one(packet)
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise InvalidMedia(
                f"{shown(self.source)} can't be written as {self.path.suffix[1:]}:"
                f" {error.strerror}",
                "It may be damaged; encoding anew instead of copying may help.",
            ) from error

    def _abandon(self) -> None:
        with suppress(Exception):  # only the first error matters
            self.container.close()
        self._unfinished.unlink(missing_ok=True)
