"""The rules of a watch: what is taken, where outputs go, what becomes of the file."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mediahost.testing import write_wav

if TYPE_CHECKING:
    from tests.integration.conftest import Home, Starts
    from tests.integration.watch.conftest import Start


def once(home: "Home", rule: str) -> str:
    """Run the only watch of the settings, on `media`, once; the last line that it prints."""
    home.settings(f'[[watch]]\npath = "media"\nsettle_s = 0.1\n{rule}')
    answer = home.call("watch", "--once")
    assert answer.err == ""
    return answer.out.splitlines()[-1]


LOOK = '[[watch.steps]]\naction = "count.look"\n'
CUT = '[[watch.steps]]\naction = "count.cut"\nconfig = { parts = 1 }\n'


def files_in(home: "Home", folder: str) -> list[str]:
    top = home.folder / folder
    found = [path for path in top.rglob("*") if path.is_file() and path.name[0] != "."]
    return sorted(str(path.relative_to(top)) for path in found)


def test_only_what_the_patterns_and_kinds_want_is_taken(home: "Home") -> None:
    for name in ("a.wav", "b.wav", "sub/c.wav", "sub/skip/d.wav", "sub/e.wav", ".hidden/f.wav"):
        home.tone(name)
    home.tone("trash/g.wav")
    home.example("railway.jpg")
    (home.media / "sub" / ".mediahostignore").write_text("skip/\n/e.wav\n")
    rule = 'kinds = "audio"\nexclude = ["/b.wav", "trash/"]\n'
    assert once(home, rule + LOOK) == "2 done, 0 failed"
    assert home.ran() == {"look a.wav": 1}  # c.wav has the same bytes
    done = home.query("SELECT folder, name FROM watched_files ORDER BY name")
    assert done == [("", "a.wav"), ("sub", "c.wav")]


def test_a_template_says_where_outputs_go(home: "Home") -> None:
    home.tone("shows/one.wav")
    rule = 'output = "made/{folder}/{kind}/{stem} by {action}"\nsidecars = true\n'
    assert once(home, rule + CUT + LOOK) == "1 done, 0 failed"
    assert files_in(home, "made") == [
        "shows/audio/one by count.cut.wav",
        "shows/audio/one by count.look.json",
    ]
    facts = json.loads((home.folder / "made/shows/audio/one by count.look.json").read_text())
    assert facts["metadata"]["depth"] == 1
    assert once(home, rule + CUT + LOOK) == "0 done, 0 failed"


def test_an_output_never_leads_out_of_its_folder(home: "Home") -> None:
    home.tone("a.wav")
    (home.folder / "made").mkdir()
    (home.folder / "made" / "media").symlink_to(home.folder)
    assert once(home, 'output = "made/{watch}/{stem}"\n' + CUT) == "0 done, 1 failed"
    (reason,) = home.query("SELECT reason FROM watched_files")[0]
    assert "would lie outside" in reason
    assert files_in(home, "made") == []


def test_our_own_outputs_are_no_inputs_wherever_they_are_moved(
    home: "Home", watch: "Start"
) -> None:
    home.settings(f'[[watch]]\npath = "media"\nsettle_s = 0.2\noutput = "media/out"\n{CUT}')
    watching = watch.on_all()
    watching.wait_for("watching")
    home.tone("a.wav")
    # `count.cut` in one part copies the bytes: what has the source's own content is no output.
    watching.wait_for("done", "/a.wav")
    watching.wait_for("done", "/out/a.part0.wav")
    assert home.ran() == {"cut a.wav": 1}


def test_made_files_are_own_by_content(home: "Home", watch: "Start") -> None:
    two = CUT.replace("parts = 1", "parts = 2")
    home.settings(f'[[watch]]\npath = "media"\nsettle_s = 0.2\noutput = "media/out"\n{two}')
    watching = watch.on_all()
    watching.wait_for("watching")
    home.tone("a.wav")
    watching.wait_for("own", "part0.wav")
    watching.wait_for("own", "part1.wav")
    made = next((home.media / "out").glob("*part1.wav"))
    (home.media / "copy.wav").write_bytes(made.read_bytes())
    watching.wait_for("own", "copy.wav")
    assert home.ran() == {"cut a.wav": 1}


def test_one_watch_takes_what_another_made_but_not_for_ever(home: "Home") -> None:
    two = CUT.replace("parts = 1", "parts = 2")
    home.tone("a.wav")
    for name in ("b", "c", "d", "e"):
        (home.folder / name).mkdir()
    rules = [
        f'[[watch]]\npath = "{here}"\nname = "{here}"\nsettle_s = 0.1\noutput = "{there}"\n{two}'
        for here, there in (("media", "b"), ("b", "c"), ("c", "d"), ("d", "e"))
    ]
    home.settings("\n".join(rules))
    for _ in rules:
        home.call("watch", "--once")
    counts = {name: len(files_in(home, name)) for name in ("b", "c", "d", "e")}
    assert counts == {"b": 2, "c": 4, "d": 8, "e": 0}


def test_what_succeeded_is_moved_and_what_failed_too(home: "Home") -> None:
    home.tone("sub/good.wav")
    rule = 'on_success = "move"\ndone_folder = "media/done"\n'
    assert once(home, rule + LOOK) == "1 done, 0 failed"
    assert files_in(home, "media") == ["done/sub/good.wav"]
    home.tone("bad.wav", 500)
    rule = 'on_failure = "move"\nfailed_folder = "failed"\n'
    bad = rule + '[[watch.steps]]\naction = "faulty.raise"\n'
    home.call("watch", "resume")
    assert once(home, 'exclude = "done/"\n' + bad) == "0 done, 1 failed"
    assert files_in(home, "failed") == ["bad.wav"]


def test_a_file_is_deleted_only_when_asked_and_only_for_outputs(home: "Home") -> None:
    path = home.tone("a.wav")
    data = path.read_bytes()
    assert once(home, 'on_success = "delete"\n' + LOOK) == "1 done, 0 failed"
    assert path.exists()
    home.call("watch", "pause")
    home.call("watch", "resume")
    home.tone("b.wav", 300)
    rule = 'on_success = "delete"\noutput = "made"\nexclude = "a.wav"\n'
    assert once(home, rule + CUT) == "1 done, 0 failed"
    assert not (home.media / "b.wav").exists()
    assert path.read_bytes() == data


def test_a_file_is_replaced_by_its_artifact(home: "Home") -> None:
    home.tone("a.wav")
    flac = '[[watch.steps]]\naction = "av.convert"\nconfig = { format = "flac" }\n'
    assert once(home, 'on_success = "replace"\n' + flac) == "1 done, 0 failed"
    assert files_in(home, "media") == ["a.flac"]
    (made,) = home.query("SELECT state, reason FROM watched_files WHERE name = 'a.flac'")
    assert made == ("own", "made here by av.convert from a.wav")


def test_a_file_is_not_replaced_by_the_same_bytes_for_ever(home: "Home") -> None:
    path = home.tone("a.wav")
    whole = path.read_bytes()
    assert once(home, 'on_success = "replace"\n' + CUT) == "1 done, 0 failed"
    assert path.read_bytes() == whole
    assert files_in(home, "media") == ["a.wav"]


def test_outside_its_hours_a_watch_waits(home: "Home") -> None:
    home.tone("a.wav")
    now = datetime.now().astimezone()
    window = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (2, 3)]
    assert once(home, f'hours = "{window[0]}-{window[1]}"\n' + LOOK) == "0 done, 0 failed"
    (row,) = home.query("SELECT state, reason FROM watched_files")
    assert row == ("ready", f"waits for its hours, {window[0]}-{window[1]}")
    assert once(home, LOOK) == "1 done, 0 failed"


def test_when_its_hours_end_a_watch_starts_nothing_more(
    home: "Home", watch: "Start", starts: "Starts"
) -> None:
    home.tones(6)
    home.call("watch", "add", "media", "--action", "count.wait", "--settle", "0.1")
    running = watch.on_all()
    starts.wait()
    starts.wait()
    now = datetime.now().astimezone()
    window = [(now + timedelta(hours=hours)).strftime("%H:%M") for hours in (2, 3)]
    home.call("watch", "edit", "media", "--set", f"hours={'-'.join(window)}")
    running.wait_until(lambda status: status["counts"]["ready"] == 6)
    # What runs may end.
    (home.folder / "open").touch()
    running.wait_until(lambda status: status["jobs_running"] == 0)
    running.stop()
    assert home.jobs() == {"completed": 2, "cancelled": 4}
    home.call("watch", "edit", "media", "--set", "hours=")
    assert "6 done, 0 failed" in home.call("watch", "--once").out


def test_a_watch_runs_no_more_jobs_at_a_time_than_it_may(
    home: "Home", watch: "Start", starts: "Starts"
) -> None:
    home.tones(4)
    home.call("watch", "add", "media", "-a", "count.wait", "--settle", "0.1", "--set", "jobs=1")
    running = watch.on_all()
    starts.wait()
    running.wait_until(lambda status: status["counts"]["queued"] == 4)
    assert home.jobs() == {"processing": 1}
    (home.folder / "open").touch()
    running.wait_for_all("done", {f"00{number}.wav" for number in range(4)})
    assert home.jobs() == {"completed": 4}


def test_watches_are_added_paused_resumed_and_removed_while_it_runs(
    home: "Home", watch: "Start"
) -> None:
    home.call("watch", "add", "media", "--action", "count.look", "--settle", "0.1")
    watching = watch.on_all()
    watching.wait_for("watching")
    other = home.folder / "other"
    other.mkdir()
    home.call("watch", "add", "other", "--name", "second", "--action", "count.look")
    said = watching.wait_for("watching")
    assert said["watch"] == "second"
    (other / "x.wav").write_bytes(b"x")
    watching.wait_for("done", "x.wav")
    home.call("watch", "pause", "second")
    watching.wait_for("paused")
    (other / "y.wav").write_bytes(b"y")
    home.tone("z.wav")
    watching.wait_for("done", "z.wav")
    assert watching.states_of("y.wav") == []
    home.call("watch", "resume", "second")
    watching.wait_for("done", "y.wav")
    assert home.call("watch", "remove", "second", "--json").json == {"second": "removed"}
    watching.wait_for("stopped")
    names = [row["name"] for row in home.call("watch", "list", "--json").json]
    assert names == ["media"]


def test_a_changed_recipe_is_taken_up_at_once_and_for_the_files_that_are_there(
    home: "Home", watch: "Start"
) -> None:
    home.tone("a.wav")
    home.call("watch", "add", "media", "--action", "count.look", "--settle", "0.1")
    watching = watch.on_all()
    watching.wait_for("done", "a.wav")
    assert home.ran() == {"look a.wav": 1}
    both = ["--action", "count.look", "--action", "count.follow"]
    home.call("watch", "add", "media", *both, "--settle", "0.1")
    watching.wait_for("done", "a.wav")
    home.tone("b.wav", 300)
    watching.wait_for("done", "b.wav")
    watching.stop()
    assert home.ran() == {"follow a.wav": 1, "look b.wav": 1, "follow b.wav": 1}
    watching = watch.on_all()
    watching.wait_for("watching")
    watching.stop()
    assert home.ran() == {}


def test_what_failed_is_tried_again_when_asked_for(home: "Home", watch: "Start") -> None:
    home.tone("a.wav")
    home.call("watch", "add", "media", "--action", "faulty.raise", "--settle", "0.1")
    watching = watch.on_all()
    watching.wait_for("failed", "a.wav")
    answer = home.call("watch", "--dry-run")
    assert "✖ media/a.wav: failed (faulty.raise: " in answer.out
    assert "tried again when it changes" in answer.out
    home.call("watch", "scan", "--failed")
    watching.wait_for("failed", "a.wav")
    assert home.jobs() == {"failed": 2}


def test_no_more_jobs_are_submitted_than_may_wait(
    home: "Home", watch: "Start", starts: "Starts"
) -> None:
    home.settings("max_pending = 1\nworkers = 1\n")
    home.tone("a.wav", 300)
    watching = watch(action="count.wait")
    starts.wait()
    for index in range(3):
        home.tone(f"{index}.wav", 400 + index)
        watching.wait_until(lambda status, index=index: in_folder(status) == index + 2)  # type: ignore[misc]
    status = watching.wait_until(lambda status: bool(status["health"]["full"]))
    assert status["counts"]["settling"] >= 1
    assert status["jobs_running"] == 1
    assert "files wait: as many jobs are pending as" in home.call("watch", "status").out
    (home.folder / "open").touch()
    watching.wait_for_all("done", {"a.wav", "0.wav", "1.wav", "2.wav"})


def in_folder(status: dict[str, Any]) -> int:
    return sum(status["counts"].values())


def test_two_programs_never_watch_one_folder(home: "Home", watch: "Start") -> None:
    first = watch()
    second = watch(heard="faulty")
    assert second.said[-1]["reason"] == "another mediahost process watches it"
    first.kill()
    second.wait_for("watching")


def test_explain_answers_for_watches(home: "Home") -> None:
    home.tone("a.wav")
    (home.media / "b.wav.part").touch()
    once(home, LOOK)
    answer = home.call("explain", "media/a.wav", "--action", "count.look")
    assert "watch media: done" in answer.out
    answer = home.call("explain", "media/b.wav.part")
    assert "watch media: left out, its name says that it is unfinished" in answer.out


def test_a_sidecar_takes_no_name_of_another_file(home: "Home") -> None:
    home.tone("one.wav", 300)
    home.tone("one.flac", 400)
    home.tone("mine.wav", 500)
    (home.folder / "made").mkdir()
    (home.folder / "made" / "mine.json").write_text("my own notes")
    rule = 'output = "made/{stem}"\nsidecars = true\n'
    assert once(home, rule + LOOK) == "3 done, 0 failed"
    assert files_in(home, "made") == ["mine.2.json", "mine.json", "one.2.json", "one.json"]
    assert (home.folder / "made" / "mine.json").read_text() == "my own notes"
    names = {
        json.loads((home.folder / "made" / name).read_text())["media"].rpartition("/")[2]
        for name in ("one.json", "one.2.json")
    }
    assert names == {"one.wav", "one.flac"}
    # What the watch wrote of the same file has its successor in its place.
    write_wav(home.media / "one.wav", (0.2, 300))
    assert once(home, rule + LOOK) == "1 done, 0 failed"
    assert files_in(home, "made") == ["mine.2.json", "mine.json", "one.2.json", "one.json"]
    sizes = {
        json.loads((home.folder / "made" / name).read_text())["metadata"]["size"]
        for name in ("one.json", "one.2.json")
    }
    assert len(sizes) == 2


def test_a_move_follows_no_link_out_of_its_folder(home: "Home") -> None:
    home.tone("sub/a.wav")
    away = home.folder / "away"
    away.mkdir()
    (home.folder / "done").mkdir()
    (home.folder / "done" / "sub").symlink_to(away)
    assert once(home, 'on_success = "move"\ndone_folder = "done"\n' + LOOK) == "1 done, 0 failed"
    assert (home.media / "sub" / "a.wav").exists()
    assert list(away.iterdir()) == []
    (reason,) = home.query("SELECT reason FROM watched_files")[0]
    assert reason.startswith("it was kept: The output")
