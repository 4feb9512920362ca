"""Speech cut into subtitles: for plugins and for `mediahost export`."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediahost import (
    CueRules,
    MediaAnalysisResult,
    TimeRange,
    Transcription,
    Word,
    cues_of,
)
from mediahost.model.cues import wrapped


def said(*texts: tuple[str, float, float]) -> MediaAnalysisResult:
    """Somebody said so, without saying when each word."""
    ranges = [
        TimeRange(start=start, end=end, label="subtitle", payload={"text": text})
        for text, start, end in texts
    ]
    text = " ".join(text for text, _, _ in texts)
    transcription = Transcription(provider="test", text=text)
    return MediaAnalysisResult(ranges=tuple(ranges), transcription=transcription)


def test_two_lines_are_as_even_as_can_be() -> None:
    age = ["it", "was", "the", "age", "of"]

    assert wrapped([*age, "wisdom", *age], CueRules()) == (
        "it was the age of wisdom it was the age of",
    )
    assert wrapped([*age, "wisdom", *age, "foolishness"], CueRules()) == (
        "it was the age of wisdom it",
        "was the age of foolishness",
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.text("abcdefgh.", min_size=1, max_size=30),
            st.floats(0, 2, allow_nan=False),
            st.floats(0, 3, allow_nan=False),
        ),
        max_size=40,
    ),
    st.integers(8, 50),
)
def test_no_word_is_lost_and_times_are_in_order(
    words: list[tuple[str, float, float]], max_line: int
) -> None:
    spoken, now = [], 0.0
    for text, length, pause in words:
        spoken.append(Word(text=text, start=now, end=now + length))
        now += length + pause
    text = " ".join(word.text for word in spoken)
    transcription = Transcription(provider="test", text=text, words=tuple(spoken))

    cues = cues_of(MediaAnalysisResult(transcription=transcription), CueRules(max_line=max_line))

    assert " ".join(" ".join(cue.lines) for cue in cues).split() == text.split()
    for cue in cues:
        assert cue.start <= cue.end
        assert all(len(line) <= max_line or " " not in line for line in cue.lines)
    for one, following in pairwise(cues):
        assert one.end <= following.start


def test_without_the_times_of_words_a_subtitle_keeps_to_its_range() -> None:
    cues = cues_of(said(("no full stop", 1, 3), ("nor here", 3.1, 5)))

    assert cues == [(1, 3, ("no full stop",)), (3.1, 5, ("nor here",))]


def test_a_range_with_too_much_text_becomes_several_subtitles() -> None:
    cues = cues_of(said(("word " * 40, 2, 22), ("the end", 22, 24)))

    assert [cue.start for cue in cues] == sorted(cue.start for cue in cues)
    assert (cues[0].start, cues[-1]) == (2, (22, 24, ("the end",)))
    assert sum(" ".join(cue.lines).count("word") for cue in cues) == 40
    assert len(cues) == 4


def test_nothing_said_is_no_subtitle() -> None:
    assert cues_of(MediaAnalysisResult()) == []
    assert cues_of(said()) == []


def test_the_subtitles_of_a_film_keep_their_times() -> None:
    times = [(1.2, 2.0), (2.0, 2.1), (4.0, 4.3)]
    result = MediaAnalysisResult(
        ranges=tuple(
            TimeRange(start=start, end=end, label="subtitle", payload={"text": "A line of text"})
            for start, end in times
        ),
        transcription=Transcription(provider="subtitles", text="A line of text"),
    )

    assert [(cue.start, cue.end) for cue in cues_of(result)] == times
