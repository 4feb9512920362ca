"""`mediahost search` and `mediahost lineage`, on what real actions found and made."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Call
    from tests.integration.conftest import Home

FOUND_KEYS = {
    *(
        "media",
        "made_from",
        "file_hash",
        "action",
        "kind",
        "label",
        "start_s",
        "end_s",
        "page",
        "snippet",
    ),
}
LINK_KEYS = {
    *("depth", "job_id", "action", "action_version", "config", "media", "file_hash", "made"),
}


@pytest.fixture
def halved(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", "--action", "hello.halves")


@pytest.mark.usefixtures("halved")
def test_time_ranges_are_found_by_label_and_length(call: "Call") -> None:
    found = call("search", "--label", "first half", "--json").json
    assert [set(one) for one in found] == [FOUND_KEYS]
    assert (found[0]["start_s"], found[0]["end_s"], found[0]["kind"]) == (0.0, 0.05, "range")
    assert len(call("search", "half", "--json").json) == 2
    assert call("search", "half", "--min", "50ms", "--limit", "1").out.count("a.wav") == 1
    assert call("search", "--min", "0:01").out == "Nothing was found\n"
    assert call("search", "--min", "0", "--to", "0.04", "--json").json == found


@pytest.mark.usefixtures("halved")
def test_the_table_says_file_place_and_text(call: "Call") -> None:
    header, row = call("search", "first").out.splitlines()
    assert header.split() == ["file", "where", "what", "text"]
    # A range that says nothing else has its label, in a column of its own.
    assert row.split() == ["media/a.wav", "00:00.0", "-", "00:00.0", "first", "half"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There is nothing to look for"),
        (['"'], "There is no word in"),
        (["half", "--min", "long"], "--min: 'long' is no time"),
        (["half", "--limit", "-1"], "A limit can't be negative"),
        (["--", "-half"], "There are only words that must not be there"),
    ],
)
def test_what_can_not_be_looked_for_is_said_in_a_sentence(
    call: "Call", arguments: list[str], message: str
) -> None:
    answer = call("search", *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_lineage_follows_artifacts_of_artifacts(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", "--action", "count.cut", "--output", "out")
    made = next((home.folder / "out").rglob("*.wav"))
    known = call("lineage", "media/a.wav", "--json").json
    assert set(known) == {"media", "file_hash", "origins", "descendants"}
    assert [set(link) for link in known["descendants"]] == [LINK_KEYS]
    back = call("lineage", str(made), "--json").json
    assert [(link["depth"], link["action"]) for link in back["origins"]] == [(1, "count.cut")]
    assert back["origins"][0]["media"] == str(home.media / "a.wav")
    assert "was made of\n  media/a.wav  by count.cut (version " in call("lineage", str(made)).out
    assert "media/a.wav was made into\n  " in call("lineage", "media/a.wav").out
    (home.media / "a.wav").unlink()
    assert len(call("lineage", "media/a.wav", "--json").json["descendants"]) == 1
    assert "as far as is known" in call("lineage", "media/none.wav").out


def test_a_passage_of_several_lines_is_one_row(home: "Home", call: "Call") -> None:
    home.example("two_pages.pdf")
    call("run", "media", "--action", "documents.text")
    assert "This is the second page. Bye" in call("search", "second page").out.splitlines()[1]
