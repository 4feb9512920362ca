"""FFmpeg's filters."""

from collections.abc import Iterator

from av.audio.frame import AudioFrame
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NoMore
from av.filter import Graph


class Chain:
    """Filters, one after the other."""

    def __init__(self, frame: AudioFrame, *filters: tuple[str, str]) -> None:
        self._graph = Graph()
        source = self._graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=frame.time_base,
        )
        nodes = [self._graph.add(name, options) for name, options in filters]
        self._graph.link_nodes(source, *nodes, self._graph.add("abuffersink")).configure()

    def take(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """What comes out after this frame; None: after the end."""
        self._graph.push(frame)
        while True:
            try:
                made = self._graph.pull()
            except (NothingYet, NoMore):
                return
            if isinstance(made, AudioFrame):
                yield made
