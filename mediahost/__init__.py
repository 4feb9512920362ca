"""mediahost: the names that a plugin author needs, and nothing else.

They load on first use, so that `import mediahost` itself costs a program's start nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mediahost.errors import InvalidMedia, JobCancelled, TransientError, Unavailable
    from mediahost.model.completeness import Completeness
    from mediahost.model.cues import CueRules, cues_of
    from mediahost.model.event import Event
    from mediahost.model.info import MediaInfo, MediaStream
    from mediahost.model.kinds import MediaKind, kind_of
    from mediahost.model.media import MediaFile
    from mediahost.model.orientation import Orientation
    from mediahost.model.ranges import TimeRange
    from mediahost.model.result import (
        Analysis,
        Artifact,
        MediaAnalysisResult,
        MediaProcessingResult,
        Result,
        Transcription,
        Word,
    )
    from mediahost.model.subtitles import Cue, subtitles_as
    from mediahost.plugin.action import Action, Analyzer, Processor
    from mediahost.plugin.context import Context
    from mediahost.plugin.damage import unreadable
    from mediahost.plugin.demuxers import trusted_formats
    from mediahost.plugin.durations import promised_duration
    from mediahost.plugin.holes import Holes
    from mediahost.plugin.hookspecs import hookimpl
    from mediahost.plugin.media_reader import MediaReader
    from mediahost.plugin.models import PinnedFile, PinnedModel

_HOMES = {
    "Action": "plugin.action",
    "Analysis": "model.result",
    "Analyzer": "plugin.action",
    "Artifact": "model.result",
    "Completeness": "model.completeness",
    "Context": "plugin.context",
    "Cue": "model.subtitles",
    "CueRules": "model.cues",
    "Event": "model.event",
    "Holes": "plugin.holes",
    "InvalidMedia": "errors",
    "JobCancelled": "errors",
    "MediaAnalysisResult": "model.result",
    "MediaFile": "model.media",
    "MediaInfo": "model.info",
    "MediaKind": "model.kinds",
    "MediaProcessingResult": "model.result",
    "MediaReader": "plugin.media_reader",
    "MediaStream": "model.info",
    "Orientation": "model.orientation",
    "PinnedFile": "plugin.models",
    "PinnedModel": "plugin.models",
    "Processor": "plugin.action",
    "Result": "model.result",
    "TimeRange": "model.ranges",
    "TransientError": "errors",
    "Transcription": "model.result",
    "Unavailable": "errors",
    "Word": "model.result",
    "cues_of": "model.cues",
    "hookimpl": "plugin.hookspecs",
    "kind_of": "model.kinds",
    "promised_duration": "plugin.durations",
    "subtitles_as": "model.subtitles",
    "trusted_formats": "plugin.demuxers",
    "unreadable": "plugin.damage",
}

__all__ = [
    "Action",
    "Analysis",
    "Analyzer",
    "Artifact",
    "Completeness",
    "Context",
    "Cue",
    "CueRules",
    "Event",
    "Holes",
    "InvalidMedia",
    "JobCancelled",
    "MediaAnalysisResult",
    "MediaFile",
    "MediaInfo",
    "MediaKind",
    "MediaProcessingResult",
    "MediaReader",
    "MediaStream",
    "Orientation",
    "PinnedFile",
    "PinnedModel",
    "Processor",
    "Result",
    "TimeRange",
    "Transcription",
    "TransientError",
    "Unavailable",
    "Word",
    "__version__",
    "cues_of",
    "hookimpl",
    "kind_of",
    "promised_duration",
    "subtitles_as",
    "trusted_formats",
    "unreadable",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mediahost' has no attribute {name!r}")
    value = getattr(import_module(f"mediahost.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
