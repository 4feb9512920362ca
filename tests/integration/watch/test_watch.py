"""Files that are dropped into a watched folder, on the real program."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home, Starts
    from tests.integration.watch.conftest import Start

Once = Callable[..., "Answer"]


def test_a_file_that_is_dropped_in_is_processed_once(home: "Home", watch: "Start") -> None:
    watching = watch()
    home.tone("a.wav")
    watching.wait_for("done", "a.wav")
    home.tone("sub/deeper/b.wav", 300)
    watching.wait_for("done", "b.wav")
    watching.stop()
    assert home.ran() == {"look a.wav": 1, "look b.wav": 1}
    home.assert_sound()


def test_what_came_while_the_program_was_off_is_found(home: "Home", watch: "Start") -> None:
    home.tone("a.wav")
    watching = watch()
    watching.wait_for("done", "a.wav")
    watching.stop()
    home.tone("b.wav", 300)
    watching = watch()
    watching.wait_for("done", "b.wav")
    assert home.ran() == {"look a.wav": 1, "look b.wav": 1}


def test_a_file_with_a_writer_waits_for_it_and_says_so(home: "Home", watch: "Start") -> None:
    whole = home.tone("whole.wav").read_bytes()
    watching = watch()
    watching.wait_for("done", "whole.wav")
    path = home.media / "slow.wav"
    with path.open("wb") as file:
        file.write(whole[:100])
        file.flush()
        status = watching.wait_until(
            lambda status: any("open for writing" in one["reason"] for one in settling(status))
        )
        assert [one["name"] for one in settling(status)] == ["slow.wav"]
        assert home.ran() == {"look whole.wav": 1}
        file.write(whole[100:] + b"\0")
    watching.wait_for("done", "slow.wav")
    assert home.ran() == {"look slow.wav": 1}


def settling(status: dict[str, dict[str, list[dict[str, str]]]]) -> list[dict[str, str]]:
    return status["files"]["settling"]


def test_a_renamed_file_keeps_what_is_known_of_it(home: "Home", watch: "Start") -> None:
    path = home.tone("a.wav")
    watching = watch()
    watching.wait_for("done", "a.wav")
    path.rename(home.media / "b.wav")
    watching.wait_until(
        lambda status: (
            home.query("SELECT name, state FROM watched_files ORDER BY name")
            == [("a.wav", "gone"), ("b.wav", "done")]
        )
    )
    assert home.ran() == {"look a.wav": 1}
    assert watching.states_of("b.wav") == []


def test_same_size_and_time_but_other_bytes_are_noticed(home: "Home", watch: "Start") -> None:
    path = home.tone("a.wav")
    status = path.stat()
    watching = watch()
    watching.wait_for("done", "a.wav")
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    watching.wait_for("done", "a.wav")
    watching.stop()
    assert home.ran() == {"look a.wav": 2}
    assert home.query("SELECT generation FROM watched_files") == [(2,)]


def test_killed_in_the_middle_nothing_is_lost_or_done_twice(
    home: "Home", watch: "Start", starts: "Starts"
) -> None:
    home.tones(3)
    watching = watch(action="count.wait")
    starts.wait()
    watching.kill()
    home.ran()
    (home.folder / "open").touch()
    watching = watch(action="count.wait")
    watching.wait_for_all("done", {"000.wav", "001.wav", "002.wav"})
    watching.stop()
    assert home.ran() == {f"wait {index:03}.wav": 1 for index in range(3)}
    home.assert_sound()


def test_a_failed_file_is_shown_with_its_reason_and_not_tried_for_ever(
    home: "Home", watch: "Start"
) -> None:
    home.tone("a.wav")
    watching = watch(action="faulty.raise")
    news = watching.wait_for("failed", "a.wav")
    assert news["reason"].startswith("faulty.raise: ")
    watching.stop()
    watching = watch(action="faulty.raise")
    status = watching.status()
    assert status["counts"]["failed"] == 1
    assert status["files"]["failed"][0]["reason"] == news["reason"]
    assert home.jobs() == {"failed": 1}


def test_once_processes_what_is_there_and_ends(home: "Home", once: Once) -> None:
    home.tones(5)
    (home.media / "notes.txt").write_text("not media")
    (home.media / "half.wav.part").write_bytes(b"half")
    answer = once()
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "5 done, 0 failed")
    assert sum(home.ran().values()) == 5
    assert once().out.splitlines()[-1] == "0 done, 0 failed"
    assert home.ran() == {}


def test_once_says_by_its_exit_code_that_a_file_failed(home: "Home", once: Once) -> None:
    home.tone("a.wav")
    answer = once(action="faulty.raise")
    assert answer.code == 1
    assert "✖ failed media/a.wav: faulty.raise: " in answer.out


def test_a_dry_run_says_what_would_be_done_and_does_nothing(home: "Home", once: Once) -> None:
    home.tone("a.wav")
    once()
    home.tone("b.wav", 300)
    answer = once("--dry-run", "--json")
    plans = {plan["path"].rpartition("/")[2]: plan for plan in answer.json}
    assert plans["a.wav"]["to_do"] == []
    assert plans["b.wav"]["to_do"] == ["count.look"]
    assert home.ran() == {"look a.wav": 1}


def test_without_settings_it_says_what_it_will_do(home: "Home") -> None:
    home.example("two_cities.flac")
    answer = home.call("watch", "media", "--once")
    assert answer.code == 0
    assert "video, audio: av.probe" in answer.out
    assert "✔ done   media/two_cities.flac" in answer.out


def test_several_steps_follow_each_other(home: "Home", watch: "Start") -> None:
    home.settings(
        '[[pipelines.p.steps]]\naction = "count.cut"\n'
        '[[pipelines.p.steps]]\naction = "count.look"\nmedia = "count.cut"\n'
        '[[pipelines.p.steps]]\naction = "count.follow"\nafter = "count.cut"\n'
    )
    home.tone("a.wav")
    answer = home.call("watch", "media", "--once", "--pipeline", "p")
    assert answer.out.splitlines()[-1] == "1 done, 0 failed"
    assert home.ran() == {
        "cut a.wav": 1,
        "follow a.wav": 1,
        "look part0.wav": 1,
        "look part1.wav": 1,
    }
