"""The host's own hook implementations, which come through the same door as everybody's."""

from mediahost.model.media import MediaFile
from mediahost.model.result import Result
from mediahost.plugin.action import Action, Analyzer, Processor
from mediahost.plugin.context import Context
from mediahost.plugin.hookspecs import hookimpl


@hookimpl(trylast=True)
def mediahost_run_action(action: Action, media: MediaFile, context: Context) -> Result | None:
    """Call the action's own method."""
    if isinstance(action, Analyzer):
        return action.analyze(media, context)
    if isinstance(action, Processor):
        return action.process(media, context)
    return None
