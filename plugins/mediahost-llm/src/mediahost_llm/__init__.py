"""mediahost-llm: summaries, chapters and answers by language models.

The SDK is loaded by the first job, not with this module, so that listing plugins stays quick.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mediahost import Action, hookimpl
from mediahost_llm.actions import Analyze, Chapters, Summarize
from mediahost_llm.endpoint import take_settings
from mediahost_llm.small import SMALL

if TYPE_CHECKING:
    from mediahost.plugin.models import PinnedModel

__all__ = ["Analyze", "Chapters", "Summarize"]


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """The three actions of this plugin."""
    return [Analyze, Chapters, Summarize]


@hookimpl
def mediahost_host_started(settings: Mapping[str, Mapping[str, Any]]) -> Collection[str]:
    """Take the table `[plugins.llm]` of the settings; of what happens it wants to hear nothing."""
    take_settings(settings.get("llm", {}))
    return ()


@hookimpl
def mediahost_register_models() -> "Iterable[PinnedModel]":
    """The small model that runs without any settings."""
    return (SMALL,)
