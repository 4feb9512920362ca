"""Versions: what tells that a remote file is still the one that was fetched."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """What a server says of a file besides its bytes.

    Attributes:
        size: Bytes, where it was told.
        etag: The entity tag (RFC 9110, section 8.8.3), where there was one.
        modified: When it was last modified, in the server's own words.
        mime_type: Of the file.
    """

    size: int | None = None
    etag: str | None = None
    modified: str | None = None
    mime_type: str | None = None

    @property
    def proves(self) -> bool:
        """Whether an equal version means equal bytes; a size alone does not."""
        return bool(self.etag or self.modified)

    def equals(self, other: "Version") -> bool:
        """Whether both surely are of the same bytes."""
        return (
            self.proves
            and self.etag == other.etag
            and self.modified == other.modified
            and self.size == other.size
        )

    @property
    def resume_tag(self) -> str | None:
        """What `If-Range` takes: a strong entity tag.

        A date is not taken: two versions within one second have the same (RFC 9110, 8.8.2.2).
        """
        return self.etag if self.etag and not self.etag.startswith("W/") else None
