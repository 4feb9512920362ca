import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import mediahost
from mediahost import Action
from mediahost.testing import run_action
from mediahost_av import (
    ContactSheet,
    Convert,
    ExtractAudio,
    ExtractSegment,
    Frames,
    Probe,
    Thumbnail,
    Waveform,
)

ACTIONS: list[type[Action]] = [
    Probe,
    Convert,
    ExtractAudio,
    ExtractSegment,
    Frames,
    Thumbnail,
    ContactSheet,
    Waveform,
]

# What docs/hooks.md tells authors of views to import.
VIEWS = {"mediahost.tui.parts", "mediahost.tui.views"}
SOURCES = Path(__file__).parents[1] / "src" / "mediahost_av"


def test_loading_the_plugin_loads_no_ffmpeg() -> None:
    code = "import sys, mediahost_av; print(*{'av', 'PIL', 'numpy'} & set(sys.modules))"

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert printed.strip() == ""


def test_the_plugin_uses_only_what_a_strangers_could() -> None:
    names = {
        (node.module, alias.name)
        for path in SOURCES.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if node.module.split(".")[0] == "mediahost"
    }

    assert names
    assert {module for module, _ in names} <= {"mediahost", *VIEWS}
    assert {name for module, name in names if module not in VIEWS} <= set(mediahost.__all__)


def test_its_entry_point_registers_eight_actions() -> None:
    (point,) = entry_points(group="mediahost", name="av")

    assert point.load().mediahost_register_actions() == ACTIONS


def test_every_field_says_what_it_is() -> None:
    for action in ACTIONS:
        for name, field in action.model_fields.items():
            assert field.description, f"{action.info.name}: {name}"


def test_other_plugins_probe_through_it(film: Path) -> None:
    (point,) = entry_points(group="mediahost", name="av")

    info = point.load().mediahost_probe_media(path=film)

    assert info.duration == 5.312
    assert info.first("video").codec == "h264"


def test_what_it_cannot_read_it_leaves_to_others(tmp_path: Path) -> None:
    (point,) = entry_points(group="mediahost", name="av")
    text = tmp_path / "text.mp4"
    text.write_text("no film\n" * 100)

    assert point.load().mediahost_probe_media(path=text) is None
    assert point.load().mediahost_probe_media(path=tmp_path) is None


def test_nothing_is_printed_past_the_host(film: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.mp4"
    data = bytearray(film.read_bytes())
    data[200_000:700_000] = bytes(500_000)
    damaged.write_bytes(data)
    code = (
        "import sys; from mediahost.testing import run_action; from mediahost_av import *\n"
        "for codec in ('h264', 'h265', 'av1'):\n"
        "    run_action(Convert(video_codec=codec, max_width=64, effort='fast'), sys.argv[1])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, damaged],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_action_reports_progress_up_to_the_end(clip: Path) -> None:
    for action in (
        Convert(format="mp3"),
        ExtractSegment(start=1, mode="fast"),
        ContactSheet(columns=2, rows=2, tile_width=64),
        ExtractAudio(),
        Frames(every_s=1),
        Thumbnail(),
        Waveform(),
    ):
        fractions = [fraction for fraction, _ in run_action(action, clip).progress]

        assert len(fractions) > 3
        assert 0 <= min(fractions) < 0.3
        assert fractions[-1] == 1
