"""speech.transcribe beside faster-whisper's batched pipeline: CPU, wall time and wrong words.

Both transcribe the same file by turns, so that neighbours on the machine trouble both alike. All of
`mediahost run` is counted: its start, its worker, hashing the file and keeping the result. The
pipeline gets 8 pieces at once and two threads.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import media
from benchmarks.measure import Cost, environment, once
from benchmarks.report import Report
from mediahost_speech.sound import Sound

TITLE = "Speech (speech.transcribe beside faster-whisper's batched pipeline, by turns, medians)"
BARE = Path(__file__).parent / "programs" / "bare_transcribe.py"
PROGRAM = Path(sys.executable).with_name("mediahost")
RATE = 16_000
LIMIT = 1.05

# Charles Dickens, A Tale of Two Cities, 1859: what is read in the example file.
TEXT = """
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of
Light, it was the season of Darkness, it was the spring of hope, it was the winter of despair, we
had everything before us, we had nothing before us, we were all going direct to Heaven, we were all
going direct the other way - in short, the period was so far like the present period, that some of
its noisiest authorities insisted on its being received, for good or for evil, in the superlative
degree of comparison only.
"""

Samples = np.ndarray[Any, np.dtype[np.float64]]


def measure(*, quick: bool) -> Report:
    """CPU and wall time of a long file by both models, then wrong words with noise and music.

    Args:
        quick: A short file, once, by the small model alone.
    """
    report = Report("speech", TITLE)
    report.add("load of the machine before", os.getloadavg()[0], "")
    with tempfile.TemporaryDirectory() as folder:
        speech = np.resize(
            _samples(media.EXAMPLES / "two_cities.flac"), (45 if quick else 216) * RATE
        )
        path = _written(Path(folder) / "long.wav", speech)
        for model in ("tiny.en",) if quick else ("tiny.en", "base"):
            _race(report, model, path, rounds=1 if quick else 5)
            _count_errors(report, model, quick=quick)
    report.add("load of the machine after", os.getloadavg()[0], "")
    return report


def _race(report: Report, model: str, path: Path, rounds: int) -> None:
    costs: list[tuple[Cost, Cost]] = []
    for _ in range(rounds):
        bare = once([sys.executable, BARE, _folder(model), path, "en"])
        with tempfile.TemporaryDirectory() as data:
            ours = once(_call(model, path, data))
        costs.append((ours, bare))
    for name, part in (("CPU", "cpu_s"), ("wall", "wall_s")):
        ours_s = median(getattr(ours, part) for ours, _ in costs)
        bare_s = median(getattr(bare, part) for _, bare in costs)
        ratio = median(getattr(ours, part) / getattr(bare, part) for ours, bare in costs)
        report.add(f"{model}, {name}", ours_s, "s", f"the pipeline alone: {bare_s:.1f} s")
        report.at_most(f"{model}, {name} <= {LIMIT} x the pipeline", ratio, LIMIT, "x")


def _count_errors(report: Report, model: str, *, quick: bool) -> None:
    ours_wrong = bare_wrong = words = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in _test_set(Path(folder), quick=quick):
            bare = subprocess.run(
                [sys.executable, BARE, _folder(model), path, "en"],
                capture_output=True,
                text=True,
                check=True,
                env=environment(),
            ).stdout
            ours_wrong += _wrong(_transcribed(model, path, folder))
            bare_wrong += _wrong(bare)
            words += len(_plain(TEXT).split())
    report.add(f"{model}, wrong words", ours_wrong, f"of {words}", f"pipeline: {bare_wrong}")
    text = f"{model}, no more wrong words than the pipeline"
    report.at_most(text, ours_wrong, bare_wrong, "words")


def _call(model: str, path: Path, data: str) -> list[str | Path]:
    action = f"speech.transcribe:model={model},language=en"
    return [PROGRAM, "--data-dir", data, "run", path, "--action", action, "-j", "1"]


def _transcribed(model: str, path: Path, folder: str) -> str:
    data = str(Path(folder) / f"data-{path.stem}")
    once(_call(model, path, data))
    argv: list[str | Path] = [PROGRAM, "--data-dir", data, "results", path, "--json"]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return str(json.loads(out)[0]["result"]["transcription"]["text"])


def _folder(model: str) -> str:
    argv = [str(PROGRAM), "models", "where", model]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def _test_set(folder: Path, *, quick: bool) -> list[Path]:
    """The reading: as it is, and with noise and music that loud, in dB below it."""
    speech = _samples(media.EXAMPLES / "two_cities.flac")
    noise = np.random.default_rng(7).normal(0, 1, len(speech))
    music = np.resize(_samples(media.EXAMPLES / "bigbuckbunny.mp4"), len(speech))
    sounds = {"clean": speech, "noise-10": _mixed(speech, noise, 10)}
    if not quick:
        sounds |= {"noise-0": _mixed(speech, noise, 0), "music-5": _mixed(speech, music, 5)}
    return [_written(folder / f"{name}.wav", sound) for name, sound in sounds.items()]


def _mixed(speech: Samples, other: Samples, below_db: float) -> Samples:
    loudness = float(np.sqrt((speech**2).mean() / (other**2).mean()))
    mixed: Samples = speech + other * loudness / 10 ** (below_db / 20)
    return mixed


def _samples(path: Path) -> Samples:
    windows = Sound(path).windows()
    sound = b"".join(window.samples or b"" for window in windows)
    return np.frombuffer(sound, "<i2").astype(np.float64)


def _written(path: Path, sound: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(sound, -32768, 32767).astype("<i2").tobytes())
    return path


def _wrong(text: str) -> int:
    import jiwer  # noqa: PLC0415 - of the plugin's tests

    found = jiwer.process_words(_plain(TEXT), _plain(text))
    return int(found.substitutions + found.deletions + found.insertions)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))
