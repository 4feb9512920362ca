"""Where outputs go: wherever the template says, and never outside the folder it begins with."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mediahost.host.naming import OutputRefused, target_for
from mediahost.model.watch import TEMPLATE_FIELDS, Watch

FIELDS = {
    **dict.fromkeys(TEMPLATE_FIELDS, "x"),
    "folder": "shows/one",
    "name": "talk.wav.mp3",
    "stem": "talk",
    "suffix": ".mp3",
}
ANY = st.text(min_size=0, max_size=20) | st.sampled_from(["..", ".", "/", "../..", "a/../../b", ""])


def test_without_fields_it_is_a_folder_laid_out_as_the_watched_one() -> None:
    assert target_for("/out", FIELDS) == Path("/out/shows/one/talk.wav.mp3")
    other = {**FIELDS, "name": "part.mp3"}
    assert target_for("/out", other) == Path("/out/shows/one/talk.part.mp3")


def test_fields_are_filled_in_and_the_suffix_is_the_artifacts() -> None:
    assert target_for("/out/{year}/{stem}", FIELDS) == Path("/out/x/talk.mp3")
    assert target_for("/out/{stem}{suffix}", FIELDS) == Path("/out/talk.mp3")
    assert target_for("/out/pre-{folder}/{stem}", FIELDS) == Path("/out/pre-shows_one/talk.mp3")


@given(values=st.fixed_dictionaries(dict.fromkeys(TEMPLATE_FIELDS, ANY)))
def test_no_value_leads_out_of_the_folder(values: dict[str, str]) -> None:
    for template in ("/out", "/out/{folder}/{stem}", "/out/{stem}/{name}", "/out/{watch}{action}"):
        target = target_for(template, values)
        assert ".." not in target.parts
        assert target.is_relative_to("/out")
        assert target != Path("/out")


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").symlink_to(tmp_path)
    with pytest.raises(OutputRefused, match="would lie outside"):
        target_for(f"{tmp_path}/out/{{watch}}/{{stem}}", FIELDS)


def test_a_long_name_is_cut_and_keeps_its_suffix() -> None:
    target = target_for("/out/{stem}", {**FIELDS, "stem": "ü" * 300})
    assert len(target.name.encode()) <= 255
    assert target.suffix == ".mp3"


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("/out/{steam}", "is no field of a template"),
        ("/out/{stem.__class__}", "is no field of a template"),
        ("/out/{stem", "is no template"),
        ("{stem}", "should begin with a folder"),
    ],
)
def test_a_wrong_template_is_refused_when_it_is_read(output: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Watch(path=Path("/in"), output=output)
