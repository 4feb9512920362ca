"""When a media file was recorded, by what is known of its content."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import StoredResult

# What a template has in it that asks for it.
ASKED = "{recorded"

# Clocks that were never set count from 1904 or 1970.
_FIRST_YEAR = 1971


def recorded_at(results: Iterable[StoredResult]) -> time.struct_time | None:
    """When a file was recorded, by the clock of the place if that is known.

    Args:
        results: What is stored of its content, the newest first.

    Returns:
        EXIF's time, as `images.info` reads it; else that of the container, as `av.probe` does, by
        the clock here where it is in UTC. None: no result tells it.
    """
    noted = [one.result.metadata for one in results if isinstance(one.result, MediaAnalysisResult)]
    for moments in (_by_camera, _by_container):
        for metadata in noted:
            for moment in moments(metadata):
                return moment.timetuple()
    return None


def _by_camera(metadata: Mapping[str, Any]) -> Iterator[datetime]:
    yield from _read(metadata.get("taken_at"))


def _by_container(metadata: Mapping[str, Any]) -> Iterator[datetime]:
    tags = metadata.get("tags")
    if not isinstance(tags, Mapping):
        return
    # Telephones of Apple note the place's clock here, and UTC below.
    yield from _read(tags.get("com.apple.quicktime.creationdate"))
    for moment in _read(tags.get("creation_time")):
        if moment.year >= _FIRST_YEAR:
            yield moment.astimezone() if moment.tzinfo else moment


def _read(text: object) -> Iterator[datetime]:
    with suppress(ValueError):
        if isinstance(text, str):
            yield datetime.fromisoformat(text)
