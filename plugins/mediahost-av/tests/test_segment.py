from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediahost import InvalidMedia
from mediahost.errors import InvalidConfig
from mediahost.testing import run_action
from mediahost_av import ExtractSegment

See = Callable[[Path], dict[str, Any]]
Samples = Callable[..., bytes]
AWKWARD = ("clip", "transport_stream", "cueless")


def test_an_exact_segment_of_a_recording_has_the_very_samples(
    speech: Path, samples_of: Samples
) -> None:
    whole = np.frombuffer(samples_of(speech), "<i2")

    run = run_action(ExtractSegment(start=12.3456, end=30.001), speech)

    made = np.frombuffer(samples_of(run.artifacts[0].path), "<i2")
    assert np.array_equal(made, whole[round(12.3456 * 48_000) : round(30.001 * 48_000)])
    run.assert_metadata(mode="exact", format="flac", start=12.3456, end=30.001, offset=0)


@pytest.mark.parametrize("name", AWKWARD)
def test_an_exact_segment_of_a_film_shows_the_very_frames(
    name: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)

    run = run_action(ExtractSegment(start=1.8, end=3.0, format="mp4", crf=1), path)

    # What is on view from 1.8 s on, where a seek in MPEG-TS goes to the keyframe after it.
    # MPEG-TS begins with 21 ms of sound, so its frames lie between.
    source = [
        (max(seconds - 1.8, 0), picture)
        for seconds, picture in _frames(path)
        if seconds + 0.039 > 1.8 and seconds < 2.999
    ]
    made = _frames(run.artifacts[0].path)
    assert len(made) >= 30
    for (seconds, picture), (wanted, frame) in zip(made, source, strict=True):
        assert seconds == pytest.approx(wanted, abs=0.001)
        assert np.abs(picture - frame).mean() < 1


@pytest.mark.parametrize("name", AWKWARD)
def test_an_exact_segment_of_a_film_has_its_sound_in_place(
    name: str, clip: Path, samples_of: Samples, request: pytest.FixtureRequest
) -> None:
    whole = np.frombuffer(samples_of(clip), "<i2").astype(int)[::2]

    run = run_action(
        ExtractSegment(start=2.2, end=3.4, format="wav"), request.getfixturevalue(name)
    )

    made = np.frombuffer(samples_of(run.artifacts[0].path), "<i2").astype(int)[::2]
    assert len(made) == pytest.approx(1.2 * 48_000, abs=48)
    # MPEG-TS and Matroska round times, and begin with the 21 ms that AAC needs to get going.
    middle = made[2_000:50_000]
    errors = {
        lag: np.abs(middle - whole[105_600 + 2_000 + lag :][: len(middle)]).mean()
        for lag in range(-1_100, 1_101)
    }
    best = min(errors, key=lambda lag: errors[lag])
    assert errors[best] < 1
    assert abs(best) <= (0 if name == "clip" else 1_100)


@pytest.mark.parametrize("name", AWKWARD)
def test_a_fast_segment_is_the_source_from_a_keyframe_on(
    name: str, clip: Path, request: pytest.FixtureRequest
) -> None:
    run = run_action(ExtractSegment(start=2.2, end=3.4, mode="fast"), request.getfixturevalue(name))

    # A keyframe every 12 frames of 0.04 s: 1.92 s is the last before 2.2 s.
    run.assert_metadata(
        mode="fast",
        start=pytest.approx(1.92, abs=0.03),
        offset=pytest.approx(0.28, abs=0.03),
        end=pytest.approx(3.4, abs=0.15),
        warnings=[],
    )
    made = [picture for seconds, picture in _frames(run.artifacts[0].path) if seconds < 1.5]
    source = [picture for seconds, picture in _frames(clip) if seconds >= 1.919]
    assert len(made) >= 37
    # Beyond the end come single frames that others build on.
    assert all(np.array_equal(a, b) for a, b in zip(made[:37], source[:37], strict=True))


def test_a_fast_segment_says_how_long_it_is(clip: Path, seen_by_ffmpeg: See) -> None:
    run = run_action(ExtractSegment(start=2.2, end=3.4, mode="fast"), clip)

    length = run.metadata["end"] - run.metadata["start"]
    assert seen_by_ffmpeg(run.artifacts[0].path)["duration"] == pytest.approx(length, abs=0.05)


def test_a_fast_segment_of_a_recording_is_off_by_a_packet_at_most(
    speech: Path, samples_of: Samples
) -> None:
    whole = np.frombuffer(samples_of(speech), "<i2")

    run = run_action(ExtractSegment(start=12.3, end=20, mode="fast"), speech)

    start = round(run.metadata["start"] * 48_000)
    made = np.frombuffer(samples_of(run.artifacts[0].path), "<i2")
    assert 0 <= 12.3 * 48_000 - start < 5_000
    assert np.array_equal(made, whole[start : start + len(made)])
    assert len(made) == pytest.approx((20 - run.metadata["start"]) * 48_000, abs=5_000)


def test_a_picture_that_was_on_view_at_the_start_is_seen(slides: Path) -> None:
    run = run_action(ExtractSegment(start=1.5, end=3.5, crf=1), slides)

    made, source = _frames(run.artifacts[0].path), _frames(slides)
    assert [seconds for seconds, _ in made] == [0, 0.5, 1.5]
    assert all(np.abs(a - b).mean() < 1 for (_, a), (_, b) in zip(made, source[1:4], strict=True))


def test_a_segment_to_the_end_is_what_is_left(speech: Path, seen_by_ffmpeg: See) -> None:
    for mode in ("exact", "fast"):
        run = run_action(ExtractSegment(start=40, mode=mode), speech)

        seconds = seen_by_ffmpeg(run.artifacts[0].path)["duration"]
        assert seconds == pytest.approx(4.374, abs=0.1)


def test_an_end_beyond_the_end_is_the_end(speech: Path) -> None:
    run = run_action(ExtractSegment(start=40, duration=1000), speech)

    run.assert_metadata(end=pytest.approx(44.374, abs=0.001), warnings=[])


@pytest.mark.parametrize("mode", ["exact", "fast"])
@pytest.mark.parametrize("name", ["clip", "cueless"])
def test_a_segment_cannot_start_after_the_end(
    mode: str, name: str, request: pytest.FixtureRequest
) -> None:
    action = ExtractSegment.configured({"start": 60, "mode": mode})

    with pytest.raises(InvalidMedia, match=r"ends at 5\.\d+ s, before the segment's start at 60 s"):
        run_action(action, request.getfixturevalue(name))


def test_a_film_in_a_container_of_no_use_becomes_mkv(transport_stream: Path) -> None:
    run = run_action(ExtractSegment(start=1, mode="fast"), transport_stream)

    assert run.artifacts[0].path.suffix == ".mkv"


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"start": 5, "end": 4}, "can't end"),
        ({"end": 4, "duration": 4}, "not both"),
        ({"start": -1}, "start"),
        ({"mode": "fast", "crf": 20}, "copies"),
        ({"start": "nan"}, "start"),
    ],
    ids=str,
)
def test_a_config_that_makes_no_sense_is_refused_at_the_door(
    config: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InvalidConfig, match=complaint):
        ExtractSegment.configured(config)


def _frames(path: Path) -> list[tuple[float, Any]]:
    with av.open(str(path)) as container:
        return [
            (
                frame.time - (container.start_time or 0) / 1e6,
                frame.to_ndarray(format="gray").astype(int),
            )
            for frame in container.decode(video=0)
        ]
