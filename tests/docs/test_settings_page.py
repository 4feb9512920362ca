"""docs/settings.md: each setting with its default, and examples that are understood."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mediahost.model.pipeline import Step
from mediahost.model.watch import TEMPLATE_FIELDS, Watch
from mediahost.settings import Settings, load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
# What is worked out on each machine has words for a default.
WORKED_OUT = {"data_dir": "your user data folder", "workers": "number of CPUs"}


def _table(title: str) -> dict[str, tuple[str, str]]:
    found = re.search(rf"^\| {title} \|.*?(?=\n\n)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/settings.md has no table {title}"
    return {name: (default, what) for name, default, what in ROW.findall(found[0])}


def _default(name: str, field: FieldInfo) -> str:
    if name in WORKED_OUT:
        return WORKED_OUT[name]
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if name == "name":
        return "the folder's name" if "watch" in (field.description or "") else "the action"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value else "none"


def _fields(model: type[BaseModel]) -> dict[str, tuple[str, str]]:
    return {
        name: (_default(name, field), (field.description or "").replace("|", "\\|"))
        for name, field in model.model_fields.items()
    }


def test_each_setting_is_on_the_page_with_its_default() -> None:
    assert _table("setting") == _fields(Settings)


def test_each_field_of_a_step_is_on_the_page() -> None:
    assert _table("field of a step") == _fields(Step)


def test_each_field_of_a_watch_and_of_its_template_is_on_the_page() -> None:
    assert _table("field of a watch") == _fields(Watch)
    fields = dict(re.findall(r"^\| `\{(\w+)\}` \| (.+?) \|$", PAGE, re.MULTILINE))
    assert fields == TEMPLATE_FIELDS


@pytest.mark.parametrize(
    "text", re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
def test_each_example_is_understood(text: str, tmp_path: Path) -> None:
    (tmp_path / "mediahost.toml").write_text(text)
    loaded = load_settings(tmp_path / "mediahost.toml", {})
    assert set(tomllib.loads(text)) <= loaded.model_fields_set
