"""The screen Plugins: what is installed, what each action takes, and what is wrong."""

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from mediahost.errors import MediahostError
from mediahost.installation import install_hint
from mediahost.model.paths import display
from mediahost.plugin.action import Action
from mediahost.plugin.registry import PluginRow, Registry
from mediahost.tui.config_form import ConfigForm
from mediahost.tui.session import Session
from mediahost.tui.status_line import StatusLine
from mediahost.tui.submit_request import SubmitRequest
from mediahost.tui.top_bar import TopBar

HINTS = (("plugins.run", "run this action"), ("tab", "fields"), ("help", "help"))


class PluginsScreen(Screen[None]):
    """Plugins and actions at the left, the chosen one at the right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "submit", "Run this action", show=False, id="plugins.run"),
    ]
    AUTO_FOCUS = "#plugins"
    DEFAULT_CSS = """
    PluginsScreen #plugins { width: 34; height: 1fr; border: none; background: $surface;
        scrollbar-size-vertical: 1;
        padding: 0 1; }
    PluginsScreen #plugins:focus { border: none; }
    PluginsScreen #about { height: 1fr; padding: 0 2; }
    PluginsScreen .head { height: auto; margin-bottom: 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._registry = session.registry
        self._action: type[Action] | None = None

    def compose(self) -> ComposeResult:
        """The list and the place for what is chosen."""
        yield TopBar("plugins")
        with Horizontal():
            yield OptionList(*self._options(), id="plugins")
            yield VerticalScroll(id="about")
        broken = sum(row.error is not None for row in self._registry.rows)
        text = f"{len(self._registry.rows)} plugins" + (f", {broken} broken" if broken else "")
        yield StatusLine(HINTS, text)

    def _options(self) -> list[Option]:
        options = []
        for number, row in enumerate(self._registry.rows):
            sign = "✖ " if row.error else ""
            title = f"{sign}{display(Path(row.name).name)} {row.version}"
            options.append(Option(Text(title, style="bold"), id=f"plugin {number}"))
            options += [
                Option(Text(f"  {display(name)}"), id=f"action {number} {name}")
                for name in row.actions
            ]
        return options

    async def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show what the cursor is on."""
        event.stop()
        row = self._registry.rows[int((event.option_id or "").split(" ")[1])]
        self._action = self._chosen(event.option)
        if self._action is not None:
            widgets: list[Widget] = [
                Static(about_action(self._action), classes="head"),
                ConfigForm(self._action),
            ]
        else:
            widgets = [Static(about_plugin(row), classes="head")]
        place = self.query_one("#about", VerticalScroll)
        with self.app.batch_update():
            await place.remove_children()
            await place.mount(*widgets)

    def _chosen(self, option: Option | None) -> type[Action] | None:
        """The action that an option is for, if it is one and can be used."""
        kind, *_, name = ((option and option.id) or " ").split(" ")
        return usable(self._registry, name) if kind == "action" else None

    def action_submit(self) -> None:
        """Choose files for this action with this config."""
        listed = self.query_one("#plugins", OptionList)
        action = self._chosen(listed.highlighted_option)
        if action is None:
            self.notify("Choose one of the actions first", severity="warning")
            return
        # Who is quicker than the form takes what the action takes by itself.
        forms = [form for form in self.query(ConfigForm) if action is self._action]
        config = forms[0].check() if forms and forms[0].is_ready else {}
        if config is None:
            self.notify("The config doesn't fit yet", severity="warning")
            return
        self.app.post_message(SubmitRequest(action=action.info.name, config=config))


def usable(registry: Registry, name: str) -> type[Action] | None:
    """The action of that name, if it can be used."""
    try:
        return registry.action(name)
    except MediahostError:
        return None


def about_action(action: type[Action]) -> Text:
    """What an action does, on what."""
    info = action.info
    kinds = ", ".join(sorted(info.accepts))
    more = f"  {info.kind}, version {info.version}, on {kinds}, pool {info.pool}\n"
    text = Text(f"{info.name}", style="bold")
    text.append(more, "not bold")
    text.append(display((action.__doc__ or "").strip().partition("\n")[0]), "not bold")
    return text


def about_plugin(row: PluginRow) -> Text:
    """Where a plugin comes from; if it is broken, why, and what mends it."""
    text = Text(display(row.name), style="bold")
    text.append(f"\n{row.distribution or 'not installed'} {row.version}\n", "not bold")
    if row.error:
        text.append(f"\n✖ {display(row.error)}\n", "bold red")
        text.append(f"\n{fix_of(row)}\n\n", "not bold")
        text.append("\n".join(map(display, row.traceback.splitlines())), "not bold")
    else:
        number = "1 action" if len(row.actions) == 1 else f"{len(row.actions)} actions"
        named = f"{number}: {', '.join(row.actions)}" if row.actions else "It has no actions."
        text.append(f"\n{named}", "not bold")
    return text


def fix_of(row: PluginRow) -> str:
    """What a person can do about a broken plugin."""
    if "ModuleNotFoundError" in row.traceback:
        module = row.traceback.rpartition("No module named ")[2].strip().strip("'")
        return f"The module {module} is missing. {_reinstall(row)}"
    if "is claimed by" in (row.error or ""):
        return "Uninstall one of the two: mediahost plugins uninstall NAME"
    if row.distribution:
        return f"Upgrade it: {install_hint(row.distribution, upgrade=True)}"
    return "Correct the file, then open the TUI again."


def _reinstall(row: PluginRow) -> str:
    if not row.distribution:
        return "Install the package that has it."
    return f"Install the plugin again: {install_hint(row.distribution)}"
