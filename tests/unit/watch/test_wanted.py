"""Which files of a watched folder are meant."""

from pathlib import Path

import pytest

from mediahost.model.kinds import MediaKind
from mediahost.model.watch import Watch
from mediahost.watch.wanted import Wanted


def wanted(**rule: object) -> Wanted:
    return Wanted(Watch.model_validate({"path": "/in", **rule}), MediaKind, ["/in/data"])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".a.wav", "hidden"),
        ("a.wav.part", "unfinished"),
        ("~$a.pdf", "unfinished"),
        ("film.f137.mp4", "unfinished"),
        ("song.f140-drc.m4a", "unfinished"),
        ("film.temp.mp4", "unfinished"),
        ("film.mp4.part-Frag12", "unfinished"),
        ("portrait.f28.jpg", None),
        ("film.fold.mp4", None),
        ("a.txt", "no media file"),
        ("a.wav", None),
    ],
)
def test_names_decide(name: str, why: str | None) -> None:
    said = wanted().why_not("", name)
    assert (said is None) == (why is None)
    assert (wanted().kind("", name) is None) == (why is not None)
    assert why is None or why in str(said)


def test_patterns_decide_by_place() -> None:
    rule = wanted(include=["/talks/"], exclude=["*.mp3", "old/"])
    assert rule.kind("talks", "a.wav")
    assert not rule.kind("talks", "a.mp3")
    assert not rule.kind("", "a.wav")
    assert not rule.enters("talks", "old")
    assert rule.why_not("", "a.wav") == "no pattern of include matches it"
    assert rule.why_not("talks/old", "a.wav") == "the folder talks/old is left out"


def test_some_folders_are_never_entered() -> None:
    rule = wanted()
    assert not any(rule.enters("", name) for name in (".git", "@eaDir", "lost+found", "data"))
    assert rule.enters("sub", "data")
    assert not wanted(recursive=False).enters("", "sub")


def test_an_ignore_file_counts_from_its_folder(tmp_path: Path) -> None:
    rule = wanted()
    (tmp_path / ".mediahostignore").write_text("/a.wav\n!keep.wav\ndeep/\n")
    rule.learn_ignores("sub", str(tmp_path), there=True)
    assert not rule.kind("sub", "a.wav")
    assert rule.kind("sub/other", "a.wav")
    assert rule.kind("", "a.wav")
    assert not rule.enters("sub", "deep")
    rule.learn_ignores("sub", str(tmp_path), there=False)
    assert rule.kind("sub", "a.wav")


NFC, NFD = "Caf\u00e9", "Cafe\u0301"


@pytest.mark.parametrize(("ruled", "there"), [(NFC, NFD), (NFD, NFC)])
def test_accents_are_the_same_however_they_are_encoded(
    ruled: str, there: str, tmp_path: Path
) -> None:
    rule = wanted(exclude=[f"{ruled}/", f"{ruled}*.mp3"])
    assert not rule.enters("", there)
    assert not rule.kind("", f"{there} 1.mp3")
    assert rule.kind("", f"{there} 1.wav")
    assert wanted(include=[f"{ruled}.wav"]).kind("", f"{there}.wav")
    (tmp_path / ".mediahostignore").write_text(f"{ruled}.wav\n")
    learnt = wanted()
    learnt.learn_ignores("", str(tmp_path), there=True)
    assert not learnt.kind("", f"{there}.wav")


def test_a_folder_with_nomedia_is_left_out(tmp_path: Path) -> None:
    (tmp_path / ".nomedia").touch()
    rule = wanted()
    rule.learn_ignores("thumbs", str(tmp_path), there=True)
    assert not rule.kind("thumbs", "a.jpg")
    assert not rule.enters("thumbs", "deeper")
    assert ".nomedia" in str(rule.why_not("thumbs", "a.jpg"))
    assert rule.kind("", "a.jpg")
