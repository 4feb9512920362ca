"""`speech.vad` on real speech, on what is no speech, and on what is no sound."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediahost import InvalidMedia, JobCancelled, MediaFile, TimeRange
from mediahost.testing import ActionRun, check_action, run_action, write_wav
from mediahost_speech.vad import SpeechVad

RATE = 16_000
HOP = RATE // 100

Samples = np.ndarray[Any, np.dtype[np.int16]]
WriteWav = Callable[..., Path]


def _quiet_stretches(samples: Samples) -> list[tuple[float, float]]:
    """Where the level is nearer to the noise than to the voice, in seconds."""
    frames = samples[: samples.size // HOP * HOP].reshape(-1, HOP).astype(float)
    level = 20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1)
    noise, voice = np.percentile(level, [5, 95])
    edges = np.diff(np.concatenate([[0], level < (noise + voice) / 2, [0]]).astype(int))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(start / 100, end / 100) for start, end in zip(starts, ends, strict=True)]


def _covered(ranges: tuple[TimeRange, ...], second: float) -> bool:
    return any(found.start <= second < found.end for found in ranges)


def test_every_long_pause_of_a_reader_is_found(reading_run: ActionRun, spoken: Samples) -> None:
    pauses = [(start, end) for start, end in _quiet_stretches(spoken) if end - start >= 0.6]
    assert len(pauses) >= 10
    for start, end in pauses:
        assert not _covered(reading_run.ranges, (start + end) / 2), (start, end)


def test_whatever_is_loud_in_a_reading_is_speech(reading_run: ActionRun, spoken: Samples) -> None:
    quiet = np.zeros(spoken.size // HOP, dtype=bool)
    for start, end in _quiet_stretches(spoken):
        quiet[round(start * 100) : round(end * 100)] = True
    loud = np.flatnonzero(~quiet) / 100
    missed = [second for second in loud if not _covered(reading_run.ranges, second)]
    assert len(missed) < 0.01 * loud.size


def test_a_reading_is_mostly_speech_with_high_confidence(reading_run: ActionRun) -> None:
    assert all(found.label == "speech" for found in reading_run.ranges)
    assert all((found.confidence or 0) > 0.9 for found in reading_run.ranges)
    assert reading_run.metadata["duration"] == pytest.approx(44.374, abs=0.01)
    assert reading_run.metadata["speech_ratio"] == pytest.approx(0.78, abs=0.03)
    assert reading_run.metadata["speech_s"] == pytest.approx(
        sum(found.duration for found in reading_run.ranges), abs=0.01
    )
    reading_run.assert_metadata(speech_ranges=len(reading_run.ranges), skipped_packets=0)


def test_ranges_follow_each_other_without_overlap(reading_run: ActionRun) -> None:
    edges = [edge for found in reading_run.ranges for edge in (found.start, found.end)]
    assert edges == sorted(edges)


def test_silence_before_speech_shifts_its_ranges(wav: WriteWav, spoken: Samples) -> None:
    excerpt = spoken[: 9 * RATE]
    shift = 3.2
    silence = np.zeros(round(shift * RATE), np.int16)
    here = run_action(SpeechVad(), wav(excerpt)).ranges
    assert len(here) == 3
    run_action(SpeechVad(), wav(silence, excerpt, name="later.wav")).assert_ranges(
        *((found.start + shift, found.end + shift, "speech") for found in here), tolerance=0.1
    )


def test_silence_tones_and_noise_are_no_speech(wav: WriteWav, tmp_path: Path) -> None:
    tones = write_wav(tmp_path / "tones.wav", (1.5, 0), (1.5, 220), (1.5, 1000))
    noise = np.random.default_rng(1).normal(0, 3000, 4 * RATE)
    for path in (tones, wav(noise, name="noise.wav")):
        run_action(SpeechVad(), path).assert_ranges().assert_metadata(
            speech_s=0, speech_ratio=0, speech_ranges=0
        )


def test_the_film_gives_the_same_ranges_as_its_sound_alone(film: Path, wav: WriteWav) -> None:
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(str(film)) as container:
        sound = [
            resampled.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for resampled in resampler.resample(frame)
        ]
    alone = run_action(SpeechVad(), wav(*sound))
    run_action(SpeechVad(), film).assert_ranges(
        *((found.start, found.end) for found in alone.ranges)
    )


def test_a_higher_threshold_finds_less(wav: WriteWav, spoken: Samples) -> None:
    path = wav(spoken[: 9 * RATE])
    speech = [
        run_action(SpeechVad(threshold=at), path).metadata["speech_s"] for at in (0.2, 0.5, 0.99)
    ]
    assert speech[0] > speech[1] > speech[2]


def test_speech_goes_on_over_short_silences(reading_run: ActionRun, reading: Path) -> None:
    joined = run_action(SpeechVad(min_silence_s=60), reading)
    assert len(joined.ranges) == 1
    assert joined.ranges[0].start == reading_run.ranges[0].start


def test_a_gap_in_the_timestamps_is_silence_of_its_length(tmp_path: Path, spoken: Samples) -> None:
    excerpt = spoken[RATE : 4 * RATE]
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number, samples in enumerate(excerpt.reshape(-1, 1000)):
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            frame.pts = number * 1000 + (5 * RATE if number >= 24 else 0)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    run = run_action(SpeechVad(), path)
    assert run.metadata["duration"] == pytest.approx(8, abs=0.05)
    run.assert_ranges((0.19, 1.5), (6.5, 8), tolerance=0.15)


def test_a_film_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(InvalidMedia, match=r"silent\.mkv has no sound"):
        run_action(SpeechVad(), path)


def test_a_recording_without_its_samples_says_what_was_promised(
    reading: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.flac"
    path.write_bytes(reading.read_bytes()[:9_000])
    with pytest.raises(InvalidMedia, match=r"promises 44\.4 s of sound, but none can be decoded"):
        run_action(SpeechVad(), path)


def test_a_recording_that_is_cut_off_is_heard_to_where_it_goes(
    reading: Path, tmp_path: Path
) -> None:
    path = tmp_path / "half.flac"
    path.write_bytes(reading.read_bytes()[:200_000])
    run = run_action(SpeechVad(), path)
    assert 5 < run.metadata["duration"] < 15
    assert "not at 44.4 s" in run.result.completeness.describe()


def test_a_bad_packet_is_left_out_and_counted(tmp_path: Path, film: Path) -> None:
    path = tmp_path / "scratched.mp4"
    with av.open(str(film)) as container:
        stream = container.streams.audio[0]
        packet = [packet for packet in container.demux(stream) if packet.size][100]
        offset, size = packet.pos, packet.size
    data = bytearray(film.read_bytes())
    assert offset is not None
    data[offset : offset + size] = b"\xff" * size
    path.write_bytes(data)
    run = run_action(SpeechVad(), path).assert_metadata(skipped_packets=1)
    assert run.result.completeness.missing_packets == 1
    assert run.metadata["duration"] == pytest.approx(5.312, abs=0.05)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    os.mkfifo(path)
    with pytest.raises(InvalidMedia, match="no regular file"):
        run_action(SpeechVad(), path)


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"There is no file gone\.wav"):
        run_action(SpeechVad(), tmp_path / "gone.wav")


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path, reading: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff%d:\n.flac"))
    path.symlink_to(reading)
    with pytest.raises(JobCancelled):
        run_action(SpeechVad(), path, cancel_after=3)


def test_a_cancel_ends_it_at_the_next_window(reading: Path) -> None:
    with pytest.raises(JobCancelled):
        run_action(SpeechVad(), reading, cancel_after=5)


def test_progress_comes_for_every_window_of_32_ms(reading_run: ActionRun) -> None:
    fractions = [fraction for fraction, _ in reading_run.progress]
    assert fractions == sorted(fractions)
    assert len(fractions) == pytest.approx(44.374 / 0.032, abs=2)
    assert fractions[-1] == pytest.approx(1, abs=0.001)


def test_one_run_leaves_no_trace_in_the_next(wav: WriteWav, spoken: Samples) -> None:
    path = wav(spoken[: 3 * RATE])
    assert run_action(SpeechVad(), path).result == run_action(SpeechVad(), path).result


def test_it_keeps_to_what_the_host_counts_on(film: Path, wav: WriteWav, spoken: Samples) -> None:
    check_action(SpeechVad(threshold=0.4), film)
    check_action(SpeechVad(), MediaFile.at(wav(spoken[RATE : 5 * RATE])))


def test_a_playlist_opens_no_other_files(reading: Path, tmp_path: Path) -> None:
    (tmp_path / "reading.flac").write_bytes(reading.read_bytes())
    playlist = tmp_path / "list.wav"
    playlist.write_text("ffconcat version 1.0\nfile reading.flac\n")

    with pytest.raises(InvalidMedia, match=r"list\.wav"):
        run_action(SpeechVad(), playlist)
