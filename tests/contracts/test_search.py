# ruff: noqa: RUF001 - letters of many scripts look like Latin ones
"""Search and lineage: what every store promises."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.ranges import TimeRange
from mediahost.model.result import (
    Analysis,
    Artifact,
    MediaAnalysisResult,
    MediaProcessingResult,
    Result,
    Transcription,
    Word,
)
from mediahost.model.search import Found, Search, terms_of
from mediahost.ports import Completion, Store


def named(text: str) -> str:
    return hash_bytes(text.encode())


def complete(
    store: Store, path: str, result: Result, *, content: str | None = None, action: str = "a.b"
) -> None:
    media = MediaFile(Path(path), MediaKind.AUDIO, named(content or path))
    store.submit([JobRequest(action, 2, {"at": 1}, media, named(action))])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [Completion(job, result, named("result"), 5)])


def said(text: str, *, pause_after: str = "") -> MediaAnalysisResult:
    """A second for each word."""
    words, at = [], 0.0
    for word in text.split():
        words.append(Word(text=f" {word}", start=at, end=at + 1))
        at += 10 if word == pause_after else 1
    heard = Transcription(provider="tiny", text=text, words=tuple(words))
    return MediaAnalysisResult(transcription=heard)


def at(start: float, end: float, label: str = "speech", **payload: Any) -> TimeRange:
    return TimeRange(start=start, end=end, label=label, payload=payload)


def ranges(*found: TimeRange) -> MediaAnalysisResult:
    return MediaAnalysisResult(ranges=found)


def look(store: Store, words: str = "", **conditions: Any) -> list[Found]:
    return store.search(Search(terms_of(words), **conditions))


def places(found: Sequence[Found]) -> list[tuple[str, float | None, float | None]]:
    return [(one.media_url, one.start_s, one.end_s) for one in found]


def test_a_sentence_is_found_at_its_time(store: Store) -> None:
    complete(store, "/talk.wav", said("It was the best. It was the worst of times."))
    (found,) = look(store, "worst times")
    assert (found.media_url, found.action, found.kind) == ("/talk.wav", "a.b", "speech")
    assert (found.start_s, found.end_s, found.label) == (4, 10, "speech")
    assert found.file_hash == named("/talk.wav")
    assert found.snippet == "It was the worst of times."
    assert look(store, "best worst") == [], "all words are in one sentence"


def test_a_pause_ends_a_sentence_too(store: Store) -> None:
    complete(store, "/talk.wav", said("hello there general", pause_after="there"))
    assert places(look(store, "general")) == [("/talk.wav", 11, 12)]


def test_a_transcript_without_times_is_found_whole(store: Store) -> None:
    heard = Transcription(provider="tiny", text="Hello there")
    complete(store, "/talk.wav", MediaAnalysisResult(transcription=heard))
    assert places(look(store, "hello")) == [("/talk.wav", None, None)]


def test_summaries_and_pages_are_found(store: Store) -> None:
    summary = Analysis(analysis_type="summary", summary="A cat sleeps.")
    pages = [{"page": 1, "text": "One\nfish"}, {"page": 2, "text": "Two fish"}, {"page": 3}]
    complete(store, "/a.pdf", MediaAnalysisResult(analysis=summary, metadata={"pages": pages}))
    (found,) = look(store, "two")
    assert (found.kind, found.label, found.page) == ("page", "page", 2)
    (found,) = look(store, "CAT")
    assert (found.kind, found.label, found.snippet) == ("summary", "summary", "A cat sleeps.")
    assert len(look(store, "fish", limit=1)) == 1
    assert len(look(store, "fish", label="page")) == 2
    assert look(store, "fish", label="speech") == []


def test_labels_are_found_once_and_payloads_wherever_they_are(store: Store) -> None:
    complete(
        store,
        "/film.mp4",
        ranges(at(0, 1, "chapter", title="Start"), at(1, 2, "chapter", title="End of days")),
    )
    assert places(look(store, "chapter")) == [("/film.mp4", 0, 1)]
    assert places(look(store, "days")) == [("/film.mp4", 1, 2)]


def test_what_ranges_and_transcript_both_say_is_found_once(store: Store) -> None:
    heard = said("It was the best. It was the worst.").transcription
    spoken = (at(0, 4, text="It was the best."), at(4, 8, text=" It was the worst. ", note="loud"))
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    (found,) = look(store, "best")
    assert (found.kind, found.start_s, found.end_s) == ("range", 0, 4)
    assert len(look(store, "worst")) == 1


def test_a_sentence_that_two_ranges_share_is_found_whole(store: Store) -> None:
    heard = said("It was the best of times.").transcription
    spoken = (at(0, 3, text="It was the"), at(3, 6, text="best of times."))
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    assert [found.kind for found in look(store, "the best")] == ["speech"]


def test_ranges_say_where_a_transcript_without_times_does_not(store: Store) -> None:
    heard = Transcription(provider="tiny", text="Hello there")
    spoken = (at(3, 4, text="Hello there"),)
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    assert ("/talk.wav", 3, 4) in places(look(store, "hello"))


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ('"best of"', 1),
        ('"of best"', 0),
        ("tim*", 1),
        ("tim", 0),
        ('"of tim"*', 0),
        ("best -worst", 1),
        ("best -times", 0),
        ("BEST", 1),
        ("it's", 0),
        ("best-of", 1),
        ("best OR nothing", 0),
        ("NEAR(best times)", 0),
        ("words:best", 0),
        ('best "', 1),
        ("best AND", 0),
        ("'; DROP TABLE passages; --", 0),
        ("best\0times", 1),
        ("best & times", 1),
        ("best ^ (", 1),
        ("best\udc80", 1),
    ],
)
def test_what_is_typed_has_no_power(store: Store, words: str, number: int) -> None:
    complete(store, "/talk.wav", said("It was the best of times"))
    assert len(look(store, words)) == number


# A sentence in each of thirty languages and one of its words, as a person might type it.
SENTENCES = {
    "Arabic": ("اِجْتِمَاعٌ مُهِمٌّ فِي المَكْتَبِ", "اجتماع"),
    "Armenian": ("Բարև ձեզ, սա հանդիպում է", "ՀԱՆԴԻՊՈՒՄ"),
    "Bengali": ("আজকের সভার বিবরণ", "বিবরণ"),
    "Bulgarian": ("Днес има заседание в София", "заседание"),
    "Chinese": ("我们今天在会议室讨论预算", "预算"),
    "Czech": ("Žluťoučký kůň příšerně úpěl", "prisernė".replace("ė", "e")),
    "Danish": ("Rødgrød med fløde", "rodgrod"),
    "English": ("It was the best of times", "BEST"),
    "Finnish": ("Hyvää päivää kaikille", "paivaa"),
    "French": ("L'élève mange une pâtisserie", "patisserie"),
    "Georgian": ("დღეს შეხვედრა გვაქვს", "შეხვედრა"),
    "German": ("Die Straße ist groß", "strasse"),
    "Greek": ("Ο λόγος ήταν μεγάλος", "ΛΟΓΟΣ"),
    "Gujarati": ("આજે બેઠક છે", "બેઠક"),
    "Hebrew": ("שָׁלוֹם לְכֻלָּם", "שלום"),
    "Hindi": ("हिन्दी समाचार सुनिए", "हिन्दी"),
    "Hungarian": ("Árvíztűrő tükörfúrógép", "arvizturo"),
    "Icelandic": ("Góðan daginn allir", "góðan"),
    "Japanese": ("明日のガイドツアーは三時です", "ガイド"),
    "Khmer": ("កិច្ចប្រជុំនៅថ្ងៃនេះ", "ប្រជុំ"),
    "Korean": ("오늘 회의를 기록했다", "회의"),
    "Lao": ("ກອງປະຊຸມມື້ນີ້", "ປະຊຸມ"),
    "Myanmar": ("ယနေ့အစည်းအဝေးရှိသည်", "အစည်းအဝေး"),
    "Persian": ("او می\u200cخواهد برود", "میخواهد"),
    "Polish": ("Łódź to duże miasto", "lodz"),
    "Russian": ("Привет, мой дорогой ёжик", "ежик"),
    "Tamil": ("இன்று கூட்டம் உள்ளது", "கூட்டம்"),
    "Thai": ("วันนี้มีการประชุมใหญ่", "การประชุม"),
    "Turkish": ("İstanbul'da ılık bir akşam", "ISTANBUL"),
    "Vietnamese": ("Cuộc họp bắt đầu lúc chín giờ", "cuoc hop"),
}


@pytest.mark.parametrize("in_ranges", [False, True])
def test_a_word_of_each_language_is_found_once(store: Store, *, in_ranges: bool) -> None:
    for language, (sentence, _) in SENTENCES.items():
        result = ranges(at(0, 2, "heard", text=sentence)) if in_ranges else MediaAnalysisResult()
        heard = Transcription(provider="tiny", text=sentence)
        complete(store, f"/{language}.wav", result.model_copy(update={"transcription": heard}))
    for language, (sentence, word) in SENTENCES.items():
        found = look(store, word)
        assert [one.media_url for one in found] == [f"/{language}.wav"], word
        assert found[0].snippet == sentence
        assert len(look(store, sentence)) == 1, sentence


@pytest.mark.parametrize(
    ("text", "words", "number"),
    [
        ("会議室にいます", "会", 1),
        ("会議室にいます", "室", 1),
        ("会議室にいます", "す", 1),
        ("会議室にいます", "会室", 0),
        ("会議室にいます", "議会", 0),
        ("会議 室内", '"会議 室内"', 1),
        ("会議 室内", "会議室", 0),
        ("新しいiPhoneを買う", "iphone", 1),
        ("新しいiPhoneを買う", "iPhoneを", 1),
        ("ｶﾞｲﾄﾞ", "ガイド", 1),
        ("カイト", "ガイド", 0),
        ("한국어 회의를 했다", "회의", 1),
        ("한국어 회의를 했다", "의회", 0),
        ("the ﬁrst x² \uff26\uff35\uff2c\uff2c", "first", 1),
        ("the ﬁrst x² \uff26\uff35\uff2c\uff2c", "x2 full", 1),
        ("co\u00adoperate", "cooperate", 1),
        ("٣ كتب", "3", 1),
        ("naïve café", "NAIVE cafe", 1),
        ("naïve café", "naïf", 0),
        ("a_b c-d", '"c d"', 1),
        ("Gruß " + "ab " * 200 + "Ende", "ende", 1),
    ],
)
def test_words_are_found_as_people_write_them(
    store: Store, text: str, words: str, number: int
) -> None:
    heard = Transcription(provider="tiny", text=text)
    complete(store, "/talk.wav", MediaAnalysisResult(transcription=heard))
    assert len(look(store, words)) == number


def test_parts_of_a_sentence_in_ranges_are_found_with_it_once(store: Store) -> None:
    heard = said("It was the best of times.").transcription
    spoken = (at(0, 3, text="It was the"), at(3, 6, text="best of times."))
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    assert [found.kind for found in look(store, "best")] == ["speech"]
    assert len(look(store, label="speech")) == 2, "the ranges are listed"


def test_pages_and_the_text_that_they_make_are_found_once(store: Store) -> None:
    pages = [{"page": 1, "text": "One fish"}, {"page": 2, "text": "Two cats"}]
    complete(store, "/a.pdf", MediaAnalysisResult(metadata={"pages": pages, "text": "One fish\n"}))
    assert [one.kind for one in look(store, "fish")] == ["page"]


def test_a_snippet_has_the_words_and_not_the_label(store: Store) -> None:
    long = "lead " * 100 + "the needle here " + "tail " * 100
    complete(store, "/a.wav", ranges(at(0, 1, "chapter", title="Start"), at(1, 2, text=long)))
    (found,) = look(store, "chapter")
    assert (found.label, found.snippet) == ("chapter", "Start")
    (found,) = look(store, "needle")
    assert found.snippet is not None
    assert "needle" in found.snippet
    assert found.snippet.startswith("…")
    assert found.snippet.endswith("…")
    assert len(found.snippet) < 300


def test_a_text_of_any_length_is_found_to_its_end(store: Store) -> None:
    text = " ".join(f"w{number % 1000} the" for number in range(20_000)) + " needle"
    complete(store, "/a.txt", MediaAnalysisResult(metadata={"text": text}))
    assert len(look(store, "needle")) == 1
    assert len(look(store, "w7")) == 1, "each part has it"
    assert len(look(store, '"the needle"')) == 1
    complete(store, "/b.txt", MediaAnalysisResult(metadata={"text": "x" * 5_000}))
    assert len(look(store, "x" * 5_000)) == 1


@pytest.mark.parametrize("words", [" ", '"', '""', "*", "--", "\0", "()", "-", "&|!", "\udc80"])
def test_what_has_no_word_is_refused_in_a_sentence(words: str) -> None:
    with pytest.raises(ValueError, match="There is no word in"):
        terms_of(words)


def test_a_search_for_nothing_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="nothing to look for"):
        look(store)
    with pytest.raises(ValueError, match="only words that must not be there"):
        look(store, "-times")
    with pytest.raises(ValueError, match="limit"):
        look(store, "times", limit=-1)


def test_time_ranges_are_listed_by_label_and_length(store: Store) -> None:
    complete(store, "/b.wav", ranges(at(0, 1), at(5, 9), at(9, 20, "music")))
    complete(store, "/a.wav", ranges(at(3, 5)))
    found = look(store, label="speech", min_s=2)
    assert places(found) == [("/a.wav", 3, 5), ("/b.wav", 5, 9)]
    assert places(look(store, min_s=10)) == [("/b.wav", 9, 20)]
    assert look(store, label="beat") == []


def test_time_ranges_are_found_within_a_stretch(store: Store) -> None:
    complete(store, "/a.wav", ranges(at(0, 1), at(2, 3), at(4, 5)))
    assert places(look(store, label="speech", from_s=1.5, to_s=4)) == [("/a.wav", 2, 3)]
    assert places(look(store, label="speech", from_s=2.5)) == [("/a.wav", 2, 3), ("/a.wav", 4, 5)]


def test_words_are_found_in_long_enough_sentences(store: Store) -> None:
    complete(store, "/a.wav", said("yes. yes it is so."))
    assert places(look(store, "yes", min_s=2)) == [("/a.wav", 1, 5)]


def test_what_a_file_said_before_it_changed_is_not_found(store: Store) -> None:
    complete(store, "/a.wav", said("old words"), content="old")
    complete(store, "/a.wav", said("new words"), content="new")
    assert look(store, "old") == []
    assert len(look(store, "words")) == 1


def test_running_again_replaces_what_is_found(store: Store) -> None:
    complete(store, "/a.wav", said("first"))
    complete(store, "/a.wav", said("second"))
    assert look(store, "first") == []
    assert len(look(store, "second")) == 1


def test_deleting_a_job_forgets_nothing_that_was_said(store: Store) -> None:
    complete(store, "/a.wav", said("hello"))
    store.delete_jobs([job.job_id for job in store.jobs()])
    assert len(look(store, "hello")) == 1


def made(*names: str) -> MediaProcessingResult:
    return MediaProcessingResult(
        artifacts=tuple(
            Artifact(path=Path(name), asset_type="audio", file_hash=named(name)) for name in names
        )
    )


def test_what_was_made_is_known_by_content_in_both_directions(store: Store) -> None:
    complete(store, "/film.mp4", made("/made/1.wav", "/made/2.wav"), action="av.cut")
    (making,) = store.makings_into([named("/made/2.wav"), named("nothing")])
    assert store.makings_from([named("/film.mp4")]) == [making]
    assert (making.action, making.action_version, making.config) == ("av.cut", 2, {"at": 1})
    assert (making.media_url, making.file_hash) == ("/film.mp4", named("/film.mp4"))
    assert making.made == (
        ("/made/1.wav", named("/made/1.wav")),
        ("/made/2.wav", named("/made/2.wav")),
    )
    assert store.makings_at("/film.mp4") == store.makings_at("/made/2.wav") == [making]
    assert store.makings_into([named("/film.mp4")]) == store.makings_at("/none") == []


def test_what_was_made_is_known_without_its_job(store: Store) -> None:
    complete(store, "/film.mp4", made("/made/1.wav"))
    store.delete_jobs([job.job_id for job in store.jobs()])
    assert len(store.makings_into([named("/made/1.wav")])) == 1
