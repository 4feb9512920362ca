"""A stream of a new file that is copied as it is."""

from collections.abc import Iterator
from typing import Any

from av.stream import Disposition, Stream

from mediahost import InvalidMedia
from mediahost_av.container import Source, decoder_of, shown, time_base_of
from mediahost_av.output import Output


class Copy:
    """Takes the packets of one stream of the source, gives the same for the new file.

    Args:
        source: Where the packets come from.
        stream: Which of its streams.
        output: Where they go.
        start: What is to be time 0 in the new file, in seconds from the source's beginning.

    Attributes:
        ticks: How long what was copied so far is, in the stream's time base.
        count: How many packets were copied so far.

    Raises:
        InvalidMedia: The new file's format can't hold the stream's codec.
    """

    def __init__(self, source: Source, stream: Stream, output: Output, start: float = 0.0) -> None:
        decoder = decoder_of(stream)
        codec = decoder.codec.canonical_name if decoder else stream.type
        try:
            self._stream = output.container.add_stream_from_template(stream)
        except ValueError as error:
            raise InvalidMedia(
                f"{shown(source.path)} holds {codec}, which can't be copied into"
                f" {output.path.suffix[1:]}",
                "Choose mkv as the format, or encode anew.",
            ) from error
        self.ticks = self.count = 0
        self._codec = codec
        self._is_cover = bool(stream.disposition & Disposition.attached_pic)
        self._shift = source.origin_in(stream) + round(start / time_base_of(stream))
        output.describe(self._stream, stream)

    def take(self, packet: Any) -> Iterator[Any]:
        """The packet, ready for the new file."""
        if self._is_cover:
            packet.dts = packet.pts = self._shift  # a picture without a time
        if packet.dts is None or not packet.size:
            return
        packet.stream = self._stream
        packet.dts -= self._shift
        if packet.pts is not None:
            packet.pts -= self._shift
        self.ticks += packet.duration or 0
        self.count += 1
        yield packet

    def facts(self) -> dict[str, Any]:
        """Codec only: a copy is as the source is."""
        return {"codec": self._codec}
