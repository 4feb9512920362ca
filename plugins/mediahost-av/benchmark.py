"""The CPU time of this plugin against that of the ffmpeg program, on one film.

python plugins/mediahost-av/benchmark.py FILM

Each job runs three times with one thread, the best counts. The plugin runs as in a worker, where
FFmpeg is loaded once; the program pays for its start each time, some 0.05 s.
"""
# ruff: noqa: T201, INP001 - a script that prints

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]

from mediahost import Action
from mediahost.testing import run_action
from mediahost_av import ContactSheet, Convert, ExtractSegment, Probe

RUNS = 3
TILES = 16


def main(film: Path) -> None:
    """Print a row for each job."""
    seconds = run_action(Probe(), film).metadata["duration"]
    one = ("-threads", "1")
    every = f"fps={TILES}/{seconds},scale=320:-2,tile=4x4"
    jobs: list[tuple[str, Action, tuple[str, ...]]] = [
        ("probe", Probe(), ()),
        ("mp4 to mp3", Convert(format="mp3"), ("-vn", "-ac", "2", "-b:a", "192k", "o.mp3")),
        (
            "mp4 to mp4, 640 wide, fast",
            Convert(max_width=640, effort="fast"),
            ("-vf", "scale=640:-2", "-preset", "veryfast", *one, "-b:a", "480k", "o.mp4"),
        ),
        (
            "a second of it, exact",
            ExtractSegment(start=seconds / 2, duration=1, format="mp4"),
            ("-ss", str(seconds / 2), "-t", "1", *one, "-b:a", "480k", "o.mp4"),
        ),
        (
            "all of it but a second, copied",
            ExtractSegment(start=1, mode="fast"),
            ("-ss", "1", "-c", "copy", "o.mp4"),
        ),
        ("contact sheet 4x4", ContactSheet(), ("-an", "-vf", every, "-frames:v", "1", "o.jpg")),
    ]
    print(f"{'job':32} {'plugin':>8} {'ffmpeg':>8} {'ratio':>6}   CPU seconds")
    for name, action, arguments in jobs:
        ours = min(_cpu(partial(run_action, action, film)) for _ in range(RUNS))
        theirs = min(_ffmpeg(film, arguments) for _ in range(RUNS))
        print(f"{name:32} {ours:8.2f} {theirs:8.2f} {ours / theirs:6.2f}")


def _cpu(call: Callable[[], object]) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


def _ffmpeg(film: Path, arguments: tuple[str, ...]) -> float:
    """Input options come first: -ss and -threads apply to the reading, too."""
    seek = arguments[:2] if arguments[:1] == ("-ss",) else ()
    with tempfile.TemporaryDirectory() as folder:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-threads", "1", *seek]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [*command, "-i", film.resolve(), *arguments[len(seek) :]],
            cwd=folder,
            check=bool(arguments),  # without an output it ends with an error, having printed
            capture_output=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(Path(sys.argv[1]))
