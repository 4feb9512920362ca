from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mediahost import InvalidMedia
from mediahost.errors import InvalidConfig
from mediahost.testing import ActionRun, run_action
from mediahost_av import Waveform
from mediahost_av.envelope import MOST_BINS, Envelope


def test_each_column_reaches_as_far_as_its_samples(
    speech: Path, samples_of: Callable[..., bytes]
) -> None:
    samples = np.frombuffer(samples_of(speech), "<i2") / 32768

    run = run_action(Waveform(width=400, height=401, fill=True), speech)

    run.assert_metadata(
        duration=pytest.approx(44.374, abs=0.01),
        peak=pytest.approx(np.abs(samples).max(), abs=0.001),
    )
    bars = _bars(run)
    assert bars.shape == (401, 400)
    parts = np.array_split(samples, 400)
    loudest = np.abs(samples).max()
    for column, part in zip(bars.T, parts, strict=True):
        rows = np.flatnonzero(column)
        # What is at the edge of two columns may be drawn in either.
        inner = part[600:-600]
        assert 200 - rows[0] >= inner.max() / loudest * 200 - 2
        assert rows[-1] - 200 >= -inner.min() / loudest * 200 - 2
    drawn = bars.sum() / bars.size
    wanted = np.mean([(part.max() - part.min()) / loudest / 2 for part in parts])
    assert drawn == pytest.approx(wanted, rel=0.05)


def test_silence_is_a_line_and_sound_is_not(media_factory: Callable[..., Any]) -> None:
    bars = _bars(run_action(Waveform(width=100), media_factory((1, 0), (1, 440), (2, 0))))

    heights = bars.sum(axis=0)
    assert (heights[:24] == heights[60]).all()
    assert (heights[:24] <= 2).all()
    assert (heights[26:49] > 20).all()


def test_a_gap_in_the_timestamps_takes_its_place(gapped: Path) -> None:
    run = run_action(Waveform(width=106), gapped)

    assert run.metadata["duration"] == pytest.approx(5.3, abs=0.05)
    heights = _bars(run).sum(axis=0)
    assert (heights[21:39] <= 2).all()


def test_colours_are_those_asked_for(film: Path) -> None:
    run = run_action(Waveform(color="#ff0000", background="#00ff00", format="webp"), film)

    run.assert_artifact(asset_type="waveform", mime_type="image/webp")
    plain = run_action(Waveform(color="#ff0000", width=50), film)
    with Image.open(plain.artifacts[0].path) as image:
        assert set(image.convert("RGBA").get_flattened_data()) == {(255, 0, 0, 255), (0, 0, 0, 0)}


def test_a_silent_film_is_refused(silent: Path) -> None:
    with pytest.raises(InvalidMedia, match=r"silent\.mp4 has no sound"):
        run_action(Waveform(), silent)


def test_a_colour_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="color"):
        Waveform.configured({"color": "red;"})


def test_the_envelope_of_long_sound_takes_no_more_room() -> None:
    envelope = Envelope()
    rng = np.random.default_rng(1)
    samples = rng.uniform(-0.5, 0.5, (2, 3_000_017)).astype(np.float32)
    samples[0, 1_234_567] = 0.9
    for piece in np.array_split(samples, 997, axis=1):
        envelope.take([*piece])

    low, high = envelope.columns(100)

    assert envelope._low.size <= MOST_BINS
    assert envelope.samples == 3_000_017
    assert int(high.argmax()) == 41
    assert high.max() == np.float32(0.9)
    assert low.max() < -0.49


def _bars(run: ActionRun) -> Any:
    """Where the picture shows the waveform: (height, width)."""
    with Image.open(run.artifacts[0].path) as image:
        return np.asarray(image.convert("RGBA"))[:, :, 3] > 0
