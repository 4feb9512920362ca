from pathlib import Path

import pytest

from mediahost import Action
from mediahost.testing import check_action
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

ACTIONS: tuple[Action, ...] = (
    Probe(),
    Convert(max_width=64, effort="fast"),
    Convert(format="webm", max_width=64, effort="fast"),
    Convert(format="mkv", video_codec="copy", audio_codec="flac"),
    Convert(format="mp3"),
    Convert(format="opus"),
    ExtractSegment(start=1, end=2),
    ExtractSegment(start=1, end=2, mode="fast"),
    ExtractAudio(),
    ExtractAudio(format="opus", channels=1),
    Frames(count=3, max_width=64),
    Thumbnail(max_width=64),
    Waveform(width=200),
    ContactSheet(columns=2, rows=2, tile_width=64),
)


@pytest.mark.parametrize("action", ACTIONS, ids=str)
def test_an_action_keeps_to_what_the_host_counts_on(action: Action, clip: Path) -> None:
    check_action(action, clip)
