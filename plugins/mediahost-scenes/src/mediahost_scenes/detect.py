"""The result of `scenes.detect`."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from mediahost import Context, MediaAnalysisResult, MediaFile, TimeRange
from mediahost_scenes.actions import Detect
from mediahost_scenes.change import Change, Changes
from mediahost_scenes.film import Film, Planes

# Mean brightness up to which a picture is black: FFmpeg's black is 16, and grain is brighter.
BLACK = 24.0
SLACK_S = 0.1  # the picture after a black stretch is some frames later


class Begin(NamedTuple):
    """Where a scene begins, in seconds, and how."""

    seconds: float
    how: Literal["start", "cut", "fade"]
    change: float = 0.0


def detect(action: Detect, media: MediaFile, context: Context) -> MediaAnalysisResult:
    """Look at the whole film, then tell its scenes."""
    film = Film(media.path, context.threads, skip=action.mode == "fast")
    dark = _Dark()
    cuts = list(_cuts(action, film, dark, context))
    fades = _fades(dark, cuts) if action.fades else []
    begins = list(_long_enough(sorted([*cuts, *fades]), action.min_scene_s))
    edges = [*(begin.seconds for begin in begins), film.end_s]
    scenes = tuple(
        TimeRange(
            start=round(start, 3),
            end=round(end, 3),
            label="scene",
            payload={"begins_with": begin.how, "change": round(begin.change, 1)},
        )
        for begin, (start, end) in zip(begins, pairwise(edges), strict=True)
    )
    return MediaAnalysisResult(
        ranges=scenes,
        metadata={
            "scenes": len(scenes),
            "cuts": [scene.start for scene in scenes[1:]],
            "mean_scene_s": round(film.end_s / len(scenes), 3),
            "duration": round(film.end_s, 3),
            "frames": film.frames,
        },
        completeness=film.completeness(),
    )


def _cuts(action: Detect, film: Film, dark: "_Dark", context: Context) -> Iterator[Begin]:
    changes = Changes()
    for picture in film.pictures():
        context.progress(film.share(), f"Looked at {film.end_s:.0f} s")
        dark.take(picture.seconds, picture.planes)
        yield from _chosen(action, changes.take(picture))
    yield from _chosen(action, changes.finish())


def _chosen(action: Detect, changes: Iterator[Change]) -> Iterator[Begin]:
    for change in changes:
        if change.amount >= action.threshold and not change.undone:
            yield Begin(change.seconds, "cut", change.amount)


class _Dark:
    """Collects when the film is black: the first and the last black picture, in seconds."""

    def __init__(self) -> None:
        self.stretches: list[tuple[float, float]] = []
        self._since: float | None = None
        self._last = 0.0
        self._lit = False

    def take(self, seconds: float, planes: Planes) -> None:
        if np.add.reduce(planes[0], axis=None, dtype=np.uint32) <= BLACK * planes[0].size:
            self._since = seconds if self._since is None else self._since
            self._last = seconds
        else:
            # What is black before the first picture is no fade between two.
            if self._since is not None and self._lit:
                self.stretches.append((self._since, self._last))
            self._since, self._lit = None, True


def _fades(dark: _Dark, cuts: list[Begin]) -> list[Begin]:
    """The middles of the black stretches, but for those that are cut to or from."""
    return [
        Begin((start + end) / 2, "fade")
        for start, end in dark.stretches
        if not any(start - SLACK_S <= cut.seconds <= end + SLACK_S for cut in cuts)
    ]


def _long_enough(begins: list[Begin], shortest: float) -> Iterator[Begin]:
    """The film's start, and all that are long enough after the one before."""
    last = Begin(0.0, "start")
    yield last
    for begin in begins:
        if begin.seconds - last.seconds >= shortest:
            yield begin
            last = begin
