"""Page ranges, on numbers that can be read."""

import pytest

from mediahost.errors import InvalidConfig
from mediahost_documents import Text
from mediahost_documents.page_range import chosen


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("1-3,5", [1, 2, 3, 5]),
        ("5,1-3,2", [1, 2, 3, 5]),
        ("7-", [7, 8]),
        ("8-999999999", [8]),
        ("9", []),
        ("9-,4", [4]),
    ],
)
def test_pages_come_in_order_each_once_and_none_beyond_the_end(
    text: str, numbers: list[int]
) -> None:
    assert chosen(text, 8) == numbers


def test_blanks_make_no_other_config() -> None:
    assert Text(pages=" 1 - 3, 5 ").public_config() == Text(pages="1-3,5").public_config()


@pytest.mark.parametrize("text", ["0", "a", "1-2-3", "-3", "1;2", "1.5"])
def test_what_is_no_page_range_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidConfig, match="is no page range; write it like 1-3,5,8-"):
        Text.configured({"pages": text})


def test_a_range_that_runs_backwards_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="page range 5-3 runs backwards"):
        Text.configured({"pages": "5-3"})
