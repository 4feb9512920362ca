"""Actions as they are written on the command line."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost.cli.actions import parse, pipeline_of
from mediahost.errors import UsageError

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
VALUES = st.text() | st.lists(JSON_VALUES) | st.dictionaries(st.text(), JSON_VALUES) | st.none()


def written(value: Any) -> str:
    """A value as the manual says to write it: text as it is where that is clear, else JSON."""
    if isinstance(value, str) and not ("," in value or value[:1] in ('"', "[", "{")):
        return value if value != "null" else '"null"'
    return json.dumps(value)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_config_that_is_written_by_the_rules_comes_back(config: dict[str, Any]) -> None:
    pairs = ",".join(f"{key}={written(value)}" for key, value in config.items())
    assert parse(f"a.b:{pairs}") == ("a.b", config)


@given(st.text())
def test_no_text_makes_anything_worse_than_a_usage_error(text: str) -> None:
    try:
        name, config = parse(text)
    except UsageError:
        return
    assert name
    assert isinstance(config, dict)


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("a.b", {}),
        ("a.b:", {}),
        ("a.b:x=1,y=two words", {"x": "1", "y": "two words"}),
        ("a.b: x = 1 ", {"x": " 1 "}),
        ("a.b:x=", {"x": ""}),
        ("a.b:x=1,", {"x": "1"}),
        ("a.b:at=00:01:30,url=http://x/?a=b", {"at": "00:01:30", "url": "http://x/?a=b"}),
        ('a.b:x="one, two",y=3', {"x": "one, two", "y": "3"}),
        ('a.b:x=["de","en"],y=3', {"x": ["de", "en"], "y": "3"}),
        ('a.b:x={"k": 1}', {"x": {"k": 1}}),
        ("a.b:x=[0:v]scale", {"x": "[0:v]scale"}),
        ("a.b:x=null", {"x": None}),
    ],
)
def test_a_config_is_read_as_the_manual_says(text: str, config: dict[str, Any]) -> None:
    assert parse(text) == ("a.b", config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no action"),
        (":x=1", "names no action"),
        ("a.b:x", "'x' in --action 'a.b:x' is no KEY=VALUE"),
        ("a.b:x=1,y", "'y' in"),
        ("a.b:=1", "'=1' in"),
        ("a.b:x=one,two=,three", "'three' in"),
        ('a.b:x="one', "A double quote"),
        ('a.b:x="one"two', "A double quote"),
        ("a.b:x=1,x=2", "gives x twice"),
    ],
)
def test_what_is_not_written_so_is_said_and_shown_how(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        parse(text)
    assert caught.value.hint


def test_one_action_may_be_asked_for_twice_with_other_config() -> None:
    pipeline = pipeline_of(["a.b:x=1", "a.b:x=2", "c.d"])
    assert [step.name for step in pipeline.steps] == ["a.b", "a.b#2", "c.d"]
    assert [step.config for step in pipeline.steps] == [{"x": "1"}, {"x": "2"}, {}]
