from datetime import UTC, datetime
from uuid import UUID

import pytest
from rich.cells import cell_len

from mediahost.model.job import JobStatus
from mediahost.store.browse import JobLine
from mediahost.tui.columns import Columns, cells

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def text_of(width: int, media: str, origin: str | None) -> str:
    head = (1, UUID(int=1), JobStatus.COMPLETED, "av.probe", media, origin, 1, MOMENT, None, 5)
    line = JobLine(*head, None, False, False, None, None, 0, True)  # noqa: FBT003 - a row
    columns = Columns.for_width(width)
    return "".join(text for text, _ in cells(line, columns, MOMENT, attempts=3, marked=False))


def test_what_an_action_made_goes_by_the_file_that_a_person_knows() -> None:
    text = text_of(120, "/data/artifacts/9f/01a2.1/talk.flac", "/media/talk.mp4")
    assert "↳ /media/talk.mp4" in text
    assert "talk.flac" not in text
    assert "↳" not in text_of(120, "/media/talk.mp4", None)


def test_where_there_is_little_room_the_note_says_how_long_it_took() -> None:
    assert "5 ms" in text_of(80, "/in/a.mp4", None)
    assert text_of(160, "/in/a.mp4", None).count("5 ms") == 1


def test_an_error_does_not_repeat_the_name_of_its_file() -> None:
    head = (1, UUID(int=1), JobStatus.FAILED, "av.probe", "/in/a b.mp4", None, 1, MOMENT, None, 5)
    error = "a b.mp4 can't be read: it is empty"
    line = JobLine(*head, error, False, False, None, None, 0, True)  # noqa: FBT003 - a row
    for width in (80, 160):
        parts = cells(line, Columns.for_width(width), MOMENT, attempts=3, marked=False)
        (why,) = (text for text, style in parts if style == "error")
        assert why.startswith("can't be re")


@pytest.mark.parametrize("width", range(40, 201, 7))
def test_a_line_is_as_wide_as_the_list(width: int) -> None:
    for origin in (None, "/in/a.mp4", "/in/" + "ü漢" * 60 + ".mp4"):
        assert cell_len(text_of(width, "/in/a.mp4", origin)) == width


def test_what_a_result_lacks_is_in_its_row() -> None:
    head = (1, UUID(int=1), JobStatus.COMPLETED, "av.probe", "/a.mp4", None, 1, MOMENT, None, 5)
    line = JobLine(*head, "12.5 s missing", False, False, None, None, 0, True)  # noqa: FBT003 - a row
    parts = cells(line, Columns.for_width(160), MOMENT, attempts=3, marked=False)
    assert "incomplete: 12.5 s missing" in [text.rstrip() for text, _ in parts]
