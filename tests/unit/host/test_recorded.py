"""When a file was recorded, by what results say."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from mediahost.cached import Hit
from mediahost.hashing import CacheKey
from mediahost.host.recorded import recorded_at
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import StoredResult


@pytest.fixture(autouse=True)
def _in_a_zone_far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def day(*found: dict[str, Any]) -> str | None:
    results = [
        StoredResult(
            Hit(CacheKey("blake3:0", "blake3:1"), "blake3:2", 1, ()),
            "any.action",
            1,
            {},
            "/in/a",
            MediaAnalysisResult(metadata=metadata),
            0,
        )
        for metadata in found
    ]
    moment = recorded_at(results)
    return moment and time.strftime("%Y-%m-%d %H", moment)


def made(text: str) -> dict[str, Any]:
    return {"tags": {"creation_time": text}}


APPLE = {"com.apple.quicktime.creationdate": "2020-05-01T23:30:00+0200"}


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"taken_at": "2019-12-31T23:59:58"}, "2019-12-31 23"),
        ({"taken_at": "1955-06-01T12:00:00"}, "1955-06-01 12"),
        ({"taken_at": "2019-12-31T23:59:58+00:00"}, "2019-12-31 23"),
        (made("2020-06-30T20:00:00.000000Z"), "2020-07-01 08"),
        (made("2020-06-30T20:00:00"), "2020-06-30 20"),
        ({"tags": {**APPLE, "creation_time": "2020-05-01T21:30:00Z"}}, "2020-05-01 23"),
        (made("1970-01-01T00:00:00.000000Z"), None),
        (made("1904-01-01T00:00:00.000000Z"), None),
        (made("last summer"), None),
        ({"taken_at": 5, "tags": "none"}, None),
        ({}, None),
    ],
)
def test_it_is_the_clock_of_the_place(metadata: dict[str, Any], told: str | None) -> None:
    assert day(metadata) == told


def test_the_camera_knows_better_than_the_container() -> None:
    camera = {"taken_at": "2019-12-31T12:00:00"}
    assert day(made("2021-01-01T00:00:00Z"), camera) == "2019-12-31 12"
    assert day() is None
