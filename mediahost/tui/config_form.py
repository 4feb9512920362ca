"""A form for an action's config or a watch's rules, with what is wrong beside each field."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static, Switch

from mediahost.model.paths import display
from mediahost.tui.forms import FormField, config_of, faults_of, fields_of, placed, read, written


class YesNo(Switch):
    """A switch that says how it stands in letters too, for those without colours."""

    def render(self) -> Text:
        """The state."""
        return Text("[x] yes" if self.value else "[ ] no")

    def get_content_width(self, _container: Size, _viewport: Size) -> int:
        """As wide as either."""
        return len("[x] yes")


class ConfigForm(Vertical):
    """The fields of one model."""

    DEFAULT_CSS = """
    ConfigForm { height: auto; }
    ConfigForm .field { height: auto; margin-bottom: 1; }
    ConfigForm .name { width: 18; text-style: bold; }
    ConfigForm .value { width: 1fr; height: auto; }
    ConfigForm Input { height: 1; border: none; background: $panel; padding: 0 1; width: 100%; }
    ConfigForm Input:focus { background: $block-cursor-background; }
    ConfigForm Select { height: 1; width: 100%; }
    ConfigForm Switch { height: 1; border: none; padding: 0; background: $background; }
    ConfigForm Switch:focus { border: none; background: $block-cursor-background; }
    ConfigForm .about { color: $text-muted; }
    ConfigForm .fault { color: $error; display: none; }
    """

    class Changed(Message):
        """A value was changed."""

    def __init__(self, model: type[BaseModel], config: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._model = model
        self._fields = fields_of(model.model_json_schema())
        self._given = dict(config or {})
        self._left: set[str] = set()

    def compose(self) -> ComposeResult:
        """A row for each field."""
        if not self._fields:
            yield Static("It has no fields: there is nothing to choose.", classes="about")
        for number, field in enumerate(self._fields):
            with Horizontal(classes="field"):
                yield Static(Text(display(field.name)), classes="name")
                with Vertical(classes="value"):
                    yield self._input(number, field)
                    if field.description:
                        yield Static(Text(display(field.description)), classes="about")
                    yield Static("", id=f"fault-{number}", classes="fault", markup=False)
        yield Static("", id="fault", classes="fault", markup=False)

    def _input(self, number: int, field: FormField) -> Widget:
        value = self._start(field)
        name = f"field-{number}"
        if field.kind == "choice":
            options = [(str(choice), choice) for choice in field.choices]
            chosen = value if value in field.choices else Select.NULL
            blank = field.optional or chosen is Select.NULL
            return Select(
                options,
                prompt=_if_empty(field),
                value=chosen,
                allow_blank=blank,
                id=name,
                compact=True,
            )
        if field.kind == "switch":
            return YesNo(value=bool(value), id=name)
        kinds: dict[str, Any] = {"integer": "integer", "number": "number"}
        return Input(
            written(field, value),
            type=kinds.get(field.kind, "text"),
            password=field.kind == "secret",
            placeholder=_if_empty(field),
            id=name,
            compact=True,
        )

    def _start(self, field: FormField) -> Any:
        group, _, name = field.name.rpartition(".")
        given = self._given.get(group, {}) if group else self._given
        return given.get(name, field.default) if isinstance(given, Mapping) else field.default

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look whether it fits."""
        event.stop()
        self._changed()

    def on_select_changed(self, event: Select.Changed) -> None:
        """The same."""
        event.stop()
        self._changed()

    def on_switch_changed(self, event: Switch.Changed) -> None:
        """The same."""
        event.stop()
        self._changed()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """What was left empty is said to be required."""
        widget = event.widget
        is_opened = isinstance(widget, Select) and widget.expanded
        if is_opened or not self.app.app_focus or not self.is_ready:
            return
        left = [field.name for field, asks in self._asked() if asks is widget]
        if not self._left.issuperset(left):
            self._left.update(left)
            self._tell(self._faults())

    def _changed(self) -> None:
        if self.is_ready:
            self._tell(self._faults())
            self.post_message(self.Changed())

    @property
    def is_ready(self) -> bool:
        """Whether its inputs are there."""
        inputs = (f"#field-{number}" for number in range(len(self._fields)))
        return all(self.query(name) for name in (*inputs, "#fault"))

    @property
    def config(self) -> dict[str, Any] | None:
        """The config if it is there and fits, else None."""
        return None if not self.is_ready or self._faults() else self._written()

    @property
    def missing(self) -> list[str]:
        """The names of the fields that are required and empty."""
        values, _ = self._values()
        return [field.name for field in self._fields if self._is_missing(field, values)]

    def check(self) -> dict[str, Any] | None:
        """The config if it fits; else None, all that is wrong is said, and the first is gone to."""
        self._left.update(field.name for field in self._fields)
        faults = self._faults()
        self._tell(faults)
        if not faults:
            return self._written()
        beside, _ = placed(self._fields, faults)
        wrong = (widget for field, widget in self._asked() if field.name in beside)
        if (first := next(wrong, None)) is not None:
            first.focus()
        return None

    def _asked(self) -> Iterator[tuple[FormField, Widget]]:
        """Each field with what asks for it."""
        for number, field in enumerate(self._fields):
            yield field, self.query_one(f"#field-{number}")

    def _written(self) -> dict[str, Any]:
        return config_of(self._fields, self._values()[0])

    def _faults(self) -> dict[str, str]:
        """What is wrong, by the field's name; under "" what no field is to blame for."""
        values, faults = self._values()
        return {**faults_of(self._model, config_of(self._fields, values)), **faults}

    def _tell(self, faults: Mapping[str, str]) -> None:
        """Say what is wrong beside each field; that one is empty, not before it was left."""
        beside, others = placed(self._fields, faults)
        values, _ = self._values()
        for number, field in enumerate(self._fields):
            is_awaited = field.name not in self._left and self._is_missing(field, values)
            fault = "" if is_awaited else beside.get(field.name, "")
            _say(self.query_one(f"#fault-{number}", Static), fault)
        _say(self.query_one("#fault", Static), others)

    def _is_missing(self, field: FormField, values: Mapping[str, Any]) -> bool:
        return field.required and values.get(field.name) is None

    def _values(self) -> tuple[dict[str, Any], dict[str, str]]:
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for field, widget in self._asked():
            if isinstance(widget, Select):
                values[field.name] = None if widget.value is Select.NULL else widget.value
            elif isinstance(widget, Switch):
                values[field.name] = widget.value
            elif isinstance(widget, Input):
                try:
                    values[field.name] = read(field, widget.value)
                except ValueError:
                    faults[field.name] = "It should be JSON"
        return values, faults


def _if_empty(field: FormField) -> str:
    """What stands in a field while it is empty."""
    return "required" if field.required else "default"


def _say(place: Static, fault: str) -> None:
    place.update(Text(fault))
    place.display = bool(fault)
