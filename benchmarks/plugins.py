"""Plugins: their actions beside the ffmpeg program, and their memory on long files.

The actions run in this process, as in a worker, where FFmpeg is loaded once; the program pays for
its start each time, some 0.05 s. Both have one thread. It needs the plugins installed.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import media, peers
from benchmarks.host import PROGRAM, Installation
from benchmarks.measure import command, function
from benchmarks.report import Report
from mediahost import Action
from mediahost.testing import run_action
from mediahost.testing.run import installed_plugins

TITLE = "Plugins (CPU of one thread, medians; beside the ffmpeg program of imageio-ffmpeg)"

ONE_ACTION = Path(__file__).parent / "programs" / "one_action.py"
USUAL_S = 600  # of a film
MOST_MB = 48  # that an hour may take beyond a minute: what a result holds grows with the file


class Race(NamedTuple):
    """An action and the ffmpeg program's arguments for the same.

    Attributes:
        action: Its name.
        config: Its config.
        arguments: What the program is called with besides its input; what is in `BEFORE_INPUT`
            comes first, and goes before that.
        limit: The goal: at most so many times the program's CPU time; None: no goal.
        feature: Whether the film is one of usual length.
    """

    action: str
    config: dict[str, object]
    arguments: tuple[str, ...]
    limit: float | None = None
    feature: bool = False


def measure(*, quick: bool, only: str = "") -> Report:
    """CPU beside the program, the host beside the action called directly, then memory.

    Args:
        quick: Shorter files, and each measured once.
        only: A part of the names of actions, if not all are wanted.
    """
    report = Report("plugins", TITLE)
    peers.install()
    seconds = 10 if quick else 120
    for race in _races(seconds):
        if only in race.action:
            film = media.feature(USUAL_S) if race.feature else media.film(seconds)
            _run(report, race, film, repeat=1 if quick else 3)
    long = 300 if quick else 3600
    if only in OVERHEAD:
        _add_overhead(report, media.sound(long), repeat=1)
    _add_memory(report, long, only)
    return report


def _races(seconds: int) -> list[Race]:
    middle = str(seconds / 2)
    sheet = f"fps=16/{USUAL_S},scale=320:-2,tile=4x4"
    opus = ("-vn", "-c:a", "libopus", "-b:a", "384k", "o.opus")
    small = ("-vf", "scale=640:-2", "-preset", "veryfast", "-b:a", "480k")
    return [
        Race("av.probe", {}, (), 1.1),
        Race("av.convert", {"max_width": 640, "effort": "fast"}, (*small, "o.mp4"), 1.1),
        Race("av.convert", {"format": "opus"}, opus, 1.1),
        Race("av.convert", {"format": "mp3"}, ("-vn", "-ac", "2", "-b:a", "192k", "o.mp3")),
        Race("av.extract_audio", {}, ("-vn", "-c", "copy", "o.m4a"), 1.1),
        Race(
            "av.extract_segment",
            {"start": seconds / 2, "duration": 1.0, "format": "mp4"},
            ("-ss", middle, "-t", "1", "-b:a", "480k", "o.mp4"),
            1.1,
        ),
        Race(
            "av.extract_segment",
            {"start": 1.0, "mode": "fast"},
            ("-ss", "1", "-c", "copy", "o.mp4"),
            1.1,
        ),
        Race("av.frames", {"every_s": 5}, ("-an", "-vf", "fps=1/5", "-q:v", "3", "o%03d.jpg"), 1.1),
        Race(
            "av.contact_sheet",
            {},
            # By keyframes, too: to decode the whole film takes the program 30 times as long.
            ("-skip_frame", "nokey", "-an", "-vf", sheet, "-frames:v", "1", "o.jpg"),
            0.35,
            feature=True,
        ),
        Race("av.waveform", {}, ("-filter_complex", "showwavespic", "-frames:v", "1", "o.png")),
        Race(
            "audio.loudness",
            {},
            ("-vn", "-af", "ebur128=peak=true:framelog=quiet", *_NOWHERE),
            1.1,
        ),
        Race("audio.silence", {}, ("-vn", "-af", "silencedetect=n=-50dB:d=0.5", *_NOWHERE)),
        Race("scenes.detect", {}, ("-an", "-vf", "scdet", *_NOWHERE), 1.3),
    ]


_NOWHERE = ("-f", "null", "-")
BEFORE_INPUT = ("-ss", "-skip_frame")
OVERHEAD = "audio.loudness"  # what the host is measured with
# What takes long by default is measured with less.
QUICKEST = {"speech.transcribe": {"model": "tiny.en", "beam_size": 1}}


def _run(report: Report, race: Race, film: Path, repeat: int) -> None:
    action = _action(race.action, race.config)
    ours = function(partial(_done, action, film), repeat=repeat).cpu_s
    theirs = _ffmpeg(race.arguments, film, repeat)
    settings = ",".join(f"{key}={value}" for key, value in race.config.items())
    name = f"{race.action}{':' if settings else ''}{settings}"
    ratio = ours / theirs
    report.add(name, ours, "s", f"ffmpeg {theirs:.2f} s, ratio {ratio:.2f}")
    if race.limit is not None:
        report.at_most(f"{name} within {race.limit} of ffmpeg", ratio, race.limit, "times")


def _action(name: str, config: dict[str, object]) -> Action:
    return installed_plugins().action(name).configured(config)


def _done(action: Action, path: Path) -> None:
    with tempfile.TemporaryDirectory() as workdir:
        run_action(action, path, workdir=workdir)


def _ffmpeg(arguments: tuple[str, ...], film: Path, repeat: int) -> float:
    """Input options come first: these and -threads apply to the reading, too."""
    seek = arguments[:2] if arguments and arguments[0] in BEFORE_INPUT else ()
    program = [peers.ffmpeg(), "-nostdin", "-y", "-threads", "1", *seek, "-i", film.resolve()]
    # Without an output it prints what is in the file, and ends with an error.
    rest = arguments[len(seek) :] or ("-t", "0", *_NOWHERE)
    threads = () if rest[-1] == "-" else ("-threads", "1")
    with tempfile.TemporaryDirectory() as folder:
        call = [*program, *rest[:-1], *threads, rest[-1]]
        return command(call, cwd=Path(folder), repeat=repeat).cpu_s


def _add_overhead(report: Report, sound: Path, repeat: int) -> None:
    """The whole host with its worker beside the same action called directly."""
    installation = Installation.named("plugins")
    run: list[str | Path] = [PROGRAM, "run", sound, "--action", "audio.loudness", "--jobs", "1"]
    ours = command(run, environ=installation.environ, before=_forget, repeat=repeat)
    direct = command([sys.executable, ONE_ACTION, "audio.loudness", sound], repeat=repeat)
    ratio = ours.cpu_s / direct.cpu_s
    note = f"without the host {direct.cpu_s:.2f} s, ratio {ratio:.2f}"
    report.add("mediahost run --action audio.loudness", ours.cpu_s, "s", note)
    report.at_most("the host adds at most 5 %", ratio, 1.05, "times")


def _forget() -> None:
    Installation.named("plugins", empty=True)


def _add_memory(report: Report, seconds: int, only: str) -> None:
    """The largest size of a process that runs one action, on a minute and on an hour."""
    makers: dict[str, Callable[[int], Path]] = {
        "audio.loudness": media.sound,
        "audio.silence": media.sound,
        "audio.beats": media.sound,
        "audio.normalize": media.sound,
        "speech.vad": media.sound,
        "speech.transcribe": media.sound,
        "av.waveform": media.sound,
        "av.extract_audio": media.small_film,
        "av.thumbnail": media.small_film,
        "av.contact_sheet": media.small_film,
        "scenes.detect": media.small_film,
    }
    for name, make in makers.items():
        if only not in name:
            continue
        short, long = (_largest_mb(name, make(length)) for length in (60, seconds))
        report.add(f"{name}, {seconds // 60} minutes", long, "MB", f"a minute {short:.0f} MB")
        text = f"{name} takes at most {MOST_MB} MB more"
        report.at_most(text, long - short, MOST_MB, "MB")


def _largest_mb(name: str, path: Path) -> float:
    config = json.dumps(QUICKEST.get(name, {}))
    call: list[str | Path] = [sys.executable, ONE_ACTION, name, path, config]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["largest_mb"])
