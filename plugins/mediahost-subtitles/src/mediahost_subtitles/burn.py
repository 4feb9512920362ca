"""The result of `subtitles.burn`: a film whose pictures have the subtitles in them."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import chain
from typing import Any, cast

import av
import numpy as np
from av.codec.context import Flags as CodecFlags
from av.container import InputContainer
from av.container.core import Flags
from av.video.frame import PictureType, VideoFrame

from mediahost import (
    Artifact,
    Completeness,
    Context,
    Cue,
    InvalidMedia,
    MediaFile,
    MediaProcessingResult,
    MediaReader,
    Orientation,
    promised_duration,
)
from mediahost_subtitles.actions import Burn
from mediahost_subtitles.export import MAX_STEM, cues_for
from mediahost_subtitles.lettering import Letterer
from mediahost_subtitles.read import opened

_FORMAT = "yuv420p"
_USUAL_RATE = Fraction(25)
_FASTEST = 1000
_MICROSECONDS = 1_000_000
# What an mp4 takes as it is; other sound becomes AAC.
_COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
# Encoders of sound work at these rates.
_AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 11_025, 8_000)


def burn(action: Burn, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Write the film anew, with the subtitles in its pictures."""
    cues, language = cues_for(action.rules, media, context)
    path = context.workdir / f"{media.path.stem[:MAX_STEM]}.mp4"
    unfinished = path.with_name(".unfinished.mp4")
    with (
        closing(MediaReader(media.path)) as reader,
        opened(reader) as source,
        av.open(str(unfinished), "w") as target,
    ):
        # The same input and config give the same bytes: no random ids, no date, no version.
        target.flags |= cast("int", Flags.bitexact.value)
        film = _Film(action, reader, source, target, cues=cues, context=context)
        film.write()
        completeness = film.completeness()
    unfinished.replace(path)
    context.progress(1.0, "done")
    return MediaProcessingResult(
        artifacts=(
            Artifact(
                path=path,
                asset_type="video",
                mime_type="video/mp4",
                metadata={"language": language},
            ),
        ),
        metadata={"cues": len(cues), "language": language, **film.facts()},
        completeness=completeness,
    )


class _Film:
    """A film being written."""

    def __init__(
        self,
        action: Burn,
        reader: MediaReader,
        source: InputContainer,
        target: av.container.OutputContainer,
        *,
        cues: Sequence[Cue],
        context: Context,
    ) -> None:
        self._action, self._source, self._target = action, source, target
        self._reader = reader
        name = self._name = repr(reader.path.name)[1:-1]
        self._context = context
        self._cues = cues
        self._starts = [cue.start for cue in cues]
        self._begin = Fraction(source.start_time or 0, _MICROSECONDS)
        with reader.guarded():
            self._video: Any = source.streams.best("video")
            self._audio: Any = source.streams.best("audio")
        if self._video is None or self._video.codec_context is None:
            raise InvalidMedia(f"{name} has no picture that can be decoded")
        self._video.codec_context.thread_count = context.threads
        self._letterer: Letterer | None = None
        self._picture: Any = None
        self._sound = self._sound_stream()
        self._copies = self._audio is not None and self._audio.codec_context.name in _COPIED
        self._last = -1
        self._burned: set[int] = set()
        self._frames = self._skipped = 0
        self._size = (0, 0)
        self._end = self._done = 0.0

    def write(self) -> None:
        """All of it.

        Raises:
            InvalidMedia: No picture can be decoded.
        """
        # All streams must be there before the first packet is written.
        waiting: list[Any] = []
        for packet in self._packets():
            if packet.stream is self._audio:
                ready = list(self._heard(packet))
            else:
                ready = [one for frame in self._decoded(packet) for one in self._shown(frame)]
            if self._picture is None:
                waiting += ready
                continue
            for one in (*waiting, *ready):
                self._target.mux(one)
            waiting = []
        if self._picture is None:
            raise InvalidMedia(
                f"None of the pictures of {self._name} can be decoded", "It is damaged or cut off."
            )
        for one in chain(self._rest_of_pictures(), self._rest_of_sound()):
            self._context.progress(self._done, f"{self._end:.0f} s written")
            self._target.mux(one)

    def completeness(self) -> Completeness:
        """How whole the film that was read is."""
        told = (self._source.duration or 0) / _MICROSECONDS
        promised = promised_duration(self._source.format.name, self._reader, told)
        return Completeness.of_recording(promised, self._end, self._skipped)

    def facts(self) -> dict[str, Any]:
        """What was written, for the metadata."""
        return {
            "burned": len(self._burned),
            "width": self._size[0],
            "height": self._size[1],
            "frames": self._frames,
            "duration": round(self._end, 3),
        }

    def _packets(self) -> Iterator[Any]:
        wanted = [stream for stream in (self._video, self._audio) if stream is not None]
        packets = self._source.demux(wanted)
        while True:
            self._context.checkpoint()
            with self._reader.guarded():
                packet = next(packets, None)
            if packet is None:
                return
            yield packet

    def _decoded(self, packet: Any) -> Iterator[Any]:
        """The frames of a packet; a damaged one is left out, as players do."""
        try:
            frames = packet.decode()
        except Exception:  # noqa: BLE001 - PyAV raises anything on damaged files
            self._reader.check()
            self._skipped += 1
            return
        yield from frames

    # --- pictures

    def _shown(self, frame: VideoFrame) -> Iterator[Any]:
        if frame.pts is None or frame.time_base is None:
            self._skipped += 1
            return
        second = frame.pts * frame.time_base - self._begin
        upright = _upright(frame)
        if self._picture is None:
            self._picture = self._picture_stream(upright, turned=_orientation(frame).transposed)
        ticks = max(round(second / self._video.time_base), 0)
        if ticks <= self._last:
            return
        self._last = ticks
        with_text = self._with_text(upright, float(second))
        with_text.pts, with_text.time_base = ticks, self._video.time_base
        with_text.pict_type = PictureType.NONE
        self._frames += 1
        self._end = float(second) + float(1 / self._rate)
        if self._source.duration:
            self._done = min(self._end * _MICROSECONDS / self._source.duration, 1.0)
            self._context.progress(self._done, f"{self._end:.0f} s written")
        yield from self._picture.encode(with_text)

    def _with_text(self, frame: VideoFrame, second: float) -> VideoFrame:
        width, height = self._size
        small = frame.reformat(width, height, _FORMAT, threads=self._context.threads)
        number = bisect_right(self._starts, second) - 1
        if number < 0 or second >= self._cues[number].end or self._letterer is None:
            return small
        self._burned.add(number)
        pixels: Any = np.ascontiguousarray(small.to_ndarray())
        self._letterer.drawn(self._cues[number].lines).lay_over(pixels, width, height)
        lettered = VideoFrame.from_ndarray(pixels, format=_FORMAT)
        lettered.colorspace, lettered.color_range = small.colorspace, small.color_range
        return lettered

    @property
    def _rate(self) -> Fraction:
        for rate in (self._video.average_rate, self._video.guessed_rate):
            if rate is not None and 0 < rate <= _FASTEST:
                return Fraction(rate)
        return _USUAL_RATE

    def _picture_stream(self, first: VideoFrame, *, turned: bool) -> Any:
        self._size = width, height = max(first.width // 2 * 2, 2), max(first.height // 2 * 2, 2)
        self._letterer = Letterer(width, height, self._action.size, self._action.font)
        options = {"crf": str(self._action.crf), "preset": self._action.preset}
        stream: Any = self._target.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, _FORMAT
        encoder = stream.codec_context
        encoder.time_base = stream.time_base = self._video.time_base
        encoder.thread_count = self._context.threads
        encoder.color_range, encoder.colorspace = first.color_range, first.colorspace
        encoder.color_primaries, encoder.color_trc = first.color_primaries, first.color_trc
        aspect = self._video.sample_aspect_ratio
        if aspect:
            encoder.sample_aspect_ratio = 1 / aspect if turned else aspect
        encoder.flags |= CodecFlags.bitexact
        return stream

    # --- sound

    def _sound_stream(self) -> Any:
        audio = self._audio
        if audio is None or audio.codec_context is None:
            self._audio = None
            return None
        if audio.codec_context.name in _COPIED:
            return self._target.add_stream_from_template(audio)
        rate = min(_AAC_RATES, key=lambda known: abs(known - audio.codec_context.rate))
        layout = "mono" if audio.codec_context.channels == 1 else "stereo"
        stream: Any = self._target.add_stream("aac", rate=rate, layout=layout)
        stream.codec_context.flags |= CodecFlags.bitexact
        self._resampler = av.AudioResampler("fltp", layout, rate, frame_size=1024)
        return stream

    def _heard(self, packet: Any) -> Iterator[Any]:
        if not self._copies:
            for frame in self._decoded(packet):
                if frame.pts is not None:
                    frame.pts -= round(self._begin / frame.time_base)
                yield from self._encoded(frame)
            return
        if packet.dts is None:  # the empty one at the end
            return
        shift = round(self._begin / packet.time_base)
        packet.dts -= shift
        packet.pts = (packet.pts if packet.pts is not None else packet.dts + shift) - shift
        packet.stream = self._sound
        yield packet

    def _encoded(self, frame: Any) -> Iterator[Any]:
        for resampled in self._resampler.resample(frame):
            yield from self._sound.encode(resampled)

    def _rest_of_pictures(self) -> Iterator[Any]:
        # One at a time: the encoder still has seconds of work before it.
        for packet in self._picture.codec_context.encode_lazy(None):
            packet.stream = self._picture
            yield packet

    def _rest_of_sound(self) -> Iterator[Any]:
        if self._sound is not None and not self._copies:
            yield from self._encoded(None)
            yield from self._sound.encode(None)


def _orientation(frame: VideoFrame) -> Orientation:
    try:
        matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV has no name for something else that comes with the frame
        matrix = None
    found = Orientation.of_matrix(bytes(matrix)) if matrix is not None else None
    return found or Orientation()


def _upright(frame: VideoFrame) -> VideoFrame:
    """The frame as it is to be watched: phones write theirs lying."""
    shown = _orientation(frame)
    if not any(shown):
        return frame
    colored = frame.reformat(format="rgb24", threads=1)
    pixels: Any = colored.to_ndarray()
    pixels = pixels.swapaxes(0, 1) if shown.transposed else pixels
    pixels = pixels[:: -1 if shown.flipped_down else 1, :: -1 if shown.flipped_across else 1]
    turned = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    turned.pts, turned.time_base = frame.pts, frame.time_base
    return turned
