"""Each way to go wrong has a sentence, a hint and an exit code; a traceback is for `--debug`."""

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Call
    from tests.integration.conftest import Home, Starts

LOOK = ("--action", "count.look")
GC_NUMBERS = ("--jobs-days", "--results-days", "--logs-days", "--max-gb")
BROKEN_STORE = b"This is a letter, not a database. " * 100


def test_all_good_is_0_and_a_failed_job_is_1(home: "Home") -> None:
    home.tone("a.wav")
    assert home.call("run", "media", *LOOK).code == 0
    failed = home.call("run", "media", "--action", "faulty.raise")
    assert failed.code == 1
    assert "0 done, 0 cached, 1 failed" in failed.out
    assert "no such thing" in failed.out


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["run", "media"], "Say what to do: --action NAME or --pipeline NAME", "For example: "),
        (["run", "nowhere", *LOOK], "There is no file or folder nowhere", ""),
        (["run", "media", "-a", "count.lok"], "did you mean count.look?", "plugins list"),
        (["run", "media", "-a", "count.look:dept=2"], "did you mean depth?", "There are: depth"),
        (["run", "media", "-a", "count.look:depth=0"], "depth: input should be greater", ""),
        (["run", "media", "-a", "count.look:depth"], "is no KEY=VALUE", "NAME:KEY=VALUE"),
        (["run", "media", "-p", "talks"], "No pipeline named 'talks'", "mediahost docs settings"),
        (["run", "media", "-p", "x", *LOOK], "don't go together", "Give one"),
        (["run", *LOOK], "Missing argument 'PATH'", ""),
        (["run", "media", "--acton", "x"], "No such option: --acton", ""),
        (["run", "media", "-j", "0", *LOOK], "Invalid value for '--jobs'", ""),
        (["results", "nowhere.mp3"], "There is no file nowhere.mp3", ""),
        (["results", "media"], "media is a folder", "Name one file in it"),
        (["explain", "media"], "media is a folder", "Name one file in it"),
        (["jobs", "show", "7"], "No job named '7'", "jobs list"),
        (["jobs", "show", "seven"], "neither a job's number nor its id", "jobs list"),
        (["jobs", "show", "9" * 30], "No job named", "jobs list"),
        (["jobs", "show", "²"], "neither a job's number nor its id", "jobs list"),
        (["jobs", "retry"], "Name jobs, or give a --status", "jobs list"),
        (["jobs", "cancel", "7", "--status", "failed"], "one of the three", "jobs list"),
        (["jobs", "retry", "--filter", "state:lst"], "There is no state 'lst'", "There are: "),
        (["jobs", "priority", "--to", "1"], "Name jobs, or give a --status", "jobs list"),
        (["jobs", "priority", "7", "--to", "1"], "No job named '7'", "jobs list"),
        (["jobs", "priority", "7"], "--to which priority, or --by how much", "--to 5"),
        (["jobs", "priority", "7", "--to", "1", "--by", "1"], "one of the two", "--to 5"),
        (
            ["jobs", "priority", "7", "--to", "1001"],
            "'--to': Input should be less than or equal to 1000",
            "",
        ),
        (["jobs", "priority", "7", "--by", "high"], "'--by'", ""),
        (["jobs", "list", "--status", "lost"], "'lost'", ""),
        (["jobs", "list", "--limit", "9" * 30], "'--limit'", ""),
        (["search", "half", "--limit", "9" * 30], "'--limit'", ""),
        (["search", "half", "--from", "5m", "--to", "1m"], "ends before it begins", ""),
        (["stats", "--hours", "9" * 12], "'--hours'", ""),
        (["run", "media", "-j", "9" * 30, *LOOK], "less than or equal to 1024, not 9999", ""),
        (["work", "-j", "inf"], "'--jobs'", ""),
        (["watch", "media", "--settle", "nan"], "settle_s: Input should be a finite number", ""),
        *((["store", "gc", name, "inf"], "finite number, not inf", "") for name in GC_NUMBERS),
        *((["store", "gc", name, "1e400"], "finite number, not inf", "") for name in GC_NUMBERS),
        *((["store", "gc", name, "nan"], f"'{name}'", "") for name in GC_NUMBERS),
        *((["store", "gc", name, "-1"], f"'{name}'", "") for name in GC_NUMBERS),
        (["plugins", "show", "count.lok"], "did you mean count.look?", "There are"),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?", ""),
    ],
)
def test_a_request_that_makes_no_sense_is_2(
    call: "Call", arguments: list[str], message: str, hint: str
) -> None:
    answer = call(*arguments)
    assert answer.code == 2, answer
    assert message in answer.err
    assert hint in answer.err
    assert not answer.out


def test_settings_that_cannot_be_used_are_3(home: "Home", call: "Call") -> None:
    home.settings("wrokers = 3")
    answer = call("jobs", "list")
    assert answer.code == 3
    assert answer.err == (
        "mediahost: No setting named 'wrokers'; did you mean workers? "
        f"(in {home.folder / 'mediahost.toml'})\n  See: mediahost docs settings\n"
    )


def test_a_data_folder_that_cannot_be_made_is_3(home: "Home", call: "Call") -> None:
    home.data.write_text("a file is in its place")
    answer = call("jobs", "list")
    assert answer.code == 3
    assert f"The data folder {home.data} can't be made" in answer.err


def test_a_store_that_cannot_be_used_is_3(home: "Home") -> None:
    home.data.mkdir()
    (home.data / "store.db").write_bytes(BROKEN_STORE)
    answer = home.call("run", "media", *LOOK)
    assert answer.code == 3
    assert answer.err.startswith("mediahost: ")


def test_a_password_is_not_in_what_is_said_of_a_store(home: "Home") -> None:
    url = "postgresql+psycopg://me:hunter2@127.0.0.1:1/media"
    for command in (["doctor"], ["--debug", "jobs", "list"]):
        process = home.start(*command, environ={"MEDIAHOST_DATABASE_URL": url})
        out, err = process.communicate(timeout=60)
        assert process.returncode in (1, 3)
        assert "hunter2" not in out + err


def test_debug_shows_where_it_happened(home: "Home") -> None:
    process = home.start("--debug", "jobs", "show", "7")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" in err
    assert err.endswith("mediahost: No job named '7'\n  See them with: mediahost jobs list\n")


def test_a_fault_of_our_own_is_70_and_no_traceback(home: "Home") -> None:
    plugin = home.folder / "rude.py"
    plugin.write_text(
        "from mediahost import hookimpl\n"
        "def rude():\n    raise ZeroDivisionError('by\\x1b zero')\n"
        "@hookimpl\ndef mediahost_register_commands():\n    return {'rude': rude}\n"
    )
    process = home.start("rude", environ={"MEDIAHOST_PLUGINS": str(plugin)})
    _, err = process.communicate(timeout=60)
    assert process.returncode == 70
    assert "fault of mediahost: ZeroDivisionError: by\\x1b zero" in err
    assert "--debug" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupted_jobs_are_pending_again(
    home: "Home", starts: "Starts", number: signal.Signals, code: int
) -> None:
    home.tone("a.wav")
    process = home.start("run", "media", "--action", "count.wait")
    starts.wait()
    process.send_signal(number)
    answer = home.finish(process)
    assert answer.code == code
    assert ("Interrupted" in answer.err) is (number == signal.SIGINT)
    assert home.jobs() == {"pending": 1}
    home.assert_sound()


def test_a_reader_that_goes_away_is_no_traceback(home: "Home") -> None:
    process = home.start("plugins", "list", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()


def test_no_name_can_steer_the_terminal(home: "Home", call: "Call") -> None:
    name = os.fsdecode(b"a\n\x1b[2J[red]\xff.wav")
    home.tone("a.wav").rename(home.media / name)
    for arguments in (
        ["run", "media", *LOOK],
        ["run", "media", "--action", "faulty.raise"],
        ["run", "media", *LOOK],
        ["results", str(Path("media") / name)],
        ["results", str(Path("media") / name), "--action", "no.such"],
        ["explain", str(Path("media") / name)],
        ["jobs", "list"],
        ["jobs", "show", "1"],
        ["jobs", "show", "2"],
        ["run", str(Path("media") / name) + "x", *LOOK],
    ):
        answer = call(*arguments)
        said = answer.out + answer.err
        assert "\x1b" not in said, arguments
        assert "\udcff" not in said, arguments
        if arguments[0] in ("run", "jobs"):
            assert "a\\n\\x1b[2J[red]\\udcff.wav" in said, arguments
