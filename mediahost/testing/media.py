"""Small media files made on the spot, and damaged copies of real ones."""

import array
import math
import os
import random
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

_FLIPS = 64


def write_wav(
    path: str | os.PathLike[str], *stretches: tuple[float, float], sample_rate: int = 16_000
) -> Path:
    """Write a mono WAV file of pure tones and silences.

    Args:
        path: Where to.
        stretches: (seconds, hertz) one after the other; 0 Hz is silence. None given: one second
            of 440 Hz.
        sample_rate: Samples per second.
    """
    samples = array.array("h")
    for seconds, hertz in stretches or ((1.0, 440.0),):
        step = 2 * math.pi * hertz / sample_rate
        count = round(seconds * sample_rate)
        samples.extend(round(12_000 * math.sin(step * index)) for index in range(count))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(os.fspath(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
    return Path(path)


def damaged_copies(
    path: str | os.PathLike[str], folder: str | os.PathLike[str]
) -> Iterator[tuple[str, Path]]:
    """Write damaged copies of a file into a folder: always the same ones for the same file.

    Yields:
        What was done to the copy, in words, and its path.
    """
    original = Path(path)
    data = original.read_bytes()
    middle = len(data) // 2
    damages = {
        "an empty file": b"",
        "its first half": data[:middle],
        "its second half": data[middle:],
        "its beginning overwritten": bytes(min(64, len(data))) + data[64:],
        "some of its bytes changed": _flipped(data),
        "text instead": b"This is no media file.\n" * 100,
    }
    for number, (what, damaged) in enumerate(damages.items()):
        copy = Path(folder) / f"damaged-{number}{original.suffix}"
        copy.write_bytes(damaged)
        yield what, copy


def _flipped(data: bytes) -> bytes:
    flipped = bytearray(data)
    chance = random.Random(len(data))  # noqa: S311 - the same damage every time, no secret
    for _ in range(_FLIPS if data else 0):
        flipped[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    return bytes(flipped)
