from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost.model.job_filter import FIELDS, LONGEST_S, InvalidFilter, JobFilter


def terms(text: str) -> list[tuple[str, str, tuple[object, ...], bool]]:
    return [
        (term.field, term.comparison, term.values, term.negated)
        for term in JobFilter.parse(text).terms
    ]


def test_each_field_reads_its_values() -> None:
    assert terms("state:failed,processing -plugin:ocr* age<2d dur>5m try>=2 cached:yes") == [
        ("state", "=", ("failed", "processing"), False),
        ("plugin", "=", ("ocr*",), True),
        ("age", "<", (172_800.0,), False),
        ("dur", ">", (300.0,), False),
        ("try", ">=", (2.0,), False),
        ("cached", "=", (True,), False),
    ]


def test_no_duration_is_longer_than_calendars_and_databases_count() -> None:
    (term,) = terms(f"age>{'9' * 400}w")
    datetime.now(UTC) - timedelta(seconds=float(str(term[2][0])))
    assert term[2] == (LONGEST_S,)


def test_words_that_name_no_field_are_looked_for() -> None:
    assert terms('tape 04 -"two words" -') == [
        ("text", "=", ("tape",), False),
        ("text", "=", ("04",), False),
        ("text", "=", ("two words",), True),
        ("text", "=", ("-",), False),
    ]


def test_quotes_keep_spaces_and_commas_together() -> None:
    assert terms('err:"no audio, none",late') == [("err", "=", ("no audio, none", "late"), False)]


def test_home_is_written_out() -> None:
    assert terms("media:~/in/**") == [("media", "=", (str(Path.home() / "in/**"),), False)]


@pytest.mark.parametrize(
    ("text", "bad", "message"),
    [
        ("tape stat:failed", "stat", "There is no filter 'stat'; did you mean state?"),
        ("state:faled", "faled", "There is no state 'faled'; did you mean failed?"),
        ("-age<soon", "soon", "age wants a duration such as 90s, 5m, 2h or 3d, not 'soon'"),
        ("try:many", "many", "try wants a whole number, not 'many'"),
        ("state:", "state:", "state wants a value behind it"),
        ("media<4", "media<", "media can't be compared; write media:..."),
        ('err:"open', '"open', "A double quote is not closed"),
        ("cached:maybe", "maybe", "There is no answer 'maybe'"),
    ],
)
def test_what_can_not_be_understood_is_pointed_at(text: str, bad: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        JobFilter.parse(text)
    assert text[raised.value.start : raised.value.end] == bad
    assert raised.value.message == message


def test_a_field_is_replaced_and_the_rest_stays() -> None:
    wanted = JobFilter.parse('tape state:failed -state:pending err:"a b"')
    assert wanted.with_values("state", ("completed",)) == (
        'state:completed tape -state:pending err:"a b"'
    )
    assert wanted.with_values("state", ()) == 'tape -state:pending err:"a b"'
    assert JobFilter.parse("").with_values("action", ("a.b", "c.d")) == "action:a.b,c.d"


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_an_error_that_points_into_it(text: str) -> None:
    parsed = read(text)
    if isinstance(parsed, InvalidFilter):
        assert 0 <= parsed.start < parsed.end <= len(text)
        assert parsed.message
        return
    for term in parsed.terms:
        assert term.field == "text" or term.field in FIELDS
        assert term.values
        assert text[term.start : term.end].strip() == text[term.start : term.end] != ""


def read(text: str) -> JobFilter | InvalidFilter:
    try:
        return JobFilter.parse(text)
    except InvalidFilter as error:
        return error
