"""FFmpeg's filters."""

from collections.abc import Iterator

from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NoMore
from av.filter import Graph

# To ask in vain costs an exception, so what has come out is asked for after so many samples only.
_BATCH = 8192


class Chain:
    """Filters, one after the other."""

    def __init__(self, frame: AudioFrame, *filters: tuple[str, str]) -> None:
        self._graph = Graph()
        self._graph.threads = 1  # by default there is one for each core, with nothing to do
        source = self._graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=frame.time_base,
        )
        nodes = [self._graph.add(name, options) for name, options in filters]
        self._graph.link_nodes(source, *nodes, self._graph.add("abuffersink")).configure()
        self._waiting = 0

    def take(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """What comes out after this frame or some before it; None: all the rest."""
        self._graph.push(frame)
        self._waiting += _BATCH if frame is None else frame.samples
        if self._waiting < _BATCH:
            return
        self._waiting = 0
        while True:
            try:
                made = self._graph.pull()
            except (NothingYet, NoMore):
                return
            if isinstance(made, AudioFrame):
                yield made
