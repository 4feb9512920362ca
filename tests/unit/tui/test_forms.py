from typing import Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from mediahost import Analyzer, Context, MediaAnalysisResult, MediaFile
from mediahost.tui.forms import (
    FormField,
    config_of,
    faults_of,
    fields_of,
    placed,
    read,
    written,
)


class Box(BaseModel):
    width: int = Field(3, ge=1)
    label: str = ""


class Odd(Analyzer, name="odd.look", version=1):
    """Has every kind of field."""

    format: Literal["mp3", "wav"] = "mp3"
    codec: Literal["a", "b", "copy"] | None = None
    deep: bool = False
    count: int | None = Field(None, gt=0, le=9, description="How many")
    share: float = Field(0.5, gt=0, lt=1)
    name: str
    key: SecretStr = SecretStr("")
    tags: list[str] = Field(default_factory=list)
    box: Box = Box()

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult()


FIELDS = fields_of(Odd.model_json_schema())
BY_NAME = {field.name: field for field in FIELDS}


def test_each_field_is_asked_for_in_its_way() -> None:
    assert {name: field.kind for name, field in BY_NAME.items()} == {
        "format": "choice",
        "codec": "choice",
        "deep": "switch",
        "count": "integer",
        "share": "number",
        "name": "text",
        "key": "secret",
        "tags": "json",
        "box.width": "integer",
        "box.label": "text",
    }
    assert BY_NAME["codec"].choices == ("a", "b", "copy")
    assert BY_NAME["codec"].optional
    assert BY_NAME["name"].required
    assert BY_NAME["count"].description == "How many (above 0, at most 9)"


def test_what_is_left_as_it_was_is_left_out() -> None:
    values = {"format": "wav", "codec": None, "count": None, "name": "x", "box.width": "7"}
    assert config_of(FIELDS, values) == {"format": "wav", "name": "x", "box": {"width": "7"}}


def test_faults_stand_by_their_fields() -> None:
    config = {"count": "12", "box": {"width": 0}}
    faults = faults_of(Odd, config)
    assert set(faults) == {"count", "box.width", "name"}
    assert "less than or equal to 9" in faults["count"]
    assert faults_of(Odd, {"name": "x"}) == {}


def test_text_becomes_a_value_and_back() -> None:
    assert read(BY_NAME["tags"], '["a"]') == ["a"]
    assert read(BY_NAME["count"], "") is None
    assert read(BY_NAME["name"], "") is None  # it is required
    assert written(BY_NAME["tags"], ["a"]) == '["a"]'
    assert written(BY_NAME["count"], None) == ""
    with pytest.raises(ValueError, match="Expecting"):
        read(BY_NAME["tags"], "[a")


def test_what_is_wrong_inside_a_field_stands_beside_it() -> None:
    fields = [FormField("steps", "json"), FormField("a.b", "text"), FormField("a.c", "text")]
    faults = {"steps.action": "Field required", "a": "Not so", "a.c": "Too long", "": "Neither"}
    assert placed(fields, faults) == (
        {"steps": "steps.action: Field required", "a.b": "Not so", "a.c": "Too long"},
        "Neither",
    )
