"""What one sees while jobs run."""

import io
import json
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from mediahost.cli.bars import Bars
from mediahost.cli.progress import JsonLines, Lines, Waiting, Watcher
from mediahost.cli.terminal import progress_on_stderr
from mediahost.model.event import Event, EventKind
from mediahost.model.pause import Pause, PauseKind


def event(kind: EventKind, job: UUID | None = None, name: str = "a.mp3", **given: object) -> Event:
    return Event(kind, "x.y", f"/media/{name}", job or uuid4(), **given)  # type: ignore[arg-type]


def lines_of(*events: Event) -> list[str]:
    stream = io.StringIO()
    watcher = Lines(stream)
    for one in events:
        watcher.listen(one)
    return stream.getvalue().splitlines()


def drawn(bars: Bars, width: int = 80) -> list[str]:
    console = Console(width=width, file=io.StringIO(), legacy_windows=False)
    with console.capture() as captured:
        console.print(bars._draw())
    return [line.rstrip() for line in captured.get().splitlines()]


def test_each_job_that_ended_is_one_line() -> None:
    assert lines_of(
        event(EventKind.SUBMITTED),
        event(EventKind.STARTED),
        event(EventKind.PROGRESSED, fraction=0.5),
        event(EventKind.COMPLETED, details={"elapsed_ms": 1200}),
        event(EventKind.FAILED, name="b.mp3", message="It is empty"),
        event(EventKind.RETRIED, message="The network is down"),
        event(EventKind.CACHED),
    ) == [
        "completed x.y a.mp3 in 1.2 s",
        "failed x.y b.mp3: It is empty",
        "retried x.y a.mp3: The network is down",
    ]


def test_names_and_messages_cannot_steer_the_terminal() -> None:
    (line,) = lines_of(event(EventKind.FAILED, name="a\n\x1b[2J.mp3", message="[red]\x1b[31m\r"))
    assert line == "failed x.y a\\n\\x1b[2J.mp3: [red]\\x1b[31m\\r"


def test_that_jobs_wait_for_a_pause_is_said_once_and_only_of_theirs() -> None:
    stream, asked = io.StringIO(), []

    def pauses() -> list[Pause]:
        asked.append(1)
        return [Pause(PauseKind.ACTION, "x.y"), Pause(PauseKind.ACTION, "other.z")]

    listen = Waiting(Lines(stream), pauses).listen
    listen(event(EventKind.CACHED))
    assert not asked
    for _ in range(3):
        listen(event(EventKind.SUBMITTED))
    assert asked == [1]
    assert stream.getvalue().splitlines() == [
        "Paused: action x.y",
        "Have them go on with: mediahost jobs resume",
    ]


def test_bars_say_that_jobs_wait_until_one_runs() -> None:
    bars = Bars("nothing to do")
    bars.listen(event(EventKind.SUBMITTED))
    bars.waits([Pause(PauseKind.ALL)])
    assert drawn(bars) == ["Paused: all jobs", "Have them go on with: mediahost jobs resume"]
    bars.listen(event(EventKind.STARTED))
    assert "Paused" not in "".join(drawn(bars))


def test_a_watcher_counts_what_ended_and_what_failed() -> None:
    watcher = Watcher()
    for kind in EventKind:
        watcher.listen(event(kind))
    assert (watcher.ended, watcher.failed) == (3, 1)


def test_each_event_is_a_line_of_json() -> None:
    stream = io.StringIO()
    job = uuid4()
    JsonLines(stream).listen(event(EventKind.PROGRESSED, job, fraction=0.5, message="half"))
    told = json.loads(stream.getvalue())
    assert (told["kind"], told["fraction"], told["job_id"]) == ("progressed", 0.5, str(job))


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_on_stderr(), Lines)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_on_stderr(), Bars)
    assert type(progress_on_stderr(quiet=True)) is Watcher


def test_before_there_are_jobs_the_bars_tell_of_reading() -> None:
    bars = Bars("idle")
    assert drawn(bars) == ["idle"]
    bars.hashed(3, 10)
    (line,) = drawn(bars)
    assert line.startswith("reading files")
    assert line.endswith("3/10")


def test_each_running_job_has_a_bar_with_what_it_says() -> None:
    bars, job = Bars("idle"), uuid4()
    bars.listen(event(EventKind.SUBMITTED, job))
    bars.listen(event(EventKind.STARTED, job))
    bars.listen(event(EventKind.PROGRESSED, job, fraction=0.42, message="decoding\x1b"))
    whole, one = drawn(bars)
    assert whole.startswith("all jobs")
    assert "0/1" in whole
    assert one.startswith("  x.y a.mp3")
    assert "42%" in one
    assert one.endswith("decoding\\x1b")


def test_a_job_that_ended_has_no_bar_any_more() -> None:
    bars, job = Bars("idle"), uuid4()
    for kind in (EventKind.SUBMITTED, EventKind.STARTED, EventKind.FAILED):
        bars.listen(event(kind, job))
    (whole,) = drawn(bars)
    assert "1/1" in whole
    assert "1 failed" in whole


def test_a_job_that_is_tried_again_has_not_ended() -> None:
    bars, job = Bars("idle"), uuid4()
    for kind in (EventKind.SUBMITTED, EventKind.STARTED, EventKind.RETRIED):
        bars.listen(event(kind, job))
    (whole,) = drawn(bars)
    assert "0/1" in whole


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_no_name_is_too_long_for_a_line(width: int) -> None:
    bars = Bars("idle")
    for number in range(40):
        job = uuid4()
        bars.listen(event(EventKind.SUBMITTED, job))
        bars.listen(event(EventKind.STARTED, job, name=f"{number}{'ü' * 300}[red].mp3"))
        bars.listen(event(EventKind.PROGRESSED, job, fraction=0.5, message="m" * 300))
    lines = drawn(bars, width)
    assert len(lines) == 14  # all, twelve of them, and how many more
    assert all(len(line) <= width for line in lines)


def test_a_file_that_is_fetched_is_drawn_until_it_has_come() -> None:
    bars = Bars(idle="waiting")
    bars.fetching("https://h.test/shelf/far%20away.wav?key=1", 2_000_000, 8_000_000)
    bars.fetching("https://h.test/unknown.wav", 3_000_000, None)
    _, far, unknown = drawn(bars)
    assert "fetching far%20away.wav" in far
    assert far.endswith("25%  2.0 MB of 8.0 MB")
    assert unknown.endswith("3.0 MB")
    bars.fetching("https://h.test/shelf/far%20away.wav?key=1", None, None)
    bars.fetching("https://h.test/unknown.wav", None, None)
    assert drawn(bars) == ["waiting"]


def test_a_job_whose_file_is_being_fetched_is_drawn_before_it_starts() -> None:
    bars = Bars(idle="waiting")
    bars.listen(event(EventKind.SUBMITTED))
    bars.listen(event(EventKind.PROGRESSED, fraction=0.25, message="1.0 of 4.0 MB fetched"))
    line = drawn(bars)[1]
    assert "x.y a.mp3" in line
    assert "25%  1.0 of 4.0 MB" in line


def test_without_a_terminal_a_long_fetch_says_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream, now = io.StringIO(), iter([0.0, 0.0, 1.0, 1.0, 11.0, 11.0, 11.0, 12.0, 12.0])
    watcher = Lines(stream)
    monkeypatch.setattr("mediahost.cli.progress.SAY_EVERY_S", 10.0)
    monkeypatch.setattr("mediahost.cli.progress.time.monotonic", lambda: next(now))
    for size in (1_000_000, 2_000_000, 3_000_000, 4_000_000):
        watcher.fetching("https://h.test/far.wav", size, 8_000_000)
    assert stream.getvalue() == "fetching far.wav: 3.0 MB of 8.0 MB\n"
