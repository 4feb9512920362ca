"""PDF documents, for mediahost: facts, text, page images and contact sheets.

PDFium is loaded by the first action that runs, not with this module.
"""

from collections.abc import Mapping
from typing import Any

from mediahost import Action, hookimpl
from mediahost_documents.contact_sheet import ContactSheet
from mediahost_documents.info import Info
from mediahost_documents.pages import Pages
from mediahost_documents.text import Text

__all__ = ["ContactSheet", "Info", "Pages", "Text"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """Give the host this plugin's actions."""
    return [Info, Text, Pages, ContactSheet]


@hookimpl
def mediahost_register_views() -> Mapping[str, Any]:
    """How results look in the TUI."""
    from mediahost_documents.views import VIEWS  # noqa: PLC0415 - loads Textual

    return VIEWS
