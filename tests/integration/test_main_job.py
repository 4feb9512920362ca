"""The main job: analyse and process a folder once, and again only what has changed."""

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.conftest import Home

LOOK = ("-a", "count.look")
CUT = ("-a", "count.cut")
LONG_AGO_NS = 10**18


def test_a_fresh_folder_is_analysed_and_processed_and_then_cached(home: "Home") -> None:
    home.example("bigbuckbunny.mp4")
    home.example("two_cities.flac")
    home.example("two_pages.pdf")
    recipe = ("-a", "av.probe", "-a", "hello.halves", "-a", "speech.vad", *CUT)

    first = home.run(*recipe)

    assert first.code == 0, first.err
    # The PDF is cut only; the three others don't work on documents.
    assert first.counts == {"done": 9}
    made = [Path(path) for row in first.rows(action="count.cut") for path in row["artifacts"]]
    assert len(made) == 6
    assert all(path.is_file() for path in made)
    # What an action left in its workdir besides its artifacts is not kept.
    kept = {path for path in (home.data / "artifacts").rglob("*") if path.is_file()}
    assert kept == set(made)
    home.assert_sound()
    jobs = home.jobs()
    assert jobs == {"completed": 9}
    home.ran()

    again = home.run(*recipe)

    assert again.code == 0
    assert again.counts == {"cached": 9}
    assert home.jobs() == jobs
    assert not home.ran()


def test_results_are_found_by_the_file(home: "Home") -> None:
    path = home.example("two_cities.flac")
    home.run("-a", "speech.vad", *LOOK)

    results = {one["action"]: one for one in home.call("results", path, "--json").json}

    assert results["count.look"]["result"]["metadata"]["size"] == path.stat().st_size
    assert results["speech.vad"]["result"]["ranges"]


def test_a_renamed_copied_moved_or_touched_file_is_still_cached(home: "Home") -> None:
    renamed, copied, moved, touched = home.tones(4)
    home.run(*LOOK, *CUT)
    home.ran()

    renamed.rename(renamed.with_name("new name.wav"))
    shutil.copy(copied, copied.with_name("copy.wav"))
    (home.media / "below").mkdir()
    shutil.move(moved, home.media / "below")
    touched.touch()
    again = home.run(*LOOK, *CUT)

    assert again.code == 0
    assert again.counts == {"cached": 10}
    assert not home.ran()


def test_only_the_file_with_a_changed_byte_runs(home: "Home") -> None:
    first, *_ = home.tones(3)
    home.run(*LOOK)
    home.ran()
    before = first.stat()

    data = bytearray(first.read_bytes())
    data[-1] ^= 1
    first.write_bytes(data)
    # Same size, and the old time of change put back: only the content tells.
    os.utime(first, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = home.run(*LOOK)

    assert again.counts == {"done": 1, "cached": 2}
    assert home.ran() == {"look 000.wav": 1}


def test_a_copy_outlives_a_change_of_the_other(home: "Home") -> None:
    one = home.tone("a.wav")
    shutil.copy(one, home.media / "b.wav")
    data = one.read_bytes()
    # Equal bytes are one job, whatever they are called.
    assert home.run(*LOOK).counts == {"done": 1, "cached": 1}
    assert home.jobs() == {"completed": 1}
    assert sum(home.ran().values()) == 1

    one.write_bytes(data + b"more")
    changed = home.run(*LOOK)
    assert [row["media"][-5:] for row in changed.rows(state="done")] == ["a.wav"]
    assert [row["media"][-5:] for row in changed.rows(state="cached")] == ["b.wav"]
    assert home.ran() == {"look a.wav": 1}

    one.write_bytes(data)
    assert home.run(*LOOK).counts == {"cached": 2}
    assert not home.ran()


def test_a_changed_config_value_runs_only_its_action(home: "Home") -> None:
    path = home.tone("a.wav")
    home.run(*LOOK, *CUT)
    home.ran()

    why = home.call("explain", path, "-a", "count.look:depth=2", *CUT, "--json").json
    again = home.run("-a", "count.look:depth=2", *CUT)

    assert [(one["action"], one["cached"]) for one in why] == [
        ("count.look", False),
        ("count.cut", True),
    ]
    assert why[0]["reasons"] == ["config depth is 2, it was 1"]
    assert again.counts == {"done": 1, "cached": 1}
    assert home.ran() == {"look a.wav": 1}
    assert home.run(*LOOK, *CUT).counts == {"cached": 2}


def test_a_new_version_runs_only_its_action(home: "Home") -> None:
    path = home.tone("a.wav")
    home.run(*LOOK, *CUT)
    home.ran()
    newer = {"ACTION_VERSION": "2"}

    why = home.call("explain", path, *LOOK, "--json", environ=newer).json
    again = home.run(*LOOK, *CUT, environ=newer)

    assert why[0]["reasons"] == ["the action's version is 2, it was 1"]
    assert again.counts == {"done": 1, "cached": 1}
    assert home.ran() == {"look a.wav": 1}


def test_explain_tells_what_never_was_from_what_has_changed(home: "Home") -> None:
    path = home.tone("a.wav")
    never = home.call("explain", path, *LOOK, "--json").json
    home.run(*LOOK)
    cached = home.call("explain", path, *LOOK, "--json").json
    home.tone("a.wav", 550)
    changed = home.call("explain", path, *LOOK)

    assert never[0]["reasons"] == [
        "it was never computed for these bytes, nor for others at this path"
    ]
    assert cached[0]["cached"]
    assert "count.look: not cached" in changed.out
    assert "content has changed since it was computed" in changed.out


def test_a_lost_or_edited_artifact_is_made_again(home: "Home") -> None:
    path = home.tone("a.wav")
    home.tone("b.wav", 550)
    first = home.run(*CUT)
    home.ran()
    parts = [Path(part) for part in first.rows()[0]["artifacts"]]

    parts[0].unlink()
    why = home.call("explain", path, *CUT).out
    after_loss = home.run(*CUT)

    assert "an artifact of it is gone or has changed" in why
    assert after_loss.counts == {"done": 1, "cached": 1}
    assert home.ran() == {"cut a.wav": 1}

    edited = Path(after_loss.rows(state="done")[0]["artifacts"][1])
    before = edited.stat()
    edited.write_bytes(edited.read_bytes()[::-1])
    os.utime(edited, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert home.run(*CUT).counts == {"done": 1, "cached": 1}
    assert home.ran() == {"cut a.wav": 1}
    assert home.run(*CUT).counts == {"cached": 2}


def test_published_copies_never_overwrite_and_are_made_once(home: "Home") -> None:
    home.tone("below/a.wav")
    out = home.media / "out"
    (out / "below").mkdir(parents=True)
    mine = out / "below" / "a.part0.wav"
    mine.write_bytes(b"a person's own file")

    first = home.run(*CUT, "--output", "media/out")
    listing = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = home.run(*CUT, "--output", "media/out")

    assert first.code == again.code == 0
    assert mine.read_bytes() == b"a person's own file"
    published = first.rows()[0]["artifacts"]
    assert published == [str(out / "below" / name) for name in ("a.part0.2.wav", "a.part1.wav")]
    assert again.rows()[0]["artifacts"] == published
    # Not even looked at as media: the output folder is no input.
    assert again.counts == {"cached": 1}
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == listing


def test_copies_have_the_times_that_the_setting_says(home: "Home") -> None:
    song = home.tone("a.wav")
    os.utime(song, ns=(LONG_AGO_NS, LONG_AGO_NS))
    begun = time.time() - 2  # a file system's clock may be behind

    as_source = home.run(*CUT, "--output", "source")
    now = home.run(*CUT, "--output", "now", environ={"MEDIAHOST_OUTPUT_TIMES": "now"})

    assert {Path(copy).stat().st_mtime_ns for copy in as_source.rows()[0]["artifacts"]} == {
        LONG_AGO_NS
    }
    assert all(Path(copy).stat().st_mtime >= begun for copy in now.rows()[0]["artifacts"])


def test_the_programs_own_files_are_no_media(home: "Home") -> None:
    home.tone("a.wav")
    inside = {"MEDIAHOST_DATA_DIR": str(home.media / "state")}

    assert home.run(*CUT, environ=inside).counts == {"done": 1}
    assert home.run(*CUT, environ=inside).counts == {"cached": 1}


def test_steps_pass_over_kinds_that_they_do_not_accept(home: "Home") -> None:
    home.example("two_pages.pdf")
    home.tone("a.wav")

    both = home.run("-a", "hello.halves", *LOOK)
    named = home.call("run", "media/two_pages.pdf", "media/a.wav", "-a", "hello.halves")
    several = home.call("run", "media/two_pages.pdf", "-a", "hello.halves", "-a", "av.probe")

    assert both.code == 0
    assert len(both.rows(step="hello.halves")) == 1
    assert len(both.rows(step="count.look")) == 2
    assert named.code == 1
    assert "two_pages.pdf is of a kind that hello.halves does not work on" in named.err
    assert "1 cached" in named.out
    assert "is of a kind that none of hello.halves, av.probe works on" in several.err


def test_force_computes_everything_once_more(home: "Home") -> None:
    home.tones(2)
    home.settings(PIPELINE)
    home.run("-p", "chain")
    once = home.ran()

    forced = home.run("-p", "chain", "--force")

    assert forced.counts == {"done": 4}
    assert home.ran() == once == dict.fromkeys(once, 1)
    assert home.run("-p", "chain").counts == {"cached": 4}


def test_a_dry_run_does_nothing(home: "Home") -> None:
    home.tone("a.wav")

    told = home.run(*LOOK, "--dry-run")

    assert told.code == 0
    assert told.counts == {"to do": 1}
    assert home.jobs() == {}
    assert not home.ran()


PIPELINE = """
[pipelines.chain]
steps = [
    { action = "count.look" },
    { action = "count.follow", after = "count.look" },
]
"""
