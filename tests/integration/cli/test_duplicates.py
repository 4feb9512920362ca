"""The same file twice, and pictures that look alike, on real pictures."""

import os
import shutil
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from tests.integration.conftest import Home


def names(group: dict[str, Any]) -> set[str]:
    return {one["path"].rpartition("/")[2] for one in group["files"]}


def test_copies_and_pictures_that_look_alike_are_found(home: "Home") -> None:
    picture = home.example("railway.jpg")
    shutil.copy(picture, home.media / "copy.jpg")
    os.link(picture, home.media / "link.jpg")
    with Image.open(picture) as image:
        image.resize((320, 240)).save(home.media / "small.png")
        ImageOps.invert(image.convert("RGB").rotate(90, expand=True)).save(home.media / "other.jpg")
    home.tone("a.wav")
    home.tone("b.wav", 300)
    answer = home.call("duplicates", "media", "--json")
    assert answer.code == 0, answer.err
    groups = {group["kind"]: group for group in answer.json["groups"]}
    assert answer.json["problems"] == []
    assert len(answer.json["groups"]) == 2
    same = names(groups["same"])
    # Of two names of one file, one is enough.
    assert "copy.jpg" in same
    assert len(same & {"railway.jpg", "link.jpg"}) == 1
    assert names(groups["alike"]) == {"copy.jpg", "small.png"}
    assert max(one["distance"] for one in groups["alike"]["files"]) <= 8
    words = home.call("duplicates")
    assert "7 files: 1 group with the same content" in words.out
    assert "1 group of pictures that look alike" in words.out


def test_a_damaged_picture_is_named_and_the_others_are_compared(home: "Home") -> None:
    picture = home.example("railway.jpg")
    (home.media / "broken.jpg").write_bytes(picture.read_bytes()[:2000])
    with Image.open(picture) as image:
        image.save(home.media / "again.png")
    answer = home.call("duplicates", "media", "--json")
    assert answer.code == 1
    assert [names(group) for group in answer.json["groups"]] == [{"again.png", "railway.jpg"}]
    (problem,) = answer.json["problems"]
    assert problem["path"].endswith("broken.jpg")
