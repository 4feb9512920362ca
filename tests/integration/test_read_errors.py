"""A disk that fails while an action reads makes an error worth another attempt, never a result."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import imageio_ffmpeg  # type: ignore[import-untyped]
import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

EXAMPLES = Path(__file__).parents[2] / "examples" / "media"
SHARES = (0.0, 0.35, 0.7, 0.85)
ERRORS = (errno.EIO, errno.ESTALE, errno.ENOTCONN)

FILM_ACTIONS: list[tuple[str, dict[str, object]]] = [
    ("av.probe", {}),
    ("av.convert", {"format": "mkv", "max_width": 64, "effort": "fast"}),
    ("av.convert", {"format": "mkv", "video_codec": "copy", "audio_codec": "copy"}),
    ("av.extract_audio", {}),
    ("av.extract_segment", {"start": 1, "mode": "fast", "format": "mkv"}),
    ("av.extract_segment", {"start": 1, "end": 4, "format": "mkv"}),
    ("av.contact_sheet", {"tile_width": 64}),
    ("av.frames", {"count": 3, "max_width": 64}),
    ("av.thumbnail", {"max_width": 64}),
    ("av.waveform", {"width": 64}),
    ("scenes.detect", {}),
    ("audio.loudness", {}),
    ("audio.silence", {}),
    ("audio.beats", {}),
    ("audio.normalize", {"format": "flac"}),
    ("speech.vad", {}),
    ("subtitles.read", {}),
]
PICTURE_ACTIONS: list[tuple[str, dict[str, object]]] = [
    ("images.info", {}),
    ("images.thumbnail", {}),
    ("images.phash", {}),
]
PAPER_ACTIONS: list[tuple[str, dict[str, object]]] = [
    ("documents.info", {}),
    ("documents.text", {}),
    ("documents.pages", {"dpi": 18}),
    ("documents.contact_sheet", {}),
]

RUN = r"""
import json, os, sys
from pathlib import Path
from mediahost.testing import run_action
from mediahost.testing.run import installed_plugins
from mediahost.errors import MediahostError

path, mark, actions, cases = sys.argv[1], Path(sys.argv[2]), *map(json.loads, sys.argv[3:])
registry = installed_plugins()
for name, config in actions:
    action = registry.action(name).configured(config)
    for start, number in cases:
        os.environ.update(
            READ_ERROR_FROM=str(start), READ_ERROR=str(number), READ_ERROR_MARK=str(mark)
        )
        os.environ["READ_ERROR_PATH"] = path
        try:
            run_action(action, path)
            said = "done"
        except MediahostError as error:
            said = f"{type(error).__name__}: {error.message}"
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        del os.environ["READ_ERROR_PATH"]
        fired = mark.exists()
        mark.unlink(missing_ok=True)
        print(json.dumps([name, config, start, number, fired, said]))
"""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or which("cc") is None, reason="needs a C compiler and LD_PRELOAD"
)


@pytest.fixture(scope="module")
def injector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("injector") / "read_errors.so"
    source = Path(__file__).with_name("read_errors.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


def _film(folder: Path, suffix: str) -> Path:
    """3 MB with both streams all over it, and a subtitle track where the format has any."""
    path, text = folder / f"film{suffix}", folder / "lines.srt"
    text.write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:00:08,000 --> 00:00:09,000\nEnd\n"
    )
    subtitles = [] if suffix == ".ts" else ["-i", text, "-c:s", "srt"]
    if suffix == ".mp4":
        subtitles[-1] = "mov_text"
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y"),
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=10,noise=alls=40"),
        *("-f", "lavfi", "-i", "sine=440:d=10", *subtitles),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"),
        *("-movflags", "+faststart", path),
    ]
    subprocess.run(command, check=True)
    return path


def _run(injector: Path, path: Path, actions: list[tuple[str, dict[str, object]]]) -> None:
    size = path.stat().st_size
    cases = [
        (int(size * share), ERRORS[number % len(ERRORS)]) for number, share in enumerate(SHARES)
    ]
    done = subprocess.run(
        [
            *(sys.executable, "-c", RUN, path, path.with_suffix(".mark")),
            *(json.dumps(actions), json.dumps(cases)),
        ],
        env={**os.environ, "LD_PRELOAD": str(injector)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == len(actions) * len(cases)
    wrong = [
        outcome
        for outcome in outcomes
        if outcome[4] and not outcome[5].startswith(f"TransientError: {path.name} can't be ")
    ]
    assert not wrong, "\n".join(map(str, wrong))
    for name, config in actions:
        fired = [one[2] for one in outcomes if one[0] == name and one[1] == config and one[4]]
        assert 0 in fired, f"no read failed in {name} {config}"
        if name not in _READS_A_PART:
            assert len(fired) == len(cases), f"{name} {config} met errors only at {fired}"
    assert done.stderr == ""


# The header and a few places, or up to where enough is found.
_READS_A_PART = {
    "av.probe",
    "av.contact_sheet",
    "av.frames",
    "av.thumbnail",
    "av.extract_segment",
    "subtitles.read",
    "documents.info",
    "documents.text",
    "documents.pages",
    "documents.contact_sheet",
}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_read_error_in_a_film_is_no_end_of_it(
    suffix: str, injector: Path, tmp_path: Path
) -> None:
    actions = [one for one in FILM_ACTIONS if not (suffix == ".ts" and one[0] == "subtitles.read")]
    _run(injector, _film(tmp_path, suffix), actions)


def test_a_read_error_in_a_recording_is_no_end_of_it(injector: Path, tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    path.write_bytes((EXAMPLES / "two_cities.flac").read_bytes())
    heard = ("av.convert", "av.extract_audio", "av.waveform", "speech", "audio.loudness")
    actions: list[tuple[str, dict[str, object]]] = [
        (name, {"format": "mp3"} if name == "av.convert" else config)
        for name, config in FILM_ACTIONS
        if name.startswith(heard) and "video_codec" not in config
    ]
    _run(injector, path, actions)


def test_a_read_error_in_a_picture_is_no_damage(injector: Path, tmp_path: Path) -> None:
    path = tmp_path / "railway.jpg"
    path.write_bytes((EXAMPLES / "railway.jpg").read_bytes())
    _run(injector, path, PICTURE_ACTIONS)


def test_a_read_error_in_a_document_is_no_damage(injector: Path, tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes((EXAMPLES / "two_pages.pdf").read_bytes())
    _run(injector, path, PAPER_ACTIONS)


@pytest.mark.parametrize("variables", ["LD_PRELOAD READ_ERROR*", "LD_PRELOAD,READ_ERROR*"])
def test_the_program_takes_no_half_read_film_for_a_whole_one(
    variables: str, injector: Path, home: "Home"
) -> None:
    film = home.example("bigbuckbunny.mp4")
    mark = home.folder / "mark"
    broken = {
        "MEDIAHOST_WORKER_VARIABLES": variables,
        "LD_PRELOAD": str(injector),
        "READ_ERROR": str(errno.EIO),
        "READ_ERROR_FROM": str(film.stat().st_size // 2),
        "READ_ERROR_IN": "executor/worker",
        "READ_ERROR_MARK": str(mark),
        "READ_ERROR_PATH": str(film),
    }
    for action in ("scenes.detect", "av.convert:format=mkv"):
        answer = home.run("--action", action, environ=broken)
        assert mark.exists(), f"no read failed in {action}: {answer}"
        mark.unlink()
        assert answer.code == 1
        assert answer.counts == {"failed": 1}
        assert f"{film.name} can't be read to its end: Input/output error" in answer.out
    assert home.run("--action", "scenes.detect").counts == {"done": 1}, "the disk is well again"


def test_a_file_that_becomes_shorter_while_it_is_read_is_no_whole_one(tmp_path: Path) -> None:
    from mediahost import MediaReader, TransientError  # noqa: PLC0415 - beside its use

    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(1000))
    reader = MediaReader(path)
    assert len(reader.read(600)) == 600
    os.truncate(path, 600)
    with pytest.raises(TransientError, match=r"film\.mp4 can't be read to its end: .* shorter"):
        reader.read(400)
    assert reader.read(400) == b""
    with pytest.raises(TransientError, match="shorter"):
        reader.check()
    reader.close()
