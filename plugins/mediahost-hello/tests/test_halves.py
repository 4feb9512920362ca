"""What `hello.halves` promises, checked with the kit that mediahost ships."""

from pathlib import Path

import pytest

from mediahost import InvalidMedia, MediaInfo
from mediahost.errors import InvalidConfig
from mediahost.testing import check_action, run_action, write_wav
from mediahost_hello import Halves

TEN_SECONDS = MediaInfo(duration=10)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "talk.wav")


def test_a_recording_is_cut_in_the_middle(talk: Path) -> None:
    run_action(Halves(), talk, info=TEN_SECONDS).assert_ranges(
        (0, 5, "first half"), (5, 10, "second half")
    ).assert_metadata(duration=10)


def test_the_cut_can_be_elsewhere(talk: Path) -> None:
    run_action(Halves(at=0.3), talk, info=TEN_SECONDS).assert_ranges((0, 3), (3, 10))


def test_a_cut_outside_the_recording_is_refused_in_words() -> None:
    with pytest.raises(InvalidConfig, match="at: input should be less than 1, not 2"):
        Halves.configured({"at": 2})


def test_a_file_that_nobody_can_read_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "talk.wav"
    text.write_text("This is no sound.")
    with pytest.raises(InvalidMedia):
        run_action(Halves(), text)


def test_it_keeps_to_what_the_host_counts_on(talk: Path) -> None:
    check_action(Halves(at=0.3), talk, info=TEN_SECONDS)
