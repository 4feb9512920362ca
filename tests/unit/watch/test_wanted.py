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
