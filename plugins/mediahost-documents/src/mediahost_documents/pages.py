"""`documents.pages`: each page as a picture."""

from pydantic import Field

from mediahost import Artifact, Context, MediaFile, MediaProcessingResult, Processor
from mediahost_documents.drawing import POINTS_PER_INCH, FormatName, drawn, stem_of, write
from mediahost_documents.page_range import PageRange
from mediahost_documents.paper import opened
from mediahost_documents.password import Protected


class Pages(Protected, Processor, name="documents.pages", version=2, accepts={"document"}):
    """Make a picture of each page.

    Gives an artifact `page` for each, with the metadata `page` (its number, from 1), `width` and
    `height` in pixels. Metadata: `page_count`, how many pages the document has.
    """

    pages: PageRange = ""
    dpi: int = Field(150, ge=18, le=600, description="Resolution, in pixels per inch")
    format: FormatName = Field("png", description="png, jpeg or webp")
    quality: int = Field(
        85, ge=1, le=100, description="Of jpeg and webp, 1 to 100; png is lossless"
    )

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        """Draw and write page after page.

        Raises:
            InvalidMedia: It is damaged, no PDF, protected by another password, has none of the
                pages, or one of them would have more than 100 million pixels.
        """
        context.progress(0, "Opening")
        artifacts = []
        with opened(media.path, self.password.get_secret_value(), context) as paper:
            numbers, count = paper.pages(self.pages), len(paper)
            for number in context.track(numbers, len(numbers), "Drawing"):
                with paper.leaving_out(number):
                    scale = self.dpi / POINTS_PER_INCH
                    image = drawn(paper, number, scale, context, self.format)
                    stem = f"{stem_of(media.path)}-page-{number:04}"
                    path = write(image, context.workdir, stem, self.format, self.quality)
                    facts = {"page": number, "width": image.width, "height": image.height}
                    artifacts.append(Artifact(path=path, asset_type="page", metadata={**facts}))
            paper.demand_some_of(numbers)
            completeness = paper.completeness()
        context.progress(1)
        return MediaProcessingResult(
            artifacts=tuple(artifacts),
            metadata={"page_count": count, "dpi": self.dpi},
            completeness=completeness,
        )
