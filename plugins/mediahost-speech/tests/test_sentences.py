"""How words become sentences."""

from mediahost import Word
from mediahost_speech.sentences import sentences


def _spelled(text: str, *pauses: tuple[str, float]) -> list[tuple[Word, str]]:
    """Words of half a second, with pauses in seconds after some of them."""
    at, waits, spelled = 0.0, dict(pauses), []
    for word in text.split():
        spelled.append((Word(text=word, start=at, end=at + 0.4), f" {word}"))
        at += 0.5 + waits.get(word, 0.0)
    return spelled


def _texts(spelled: list[tuple[Word, str]]) -> list[str]:
    return ["".join(text for _, text in sentence).strip() for sentence in sentences(spelled)]


def test_a_sentence_ends_with_its_full_stop() -> None:
    assert _texts(_spelled("It is. Is it? It is! \u201cSo.\u201d There")) == [
        "It is.",
        "Is it?",
        "It is!",
        "\u201cSo.\u201d",
        "There",
    ]
    assert _texts(_spelled("\u662f\u3002 \u4e0d")) == ["\u662f\u3002", "\u4e0d"]


def test_a_title_is_followed_by_a_name() -> None:
    assert _texts(_spelled("Ask Mr. Smith. Thanks")) == ["Ask Mr. Smith.", "Thanks"]
    assert _texts(_spelled("Ask Ed. Thanks", ("Ed.", 0.6))) == ["Ask Ed.", "Thanks"]


def test_a_long_pause_ends_a_sentence_without_a_full_stop() -> None:
    assert _texts(_spelled("and so on", ("so", 2.0))) == ["and so", "on"]


def test_no_words_are_no_sentence() -> None:
    assert _texts([]) == []
