"""The sound of a new file: resampled without losing its place in time, and encoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.filter import Graph

from mediahost_av.container import Source, time_base_of
from mediahost_av.formats import AUDIO_CODECS, AudioCodecName
from mediahost_av.output import Output, unwritable
from mediahost_av.window import Window

LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
# Sources in these sample formats hold no more than 16 bit, or are lossy.
NARROW = frozenset({"u8", "u8p", "s16", "s16p", "fltp"})
CHUNK = 4096  # samples per packet of encoders that take any number
# What has come out of the filters is asked for after so many samples: in vain costs an exception.
BATCH = 8192
# Times that leap back further than this have begun anew, as FFmpeg has it.
LEAP_BACK_S = 0.1


@dataclass(frozen=True, slots=True)
class SoundConfig:
    """How sound is encoded.

    Attributes:
        codec: Which codec.
        kbits: Bit rate in kbit/s; None: by codec and channels.
        sample_rate: In hertz; None: the source's, or the next one that the codec takes.
        channels: None: the source's, as far as the codec holds them.
    """

    codec: AudioCodecName
    kbits: int | None = None
    sample_rate: int | None = None
    channels: int | None = None


class Sound:
    """Takes the frames of one stream of the source, gives packets for the new file.

    Times are kept: gaps in the source are filled with silence, overlaps are cut. Recordings that
    were put one behind the other into one file, as those of web radio are, follow each other.

    Args:
        source: Where the frames come from.
        stream: Which of its streams.
        sample: The stream's first frame: rate, format and channels are known by it alone.
        output: Where the packets go.
        config: How they are encoded.
        window: What part of the source is wanted.
        threads: For the encoder.

    Attributes:
        count: How many samples per channel were encoded so far.

    Raises:
        InvalidMedia: No encoder takes such samples.
    """

    def __init__(
        self,
        source: Source,
        stream: AudioStream,
        sample: AudioFrame,
        output: Output,
        *,
        config: SoundConfig,
        window: Window,
        threads: int,
    ) -> None:
        self._source = source
        base = time_base_of(stream)
        self._base = (base.numerator, base.denominator)
        self._origin = source.origin_in(stream)
        self._window = window
        self._codec = config.codec
        self._is_film = source.picture() is not None
        self._end_s: float | None = None
        self._leapt_s = 0.0
        self._shape: tuple[Any, ...] | None = None
        self._graph: Graph | None = None
        self._source_tick = Fraction(1)
        self._waiting = 0
        self.count = 0
        try:
            self._stream = _added(output, sample, stream, config, threads)
        except (UnknownCodecError, ValueError, OSError) as error:
            raise unwritable(source.path, config.codec, error) from error
        self._encoder = self._stream.codec_context
        self.sample_rate = self._encoder.sample_rate
        self.channels = self._encoder.channels
        # The encoder cuts them to its size.
        self._chunk = BATCH if self._encoder.frame_size else CHUNK
        self._tick = Fraction(1, self.sample_rate)

    def take(self, frame: AudioFrame) -> Iterator[Any]:
        """The packets that are ready with this frame."""
        rate = frame.sample_rate
        ticks = frame.pts if frame.pts is not None else frame.dts
        position = self._position(ticks, rate)
        self._end_s = (position + frame.samples) / rate
        position -= round(self._window.start * rate)
        if position + frame.samples <= 0 or self._is_past(position, rate):
            return
        shape = (rate, frame.format.name, frame.layout.name)
        if shape != self._shape:
            yield from self._drain()
            self._shape = shape
            with self._source.blamed():
                self._graph = self._graph_for(frame)
            self._source_tick = Fraction(1, rate)
        if self._graph is not None:
            frame.pts = position
            frame.time_base = self._source_tick
            with self._source.blamed():
                self._graph.push(frame)
            self._waiting += frame.samples
            if self._waiting >= BATCH:
                yield from self._pull()

    def _position(self, ticks: int | None, rate: int) -> int:
        """Where a frame begins in the source, in samples."""
        if ticks is None:
            return round((self._end_s or 0.0) * rate)
        numerator, denominator = self._base
        seconds = (ticks - self._origin) * numerator / denominator + self._leapt_s
        back_s = 0.0 if self._end_s is None else self._end_s - seconds
        # A film's sound has to stay with its pictures.
        if back_s > LEAP_BACK_S and not self._is_film:
            self._leapt_s += back_s
            seconds += back_s
        return round(seconds * rate)

    def finish(self) -> Iterator[Any]:
        """The packets that were still being worked on."""
        yield from self._drain()
        yield from self._packets(None)

    def _packets(self, frame: AudioFrame | None) -> Iterator[Any]:
        # One at a time: at the end an encoder may still have seconds of work before it.
        for packet in self._stream.codec_context.encode_lazy(frame):
            packet.stream = self._stream
            yield packet

    def facts(self) -> dict[str, Any]:
        """Codec, sample rate in hertz, channels, number of samples per channel."""
        return {
            "codec": self._codec,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "samples": self.count,
        }

    def _is_past(self, position: int, rate: int) -> bool:
        return self._window.length is not None and position >= self._window.length * rate

    def _drain(self) -> Iterator[Any]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull()
            self._graph = None

    def _pull(self) -> Iterator[Any]:
        assert self._graph is not None  # noqa: S101 - both callers have one
        self._waiting = 0
        while True:
            try:
                frame = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            if isinstance(frame, AudioFrame):
                frame.pts = self.count  # counted anew: the graph leaves no gaps
                frame.time_base = self._tick
                self.count += frame.samples
                yield from self._packets(frame)

    def _shared(self, channels: int) -> str:
        """How channels of no known place are mixed: shared out among those of the new file."""
        made = self._encoder.channels
        groups = [range(first, channels, made) for first in range(made)]
        mixes = ("+".join(f"{1 / len(group):.6f}*c{one}" for one in group) for group in groups)
        listing = "|".join(f"c{number}={mix}" for number, mix in enumerate(mixes))
        return f"{self._encoder.layout.name}|{listing}"

    def _graph_for(self, frame: AudioFrame) -> Graph:
        rate, name = frame.sample_rate, frame.format.name
        channels = frame.layout.nb_channels
        # A WAV may say how many channels it has without saying which.
        layout = frame.layout.name
        unknown = layout.endswith("channels")
        if unknown and channels <= len(LAYOUTS):
            layout = LAYOUTS[channels - 1]
        end = "" if self._window.length is None else f":end_pts={round(self._window.length * rate)}"
        graph = Graph()
        graph.threads = 1  # by default there is one for each core, with nothing to do
        nodes = [
            graph.add(
                "abuffer",
                f"sample_rate={rate}:sample_fmt={name}:channel_layout={layout}:time_base=1/{rate}",
            ),
            *(
                [graph.add("pan", self._shared(channels))]
                if unknown and channels > len(LAYOUTS)
                else ()
            ),
            graph.add("atrim", f"start_pts=0{end}"),
            graph.add("aresample", f"{self.sample_rate}:async=1:first_pts={self.count}"),
            graph.add(
                "aformat",
                f"sample_fmts={self._encoder.format.name}:sample_rates={self.sample_rate}"
                f":channel_layouts={self._encoder.layout.name}",
            ),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        graph.set_audio_frame_size(self._chunk)
        return graph


def _added(
    output: Output, sample: AudioFrame, stream: AudioStream, config: SoundConfig, threads: int
) -> AudioStream:
    codec = AUDIO_CODECS[config.codec]
    channels = config.channels or min(sample.layout.nb_channels, codec.max_channels)
    name, sample_format = codec.encoder, codec.sample_format
    if codec.wide and sample.format.name not in NARROW:
        name, sample_format = codec.wide
    rate = config.sample_rate or _nearest_rate(sample.sample_rate, codec.sample_rates)
    added = cast("AudioStream", output.container.add_stream(name, rate=rate))
    encoder = added.codec_context
    encoder.format = sample_format
    encoder.layout = LAYOUTS[min(channels, len(LAYOUTS)) - 1]
    encoder.thread_count = threads
    encoder.time_base = Fraction(1, rate)
    encoder.flags |= Flags.bitexact
    if codec.kbits_per_channel is not None:
        encoder.bit_rate = 1000 * (config.kbits or codec.kbits_per_channel * channels)
    output.describe(added, stream)
    encoder.open()
    return added


def _nearest_rate(rate: int, known: tuple[int, ...]) -> int:
    """The rate itself, or the next higher one that the codec takes, or its highest."""
    if not known:
        return rate
    return next((other for other in known if other >= rate), known[-1])
