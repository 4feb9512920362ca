"""Real recordings, tones made by numpy, and the ffmpeg program as an independent judge."""

import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "media"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()

Samples = np.ndarray[Any, np.dtype[np.floating[Any]]]


def run_ffmpeg(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [FFMPEG, "-nostdin", "-hide_banner", "-y", *map(str, arguments)],
        capture_output=True,
        check=True,
        timeout=60,
    )


@pytest.fixture(scope="session")
def ffmpeg() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    return run_ffmpeg


@pytest.fixture(scope="session")
def reading() -> Path:
    """44.4 s of somebody reading aloud, mono, 48 kHz, 16 bit."""
    return EXAMPLES / "two_cities.flac"


@pytest.fixture(scope="session")
def film() -> Path:
    """A film excerpt of 5.3 s with 5.1 sound."""
    return EXAMPLES / "bigbuckbunny.mp4"


@pytest.fixture(scope="session")
def loops() -> Path:
    """A folder of music loops, each with a known number of beats."""
    return Path(__file__).parent / "media"


@pytest.fixture(scope="session")
def samples_of() -> Callable[[Path], tuple[Samples, int]]:
    """What the ffmpeg program decodes a file's sound to: (samples, channels), and the rate."""

    def samples(path: Path) -> tuple[Samples, int]:
        data = run_ffmpeg("-i", path, "-f", "wav", "-c:a", "pcm_f32le", "-bitexact", "-").stdout
        header = data.index(b"fmt ") + 8
        channels = int.from_bytes(data[header + 2 : header + 4], "little")
        rate = int.from_bytes(data[header + 4 : header + 8], "little")
        values = np.frombuffer(data[data.index(b"data") + 8 :], "<f4")
        return values.reshape(-1, channels).astype(float), rate

    return samples


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Writes samples from -1 to 1, (count,) or (count, channels), to a WAV file of 16 bit."""

    def write(samples: Samples, rate: int = 48_000, name: str = "sound.wav") -> Path:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture(scope="session")
def tone() -> Callable[..., Samples]:
    """A stereo sine of so many seconds, at a level in dB of full scale."""

    def make(
        seconds: float, level_db: float, hertz: float = 1000, phase: float = 0, rate: int = 48_000
    ) -> Samples:
        time = np.arange(round(seconds * rate)) / rate
        sine = 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * time + np.radians(phase))
        return np.stack([sine, sine], axis=1)

    return make


@pytest.fixture(scope="session")
def clicks() -> Callable[..., tuple[Samples, list[float]]]:
    """A metronome at a tempo, in 22.05 kHz, and when it clicks, in seconds."""

    def make(bpm: float, seconds: float, sway: float = 0.0) -> tuple[Samples, list[float]]:
        rate, time, times = 22_050, 0.2, []
        while time < seconds - 0.1:
            times.append(time)
            time += 60 / bpm * (1 + sway * np.sin(2 * np.pi * time / 10))
        samples = np.zeros(round(seconds * rate))
        stroke = np.exp(-np.arange(2000) / 300) * np.sin(np.arange(2000) * 0.35) * 0.7
        for number, when in enumerate(times):
            start = round(when * rate)
            samples[start : start + 2000] += stroke * (1.0 if number % 4 == 0 else 0.7)
        return samples, times

    return make
