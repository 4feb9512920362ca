"""Outputs have the name of the file that was asked about, and a run knows those that it made."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

HALVES = Path(__file__).parent / "plugins" / "halves.py"


@pytest.fixture
def copies(home: "Home") -> "Home":
    """A home with an action that names what it makes after the file."""
    home.environ["MEDIAHOST_PLUGINS"] = str(HALVES)
    return home


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


LONG = "The keynote of the second day of the conference, recorded by the people of the hall"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Draft.wav", "Final.wav"),
        ("Episode 10.wav", "Episode 1.wav"),
        ("Episode 1.wav", "Episode 10.wav"),
        ("interview.wav", "copy_of_it.wav"),
        (f"{LONG}.wav", f"{LONG} (2).wav"),
    ],
)
def test_a_cached_artifact_has_the_name_of_the_file_that_was_asked_about(
    copies: "Home", first: str, second: str
) -> None:
    tone = copies.tone(first)
    assert copies.run("-a", "half.copy").code == 0
    tone.rename(copies.media / second)
    again = copies.run("-a", "half.copy", "-o", "out")
    assert again.counts == {"cached": 1}
    assert files_in(copies.folder / "out") == [second]
    copies.settings(
        '[[watch]]\npath = "media"\nsettle_s = 0.1\noutput = "watched"\n'
        '[[watch.steps]]\naction = "half.copy"\n'
    )
    assert copies.call("watch", "--once").code == 0
    assert files_in(copies.folder / "watched") == [second]


def test_steps_that_make_one_name_have_theirs_in_it(copies: "Home") -> None:
    copies.tone("talk.wav")
    copies.settings(
        "[pipelines.two]\n"
        '[[pipelines.two.steps]]\nname = "one"\naction = "half.copy"\n'
        '[[pipelines.two.steps]]\nname = "two"\naction = "half.copy"\nconfig = { more = true }\n'
    )
    assert copies.run("--pipeline", "two", "-o", "out").code == 0
    assert files_in(copies.folder / "out") == ["talk.one.wav", "talk.two.wav"]


def test_a_run_into_its_own_folder_does_not_grow(copies: "Home") -> None:
    copies.tone("sub/talk.wav")
    for _ in range(4):
        answer = copies.run("-a", "half.copy", "-o", "media")
        assert answer.code == 0
    assert files_in(copies.media) == ["sub/talk.2.wav", "sub/talk.wav"]
    assert answer.json["own"] == 1
    told = copies.call("run", "media", "-a", "half.copy", "-o", "media").out
    assert "; 1 own output left out" in told
    # What is named is a source; so it is where other things are asked for.
    assert copies.run("-a", "half.look").counts == {"done": 2}
    named = copies.call("run", "media/sub/talk.2.wav", "-a", "half.copy", "--json")
    assert named.counts == {"done": 1}


def test_a_template_says_where_a_run_writes(copies: "Home") -> None:
    copies.tone("sub/talk.wav")
    template = "out/{folder}/{kind}/{stem} by {step}"
    answer = copies.run("-a", "half.copy", "-o", template)
    assert answer.code == 0
    assert files_in(copies.folder / "out") == ["sub/audio/talk by half.copy.wav"]
    for wrong in ("out/{steam}", "{stem}", "out/{watch}", "out/{stem"):
        refused = copies.call("run", "media", "-a", "half.copy", "-o", wrong)
        assert refused.code == 2
        assert "--output can't be" in refused.err
