"""A folder of 200 mixed files, 20 of them damaged, through the pipeline `film`."""

import random
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from PIL import Image

from mediahost.testing.media import write_wav

if TYPE_CHECKING:
    from tests.integration.conftest import Home

FILMS, SILENT, SOUNDS, PICTURES, DAMAGED = 50, 10, 70, 50, 20


def make_film(path: Path, shade: int, *, sound: bool) -> None:
    """A second of two shades of grey with a tone, 64 x 48 pixels."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=8)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        tone = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for number in range(8):
            value = shade % 100 + 100 * (number >= 4)
            frame = av.VideoFrame.from_image(  # type: ignore[no-untyped-call]
                Image.new("RGB", (64, 48), (value,) * 3)
            )
            frame.pts = number
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if tone is not None:
            for number in range(16):
                frame = av.AudioFrame("s16", "mono", 1000)
                frame.planes[0].update(bytes([0, shade % 16]) * 1000)
                frame.sample_rate, frame.pts = 16_000, number * 1000
                container.mux(tone.encode(frame))
            container.mux(tone.encode(None))


def damage(data: bytes, kind: int) -> bytes:
    """Bytes that no player takes: cut off, emptied, overwritten, or something else altogether."""
    noise = random.Random(kind).randbytes(len(data))  # noqa: S311 - the same noise each time
    return (
        data[: len(data) // 3],
        b"",
        noise,
        b"<!doctype html><title>404 Not Found</title>" * 9,
        noise[:64] + bytes(len(data)),
    )[kind % 5]


@pytest.fixture
def damaged(home: "Home") -> set[str]:
    """Fills the media folder; the names of the damaged files."""
    for number in range(FILMS + SILENT):
        film = home.media / f"film-{number:03}.mp4"
        make_film(film, number, sound=number < FILMS)
    for number in range(SOUNDS):
        write_wav(home.media / f"sound-{number:03}.wav", (0.3, 200 + number))
    for number in range(PICTURES):
        Image.new("RGB", (32, 32), (number, 5 * number, 99)).save(
            home.media / f"picture-{number:03}.png"
        )
    sources = sorted(home.media.glob("film-00*.mp4"))
    names = set()
    for number in range(DAMAGED):
        path = home.media / f"damaged-{number:03}.mp4"
        path.write_bytes(
            damage(sources[number % len(sources)].read_bytes() + bytes([number]), number)
        )
        names.add(path.name)
    return names


def test_exactly_the_damaged_files_fail_and_each_says_why(home: "Home", damaged: set[str]) -> None:
    assert len(list(home.media.iterdir())) == 200
    answer = home.run("--pipeline", "film")
    assert answer.code == 1, answer.err
    reasons = defaultdict(list)
    for row in answer.json["rows"]:
        assert row["state"] in {"done", "failed", "blocked", "cached"}, row
        if row["state"] == "failed":
            reasons[Path(row["root"]).name].append(row["error"])
    for problem in answer.json["problems"]:
        reasons[Path(problem["path"]).name].append(problem["message"])
    assert set(reasons) == damaged
    for told in reasons.values():
        for reason in told:
            assert len(reason.split()) >= 3
            assert "Traceback" not in reason
            assert "Error:" not in reason
            assert "Errno" not in reason
