"""Real speech, and copies of it cut, shifted and mixed."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediahost.testing import ActionRun, run_action
from mediahost_speech.vad import SpeechVad

MEDIA = Path(__file__).parents[3] / "examples" / "media"
RATE = 16_000

Samples = np.ndarray[Any, np.dtype[np.int16]]


def _decoded(path: Path) -> Iterator[Samples]:
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            for resampled in resampler.resample(frame):
                yield resampled.to_ndarray()[0]


@pytest.fixture(scope="session")
def film() -> Path:
    """A film excerpt of 5.3 s with music, steps and a yawn."""
    return MEDIA / "bigbuckbunny.mp4"


@pytest.fixture(scope="session")
def reading() -> Path:
    """44 s of somebody reading aloud."""
    return MEDIA / "two_cities.flac"


@pytest.fixture(scope="session")
def reading_run(reading: Path) -> ActionRun:
    """`speech.vad` on the reading."""
    return run_action(SpeechVad(), reading)


@pytest.fixture(scope="session")
def spoken(reading: Path) -> Samples:
    """The samples of the reading: 16 kHz, mono."""
    return np.concatenate(list(_decoded(reading)))


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Writes samples, one array after the other, to a WAV file."""

    def write(*parts: Samples, name: str = "sound.wav") -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.concatenate(parts).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture
def sentence(wav: Callable[..., Path], spoken: Samples) -> Path:
    """It was the best of times, it was the worst of times."""
    return wav(spoken[: round(4.8 * RATE)])
