"""Painting what has changed, and nothing beside it."""

from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.strip import Strip


class NearCompositor(Compositor):
    """Renders the widgets that are seen where something has changed, and of them the lines there.

    Textual's own renders every widget whose container lies there, whole, and all that is behind:
    of a list that changes ten times a second that is each bar, pane and frame around it.
    """

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if crop is None:
            yield from super()._get_renders()
            return
        # Whole lines: they are cut where the widgets in them meet.
        lines = Region(0, crop.y, self.size.width, crop.height)
        for widget, (region, clip) in self.visible_widgets.items():  # what is in front comes first
            if not region.intersection(clip).overlaps(crop):
                continue
            near = clip.intersection(lines)
            seen = region.intersection(near)
            yield region, near, widget.render_lines(seen.translate(-region.offset))
            if seen.contains_region(crop):
                return
