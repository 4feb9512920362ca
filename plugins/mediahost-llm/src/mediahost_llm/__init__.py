"""mediahost-llm: summaries, chapters and answers by language models.

The SDK is loaded by the first job, not with this module, so that listing plugins stays quick.
"""

from collections.abc import Collection, Mapping
from typing import Any

from mediahost import Action, hookimpl
from mediahost_llm.actions import Analyze, Chapters, Summarize
from mediahost_llm.endpoint import take_settings

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
