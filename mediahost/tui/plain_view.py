"""The view of a result that no plugin has a better one for."""

from rich.text import Text
from textual.widgets import Static

from mediahost.model.media import display
from mediahost.model.result import MediaProcessingResult
from mediahost.ports import StoredResult
from mediahost.tui.facts import facts
from mediahost.tui.words import clock, size

MOST_RANGES = 500


class PlainView(Static):
    """Facts, ranges, transcript and files as text."""

    DEFAULT_CSS = "PlainView { height: auto; }"

    def __init__(self, stored: StoredResult) -> None:
        super().__init__(told(stored), markup=False)


def told(stored: StoredResult) -> Text:
    """A result as text."""
    result = stored.result
    parts = [facts(result.metadata)]
    if isinstance(result, MediaProcessingResult):
        for artifact in result.artifacts:
            kind = f"{artifact.asset_type}, {artifact.mime_type or '?'}, {size(artifact.size)}"
            parts.append(Text.assemble((display(artifact.path), "bold"), f"  {kind}"))
        return Text("\n").join(part for part in parts if part.plain)
    for at in result.ranges[:MOST_RANGES]:
        sure = "" if at.confidence is None else f"  {at.confidence:.0%}"
        parts.append(Text(f"{clock(at.start)} - {clock(at.end)}  {display(at.label)}{sure}"))
    if len(result.ranges) > MOST_RANGES:
        parts.append(Text(f"... and {len(result.ranges) - MOST_RANGES:,} more"))
    if result.transcription:
        parts.append(Text(display(result.transcription.text)))
    if result.analysis and result.analysis.summary:
        parts.append(Text(display(result.analysis.summary)))
    return Text("\n").join(part for part in parts if part.plain) or Text("Nothing was found.")
