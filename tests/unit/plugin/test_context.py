"""The context: progress, cancelling, programs, resources."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mediahost import Context, InvalidMedia, JobCancelled, MediaFile, MediaInfo
from mediahost.plugin import context as context_module


def _reporting(tmp_path: Path) -> tuple[Context, list[tuple[float, str]]]:
    heard: list[tuple[float, str]] = []
    return Context(tmp_path, report=lambda *said: heard.append(said)), heard


def test_progress_is_passed_on_at_most_ten_times_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, heard = _reporting(tmp_path)
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for step in range(100):
        now[0] += 0.01
        context.progress(step / 1000, "working")
    assert 9 <= len(heard) <= 11
    assert heard[0] == (0, "working")


def test_the_end_is_always_passed_on(tmp_path: Path) -> None:
    context, heard = _reporting(tmp_path)
    context.progress(0)
    context.progress(1, "done")
    assert heard == [(0, ""), (1, "done")]


@pytest.mark.parametrize(
    ("fraction", "shown"), [(-1, 0), (2, 1), (float("nan"), 0), (float("inf"), 1)]
)
def test_progress_is_clipped(tmp_path: Path, fraction: float, shown: float) -> None:
    context, heard = _reporting(tmp_path)
    context.progress(fraction)
    assert heard == [(shown, "")]


def test_progress_goes_with_the_items(tmp_path: Path) -> None:
    heard: list[float] = []

    class Told(Context):
        def progress(self, fraction: float, message: str = "") -> None:
            heard.append(fraction)

    assert list(Told(tmp_path).track("abcd", 4)) == list("abcd")
    assert heard == [0, 0.25, 0.5, 0.75]
    assert list(Told(tmp_path).track("a", 0)) == ["a"]


@pytest.mark.parametrize(
    "look_up",
    [
        Context.checkpoint,
        lambda context: context.progress(0.5),
        lambda context: list(context.track([1], 1)),
    ],
)
def test_a_cancelled_job_stops_where_it_looks_up(
    tmp_path: Path, look_up: Callable[[Context], Any]
) -> None:
    with pytest.raises(JobCancelled):
        look_up(Context(tmp_path, cancelled=lambda: True))


def test_a_cancel_passes_through_except_exception(tmp_path: Path) -> None:
    context = Context(tmp_path, cancelled=lambda: True)

    def careless() -> None:
        while True:
            with suppress(Exception):  # what careless plugins do
                context.checkpoint()

    with pytest.raises(JobCancelled):
        careless()


def test_a_program_gives_its_output(tmp_path: Path) -> None:
    done = Context(tmp_path).run([sys.executable, "-c", "print('hallo')"])
    assert (done.returncode, done.stdout) == (0, "hallo\n")


def test_a_program_runs_in_the_workdir_and_gets_no_input(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), repr(sys.stdin.read()))"
    done = Context(tmp_path).run([sys.executable, "-c", code])
    assert done.stdout == f"{tmp_path.resolve()} ''\n"


def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        Context(tmp_path).run([sys.executable, "-c", "print('so far'); raise SystemExit(3)"])
    assert caught.value.returncode == 3
    assert caught.value.output == "so far\n"


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Context(tmp_path).run([tmp_path / "no-such-program"])


def test_what_a_program_says_may_be_no_utf8(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(b'\\xff')"
    assert Context(tmp_path).run([sys.executable, "-c", code]).stdout == "\N{REPLACEMENT CHARACTER}"


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("deaf", [False, True])
def test_a_program_ends_with_its_cancelled_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, deaf: bool
) -> None:
    monkeypatch.setattr(context_module, "TERMINATE_GRACE_S", 0.2)
    ready = tmp_path / "ready"
    code = (
        "import os, signal, time\n"
        f"if {deaf}: signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'making')!r}, 'w').write(str(os.getpid()))\n"
        f"os.rename({str(tmp_path / 'making')!r}, {str(ready)!r})\n"
        "time.sleep(600)"
    )
    with pytest.raises(JobCancelled):
        Context(tmp_path, cancelled=ready.exists).run([sys.executable, "-c", code])
    assert not _is_alive(int(ready.read_text()))


def test_a_program_is_ended_gently_first(tmp_path: Path) -> None:
    ready, last_words = tmp_path / "ready", tmp_path / "last words"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        f"    open({str(last_words)!r}, 'w').close(); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"open({str(ready)!r}, 'w').close()\n"
        "time.sleep(600)"
    )
    with pytest.raises(JobCancelled):
        Context(tmp_path, cancelled=ready.exists).run([sys.executable, "-c", code])
    assert last_words.exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_workdir_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    staging = tmp_path / "host" / "attempt"
    context = Context(staging)
    assert not staging.exists()

    (context.workdir / "a.wav").touch()
    assert [path.name for path in context.workdir.iterdir()] == ["a.wav"]


def test_a_resource_is_loaded_with_its_arguments(tmp_path: Path) -> None:
    assert Context(tmp_path).resource("{}-{}".format, "base", "int8") == "base-int8"


def test_the_host_decides_where_resources_come_from(tmp_path: Path) -> None:
    context = Context(tmp_path, find_resource=lambda load, *args: ("kept", load, *args))
    kept: object = context.resource(len, "abc")
    assert kept == ("kept", len, "abc")


def test_what_nobody_can_probe_is_invalid(tmp_path: Path, media: MediaFile) -> None:
    with pytest.raises(InvalidMedia, match=r"No plugin can tell what is in talk\.wav") as caught:
        Context(tmp_path).probe(media)
    assert caught.value.hint


def test_a_probe_gives_what_a_plugin_says(tmp_path: Path, media: MediaFile) -> None:
    info = MediaInfo(duration=3)
    asked: list[Path] = []

    def find_info(path: Path) -> MediaInfo:
        asked.append(path)
        return info

    assert Context(tmp_path, find_info=find_info).probe(media) is info
    assert asked == [media.path]
