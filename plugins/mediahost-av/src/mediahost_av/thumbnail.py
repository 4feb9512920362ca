"""One picture that stands for a film."""

from mediahost import Context, MediaFile, MediaProcessingResult
from mediahost_av.container import ends_before
from mediahost_av.output import named_after
from mediahost_av.sketches import Thumbnail
from mediahost_av.snapshot import SUFFIXES, Snapshots
from mediahost_av.stills import Still, Stills

CANDIDATES = 12
MARGIN = 0.05  # of the film at either end: titles and credits
SMALL = (64, 64)  # enough to tell what is rich from what is plain


def thumbnail(action: Thumbnail, media: MediaFile, context: Context) -> MediaProcessingResult:
    """Write the picture at the time, or the richest of some from all over the film.

    Keys of the result's metadata: `timestamp`, when it is shown, in seconds; `width` and `height`
    in pixels.

    Raises:
        InvalidMedia: The file is no film, none of its pictures can be decoded, or it ends before
            the time.
    """
    with Stills(media.path, context) as stills:
        snapshots = Snapshots(stills.stream, action)
        if action.at_s is None:
            still = _richest(stills, snapshots)
        elif action.at_s >= stills.duration:
            raise ends_before(media.path, stills.duration, action.at_s)
        else:
            stills.progress(0.0, "looking for the picture")
            still = stills.exactly_at(action.at_s)
        if still is None:
            raise stills.nothing()
        stills.tell_doubts(still)
        path = named_after(media.path, context.workdir, SUFFIXES[action.format])
        made = snapshots.save(still, path, "thumbnail")
        completeness = stills.completeness
    context.progress(1.0, "done")
    return MediaProcessingResult(
        artifacts=(made,),
        metadata={**made.metadata, **snapshots.facts()},
        completeness=completeness,
    )


def _richest(stills: Stills, snapshots: Snapshots) -> Still | None:
    """The picture with the most shades in it: neither black nor a title on plain ground."""
    best: tuple[float, Still] | None = None
    for number in range(CANDIDATES):
        stills.progress(number / CANDIDATES, "looking for pictures")
        share = MARGIN + (1 - 2 * MARGIN) * (number + 0.5) / CANDIDATES
        still = stills.at(stills.duration * share)
        if still is None:
            continue
        richness = snapshots.image(still).convert("L").resize(SMALL).entropy()
        if best is None or richness > best[0]:
            best = (richness, still)
    return best[1] if best else None
