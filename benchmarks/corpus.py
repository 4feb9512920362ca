"""Corpora: the files that benchmarks work on, made once and kept in benchmarks/work."""

import os
import random
import struct
import wave
from pathlib import Path

WORK = Path(__file__).parent / "work"

FOLDER_FILES = 100
SMALLEST_BYTES, LARGEST_BYTES = 1_000, 100_000
MIB = 1 << 20


def recordings(count: int) -> Path:
    """A folder of short recordings of 1 to 100 KB, a hundred in each subfolder."""
    top = WORK / f"recordings-{count}"
    complete = top / ".complete"
    if not complete.exists():
        dice = random.Random(count)  # noqa: S311 - the same files on every machine
        for number in range(count):
            folder = top / f"day-{number // FOLDER_FILES:03}"
            folder.mkdir(parents=True, exist_ok=True)
            # Sizes evenly spread over their logarithm: many small files, few large ones.
            size = int(SMALLEST_BYTES * (LARGEST_BYTES / SMALLEST_BYTES) ** dice.random())
            write_recording(folder / f"recording-{number:05}.wav", size, dice)
        complete.touch()
    return top


def tiny_recordings(count: int) -> Path:
    """A folder of recordings of a few samples, a hundred in each subfolder, no two alike."""
    top = WORK / f"tiny-{count}"
    complete = top / ".complete"
    if not complete.exists():
        for start in range(0, count, FOLDER_FILES):
            folder = top / f"{start // 100_000:02}" / f"day-{start // FOLDER_FILES % 1000:03}"
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(start, min(start + FOLDER_FILES, count)):
                (folder / f"recording-{number:07}.wav").write_bytes(_tiny_wav(number))
        complete.touch()
    return top


def _tiny_wav(number: int) -> bytes:
    """8 kHz, one channel, 16 bits: four samples, which are the number."""
    samples = struct.pack("<Q", number)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


def write_recording(path: Path, size: int, dice: random.Random) -> None:
    """Write a wav file of noise: 8 kHz, one channel, 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(dice.randbytes(size // 2 * 2))


def blobs(count: int, size: int) -> Path:
    """A folder of files of one size."""
    top = WORK / f"blobs-{count}x{size}"
    complete = top / ".complete"
    if not complete.exists():
        top.mkdir(parents=True, exist_ok=True)
        noise = os.urandom(size)
        for number in range(count):
            (top / f"{number:05}.bin").write_bytes(struct.pack("<Q", number) + noise[8:])
        complete.touch()
    return top


def large_file(size: int) -> Path:
    """One file of that size, which is a multiple of a mebibyte."""
    path = WORK / f"large-{size}.bin"
    if not path.exists() or path.stat().st_size != size:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for _ in range(size // MIB):
                file.write(os.urandom(MIB))
    return path
