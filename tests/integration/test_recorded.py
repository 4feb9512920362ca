"""Outputs laid out by the day of the recording, as real actions read it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import av
from PIL import Image

if TYPE_CHECKING:
    from tests.integration.conftest import Home

RECORDED = "{recorded}/{recorded_year}-{recorded_month}-{recorded_day} {stem}"
NOT_THEN = datetime(2024, 2, 3, 12, tzinfo=UTC).timestamp()


def photo(home: "Home") -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2017:08:09 10:11:12"
    path = home.media / "photo.jpg"
    Image.new("RGB", (64, 48), "red").save(path, exif=exif)
    os.utime(path, (NOT_THEN, NOT_THEN))


def film(home: "Home") -> None:
    path = home.media / "film.mp4"
    with (
        av.open(str(home.example("bigbuckbunny.mp4"))) as source,
        av.open(str(path), "w") as target,
    ):
        target.metadata["creation_time"] = "2018-06-07T12:00:00.000000Z"
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    (home.media / "bigbuckbunny.mp4").unlink()
    os.utime(path, (NOT_THEN, NOT_THEN))


def made_in(folder: Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in found)


STEPS = """
[[STEPS]]
action = "images.info"
[[STEPS]]
action = "av.probe"
[[STEPS]]
action = "images.thumbnail"
[[STEPS]]
action = "av.extract_audio"
"""
BY_DAY = ["2017-08-09/2017-08-09 photo", "2018-06-07/2018-06-07 film"]


def test_a_run_lays_outputs_out_by_the_day_of_the_recording(home: "Home") -> None:
    photo(home)
    film(home)
    home.settings(STEPS.replace("STEPS", "pipelines.all.steps"))
    answer = home.run("--pipeline", "all", "--output", f"made/{RECORDED}")
    assert answer.code == 0, answer.out + answer.err
    assert made_in(home.folder / "made") == BY_DAY


def test_a_watch_too(home: "Home") -> None:
    photo(home)
    film(home)
    rule = f'[[watch]]\npath = "media"\nsettle_s = 0.1\noutput = "made/{RECORDED}"\n'
    home.settings(rule + STEPS.replace("STEPS", "watch.steps"))
    assert "2 done, 0 failed" in home.call("watch", "--once").out
    assert made_in(home.folder / "made") == BY_DAY


def test_where_nothing_tells_it_is_the_last_change(home: "Home") -> None:
    photo(home)
    answer = home.run("--action", "images.thumbnail", "--output", f"made/{RECORDED}")
    assert answer.code == 0, answer.out + answer.err
    assert made_in(home.folder / "made") == ["2024-02-03/2024-02-03 photo"]
