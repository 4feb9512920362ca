import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment

from mediahost.tui.plain_text import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("✖ failed · 3", "x failed . 3"),
        ("┌──┐│", "+--+|"),
        ("████▌░░", "#####--"),
        ("▁▄█ ▀", "_:# #"),
        ("…/Été/映画.mp4", "*/Été/映画.mp4"),
        ("📁 x", "++ x"),
    ],
)
def test_signs_are_written_with_ascii_and_names_keep_their_letters(text: str, shown: str) -> None:
    assert plain(Segment(text)).text == shown


@given(st.text(st.characters(exclude_categories=["C", "M"]), max_size=40))
def test_a_line_stays_as_wide_as_it_was(text: str) -> None:
    segment = Segment(text)
    assert plain(segment).cell_length == segment.cell_length
