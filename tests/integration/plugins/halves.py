"""Actions whose results lack something of every file whose name has `half` in it."""

import shutil

from mediahost import (
    Analyzer,
    Artifact,
    Completeness,
    Context,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Processor,
    hookimpl,
)


def completeness_of(media: MediaFile) -> Completeness:
    lacking = Completeness(missing_s=12.5, note="The file is cut off")
    return lacking if "half" in media.path.name else Completeness()


class HalfLook(Analyzer, name="half.look", version=1, accepts={"audio"}):
    """Look at what is there."""

    def analyze(self, media: MediaFile, _context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(completeness=completeness_of(media))


class HalfCopy(Processor, name="half.copy", version=1, accepts={"audio"}):
    """Copy what is there."""

    more: bool = False

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        # As plugins do: the name of the file, cut.
        path = context.workdir / f"{media.path.stem[:60]}.wav"
        shutil.copyfile(media.path, path)
        with path.open("ab") as file:
            file.write(b"copied more" if self.more else b"copied")
        made = Artifact(path=path, asset_type="audio")
        return MediaProcessingResult(artifacts=(made,), completeness=completeness_of(media))


@hookimpl
def mediahost_register_actions() -> list[type]:
    """The two."""
    return [HalfLook, HalfCopy]
