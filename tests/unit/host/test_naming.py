"""Names of outputs: after the file that was asked about, short enough, and apart."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost.host.naming import names_for, published_name, published_names, short, stored_name

LONG = "Conference 2026, the keynote of the second day, " * 4


@pytest.mark.parametrize(
    ("name", "stem", "stored"),
    [
        ("Draft.jpg", "Draft", "artifact.jpg"),
        ("interview.thumb.jpg", "interview", "artifact.thumb.jpg"),
        ("film-00001.png", "film", "artifact-00001.png"),
        ("contact_sheet.jpg", "film", "contact_sheet.jpg"),
        ("Episode 10.jpg", "Episode 1", "Episode 10.jpg"),  # no tail, but a name of its own
        ("audio.mp3", "a", "audio.mp3"),
        (f"{LONG[:60]}.mp3", LONG, "artifact.mp3"),
        (f"{LONG[:100]}-page-0001.png", LONG, "artifact-page-0001.png"),
        ("artifact.part1.mp3", "artifact.part1", "artifact.part1.mp3"),
        (".mp3", "", ".mp3"),
    ],
)
def test_what_is_stored_has_nothing_of_the_media_files_name(
    name: str, stem: str, stored: str
) -> None:
    assert stored_name(name, stem) == stored


@pytest.mark.parametrize(
    ("stem", "stored", "published"),
    [
        ("Episode 1", "artifact.jpg", "Episode 1.jpg"),
        ("Final", "artifact.thumb.jpg", "Final.thumb.jpg"),
        ("film", "artifact-00001.png", "film-00001.png"),
        ("film", "contact_sheet.jpg", "film.contact_sheet.jpg"),
        ("film", "film.mp3", "film.mp3"),  # of a store of before
        ("Episode 1", "Episode 10.jpg", "Episode 1.Episode 10.jpg"),
        ("a.b", "artifact.mp3", "a.b.mp3"),
    ],
)
def test_what_is_published_has_the_name_of_the_file_that_was_asked_about(
    stem: str, stored: str, published: str
) -> None:
    assert published_name(stem, stored) == published


def test_steps_that_would_make_one_name_have_their_own_in_it() -> None:
    made = [("loud", "artifact.wav"), ("quiet", "artifact.wav"), ("look", "artifact.jpg")]
    assert published_names("talk", made) == ["talk.loud.wav", "talk.quiet.wav", "talk.jpg"]
    # Files of one step are told apart by numbers, where they are written.
    assert published_names("talk", [("cut", "artifact.wav")] * 2) == ["talk.wav"] * 2


@given(stem=st.text(min_size=1, max_size=400), tail=st.sampled_from([".mp3", ".a" * 40, "-1.png"]))
def test_names_fit_and_differ_where_their_stems_do(stem: str, tail: str) -> None:
    name = f"{stem}{tail}".replace("/", "_").replace("\0", "_")
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    cut = short(name)
    assert len(cut.encode()) <= 255
    assert cut == name or "~" in cut
    assert cut.endswith(tail) or len(tail) > 20
    if cut != name:
        assert short(f"x{name}") != cut
        assert short(f"{name.removesuffix(tail)}x{tail}") != cut


def test_a_free_name_is_found_beside_names_that_are_as_long_as_can_be() -> None:
    wanted = Path("/out") / f"{'x' * 251}.mp3"
    names = names_for(wanted)
    found = {next(names).name for _ in range(20)}
    assert len(found) == 20
    assert all(len(name) <= 255 and name.endswith(".mp3") for name in found)
