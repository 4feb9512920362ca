"""examples/: each is run as its first lines say, on the media beside it."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def test_a_folder_is_run_and_is_cached_the_second_time(shell: Shell, tmp_path: Path) -> None:
    answer = shell("sh examples/01_run_a_folder.sh")
    assert answer.returncode == 0, answer.stderr
    assert " 0 done, " in answer.stdout.splitlines()[-1]
    assert (tmp_path / "converted" / "two_cities.mp3").exists()


def test_the_settings_work_without_being_copied(shell: Shell) -> None:
    told = shell("mediahost --settings examples/02_mediahost.toml pipelines")
    assert told.returncode == 0, told.stderr
    assert {"talks", "films"} <= set(told.stdout.split())
    run = "mediahost --settings examples/02_mediahost.toml run examples/media --pipeline talks"
    assert shell(run).returncode == 0


def test_the_host_is_used_from_python(shell: Shell) -> None:
    answer = shell("python examples/03_use_the_host_from_python.py")
    assert answer.returncode == 0, answer.stderr
    spoken = re.findall(r"^  (\d+\.\d) s to (\d+\.\d) s$", answer.stdout, re.MULTILINE)
    assert len(spoken) > 10
    assert all(float(start) < float(end) for start, end in spoken)


def test_the_plugin_is_tried_before_it_is_installed(shell: Shell) -> None:
    answer = shell(
        "export MEDIAHOST_PLUGINS=examples/04_write_a_plugin.py\n"
        "mediahost plugins show example.density\n"
        "mediahost run examples/media --action example.density:unit=kB\n"
        "mediahost results examples/media/two_cities.flac --action example.density"
    )
    assert answer.returncode == 0, answer.stderr
    (density,) = re.findall(r"per_second: ([\d.]+)", answer.stdout)
    size = (EXAMPLES / "media" / "two_cities.flac").stat().st_size
    assert abs(float(density) - size / 44.374 / 1000) < 0.1


def test_an_inbox_makes_episodes_of_recordings(shell: Shell, tmp_path: Path) -> None:
    answer = shell(
        "mkdir inbox\n"
        "cp examples/media/two_cities.flac inbox/\n"
        "touch -d 2026-01-31T12:00 inbox/two_cities.flac\n"
        "echo noise > inbox/broken.wav\n"
        "mediahost --settings examples/06_podcast_inbox.toml watch --once || test $? = 1"
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "1 done, 1 failed"
    episode = tmp_path / "episodes" / "2026" / "two_cities"
    assert {path.name for path in episode.iterdir()} == {
        "sound.mp3", "chapters.json", "transcript.json", "subtitles.srt",
    }  # fmt: skip
    assert (episode / "sound.mp3").stat().st_size > 100_000
    chapters = json.loads((episode / "chapters.json").read_text())["ranges"]
    assert [chapter["label"] for chapter in chapters] == ["chapter"] * len(chapters)
    assert chapters[0]["start"] == 0
    assert abs(chapters[-1]["end"] - 44.374) < 0.01
    said = json.loads((episode / "transcript.json").read_text())["transcription"]
    assert said["text"].strip().startswith("It was the best of times")
    assert len(said["words"]) > 100
    assert "It was the best of times" in " ".join((episode / "subtitles.srt").read_text().split())
    assert [path.name for path in (tmp_path / "recorded").iterdir()] == ["two_cities.flac"]
    assert [path.name for path in (tmp_path / "unusable").iterdir()] == ["broken.wav"]


def test_shipped_pipelines_are_run_by_name(shell: Shell, tmp_path: Path) -> None:
    answer = shell("sh examples/07_shipped_pipelines.sh")
    assert answer.returncode == 0, answer.stderr
    assert {"podcast", "film", "lecture", "papers", "photos"} <= set(answer.stdout.split())
    assert (tmp_path / "photos" / "railway.jpg").exists()


def test_each_example_is_in_the_table() -> None:
    table = set(re.findall(r"^\| \[([^\]]+)\]", (EXAMPLES / "README.md").read_text(), re.MULTILINE))
    assert {path.name for path in EXAMPLES.glob("[0-9][0-9]_*")} == table
