"""Moving by letters wherever arrows move: in lists, panes and logs."""

from textual.binding import Binding

_MOVES = (
    ("j", "down", "Down", "down"),
    ("k", "up", "Up", "up"),
    ("g", "home", "First", "first"),
    ("G", "end", "Last", "last"),
    ("ctrl+d", "pagedown", "Page down", "page_down"),
    ("ctrl+u", "pageup", "Page up", "page_up"),
)

# For the application, and for each screen that keeps its keys from it.
MOVES = [
    Binding(key, f"app.simulate_key('{arrow}')", does, show=False, id=f"move.{name}")
    for key, arrow, does, name in _MOVES
]
