"""`subtitles.export`: what was said, as subtitles that an independent reader understands."""

import html
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest

from mediahost import InvalidMedia, MediaAnalysisResult, MediaFile, TimeRange, Transcription, Word
from mediahost.errors import InvalidConfig
from mediahost.testing import ActionRun, check_action, run_action
from mediahost_subtitles import Export

SPEECH = Path(__file__).parents[3] / "examples" / "media" / "two_cities.flac"

SAID = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age "
    "of foolishness. Short. It was the epoch of belief & <doubt>, {and} it was: 100 --> 0."
)


def transcribed(text: str = SAID, step_s: float = 0.4) -> MediaAnalysisResult:
    words = tuple(
        # As whisper has them: with the space before.
        Word(text=f" {word}", start=number * step_s, end=(number + 0.8) * step_s)
        for number, word in enumerate(text.split())
    )
    transcription = Transcription(provider="test", text=text, language="en", words=words)
    return MediaAnalysisResult(transcription=transcription)


def exported(action: Export, said: MediaAnalysisResult) -> tuple[ActionRun, pysubs2.SSAFile]:
    run = run_action(action, SPEECH, inputs={"speech.transcribe": said})
    return run, pysubs2.load(str(run.artifacts[0].path))


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("srt", "application/x-subrip"), ("vtt", "text/vtt"), ("ass", "text/x-ssa")],
)
def test_every_word_is_read_back_at_its_time(name: str, mime_type: str) -> None:
    run, subtitles = exported(Export.configured({"format": name}), transcribed())

    run.assert_artifact(asset_type="subtitles", mime_type=mime_type)
    assert run.artifacts[0].path.name == f"two_cities.{name}"
    run.assert_metadata(cues=len(subtitles), language="en")
    text = " ".join(line.text.replace("\\N", " ") for line in subtitles)
    wanted = SAID.replace("-->", "→")
    if name == "ass":  # where braces are commands
        wanted = wanted.replace("{", "(").replace("}", ")")
    if name == "srt":  # where readers drop what looks like a tag
        wanted = wanted.replace("<doubt>", "")
    if name == "vtt":
        text = html.unescape(text)
    assert text == wanted
    assert subtitles[0].start == 0
    second = next(line for line in subtitles if line.plaintext.startswith("Short"))
    assert second.start == pytest.approx(SAID.split().index("Short.") * 400, abs=10)


def test_lines_and_subtitles_are_no_longer_than_allowed() -> None:
    _, subtitles = exported(Export(max_line=20, max_lines=2, max_s=3), transcribed())

    for line in subtitles:
        parts = line.plaintext.split("\n")
        assert len(parts) <= 2
        assert max(map(len, parts)) <= 20
    assert len(subtitles) > 5
    for one, following in pairwise(subtitles):
        assert one.end <= following.start


def test_a_pause_and_a_sentences_end_begin_a_subtitle() -> None:
    said = transcribed("One two three. Four five", step_s=0.5)
    words = said.transcription.words if said.transcription else ()
    later = Word(text="later", start=9, end=9.5)
    transcription = Transcription(provider="test", text="", words=(*words, later))

    _, subtitles = exported(Export(), MediaAnalysisResult(transcription=transcription))

    assert [line.plaintext for line in subtitles] == ["One two three.", "Four five", "later"]


def test_a_full_subtitle_ends_at_a_comma() -> None:
    _, subtitles = exported(Export(max_s=20), transcribed(step_s=0.2))

    assert subtitles[0].plaintext.split("\n") == [
        "It was the best of times, it was the",
        "worst of times, it was the age of wisdom,",
    ]


def test_a_subtitle_stays_as_long_as_reading_takes() -> None:
    run, subtitles = exported(Export(max_chars_per_s=10), transcribed("incomprehensibilities", 0.5))

    assert subtitles[0].end == 2100
    run.assert_metadata(too_fast=0, chars_per_s=10)


def test_what_is_said_too_fast_to_be_read_is_counted() -> None:
    run, _ = exported(Export(), transcribed(step_s=0.1))

    assert run.metadata["too_fast"] >= 2
    assert run.metadata["chars_per_s"] > 40


def test_without_words_the_texts_of_ranges_count() -> None:
    said = MediaAnalysisResult(
        ranges=(TimeRange(start=1, end=3, label="speech", payload={"text": "Good morning."}),),
        transcription=Transcription(provider="test", text="Good morning."),
    )

    _, subtitles = exported(Export(), said)

    assert [(line.start, line.end, line.plaintext) for line in subtitles] == [
        (1000, 3000, "Good morning.")
    ]


def test_languages_without_spaces_get_none() -> None:
    words = tuple(
        Word(text=one, start=n, end=n + 0.9) for n, one in enumerate("最良の時代であった")
    )
    transcription = Transcription(provider="test", text="最良の時代であった", words=words)

    _, subtitles = exported(Export(max_s=20), MediaAnalysisResult(transcription=transcription))

    assert [line.plaintext for line in subtitles] == ["最良の時代であった"]


def test_silence_gives_an_empty_file() -> None:
    transcription = Transcription(provider="test", text="")

    run = run_action(
        Export(format="vtt"),
        SPEECH,
        inputs={"speech.transcribe": MediaAnalysisResult(transcription=transcription)},
    )

    run.assert_metadata(cues=0, too_fast=0)
    assert run.artifacts[0].path.read_text() == "WEBVTT\n"


def test_without_a_transcription_it_says_what_is_missing() -> None:
    with pytest.raises(InvalidMedia, match=r"No step before has transcribed two_cities\.flac"):
        run_action(Export(), SPEECH)


def test_the_bounds_are_in_order() -> None:
    with pytest.raises(InvalidConfig, match="min_s"):
        Export.configured({"min_s": 8, "max_s": 2})


def test_it_keeps_to_what_the_host_counts_on(media_factory: Callable[..., MediaFile]) -> None:
    check_action(Export(), media_factory(), inputs={"speech.transcribe": transcribed()})
