"""`speech.transcribe` on a real reading whose text is known, and on what nobody says."""

import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest

from mediahost import Context, JobCancelled, MediaAnalysisResult, MediaFile
from mediahost.errors import UsageError
from mediahost.executor.resources import Resources
from mediahost.testing import ActionRun, check_action, run_action, write_wav
from mediahost_speech.models import load_whisper
from mediahost_speech.transcribe import Transcribe
from mediahost_speech.vad import SpeechVad

RATE = 16_000
Samples = np.ndarray[Any, np.dtype[np.int16]]
WriteWav = Callable[..., Path]

# Charles Dickens, A Tale of Two Cities, 1859: its first sentence.
TEXT = """
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of
foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of
Light, it was the season of Darkness, it was the spring of hope, it was the winter of despair, we
had everything before us, we had nothing before us, we were all going direct to Heaven, we were all
going direct the other way - in short, the period was so far like the present period, that some of
its noisiest authorities insisted on its being received, for good or for evil, in the superlative
degree of comparison only.
"""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


@pytest.fixture(scope="session")
def base_run(reading: Path) -> ActionRun:
    """The default model on the whole reading."""
    return run_action(Transcribe(), reading, threads=2)


def test_at_most_one_word_in_fifty_is_wrong(base_run: ActionRun) -> None:
    assert jiwer.wer(_plain(TEXT), _plain(base_run.transcription.text)) <= 0.02


def test_each_word_has_its_time_and_probability(base_run: ActionRun) -> None:
    said = base_run.transcription
    assert _plain(" ".join(word.text for word in said.words)) == _plain(said.text)
    starts = [word.start for word in said.words]
    assert starts == sorted(starts)
    assert all(word.start <= word.end <= 44.4 for word in said.words)
    assert all(word.probability is not None for word in said.words)
    assert said.confidence == pytest.approx(0.97, abs=0.05)


def test_words_are_where_the_detector_hears_speech(
    base_run: ActionRun, reading_run: ActionRun
) -> None:
    words = base_run.transcription.words
    middles = [(word.start + word.end) / 2 for word in words]
    heard = [
        any(found.start - 0.25 <= middle <= found.end + 0.25 for found in reading_run.ranges)
        for middle in middles
    ]
    assert sum(heard) >= 0.97 * len(words)
    for found in reading_run.ranges:
        assert any(found.start - 0.5 <= middle <= found.end + 0.5 for middle in middles), found


def test_sentences_are_ranges_with_their_text(base_run: ActionRun) -> None:
    assert [found.label for found in base_run.ranges] == ["speech"] * len(base_run.ranges)
    texts = [str(found.payload["text"]) for found in base_run.ranges]
    assert texts[0] == "It was the best of times."
    assert " ".join(texts) == base_run.transcription.text


def test_the_language_is_told_with_its_probability(base_run: ActionRun) -> None:
    said = base_run.transcription
    assert (said.provider, said.language) == ("faster-whisper", "en")
    base_run.assert_metadata(language="en", model="base", words=len(said.words), dropped=0)
    assert base_run.metadata["language_probability"] > 0.8


def test_the_same_words_come_twice(sentence: Path) -> None:
    first = run_action(Transcribe(model="tiny.en"), sentence)
    again = run_action(Transcribe(model="tiny.en"), sentence)
    assert first.result == again.result
    assert _plain(first.transcription.text) == _plain(
        "It was the best of times, it was the worst of times"
    )


def test_speech_that_a_step_before_has_found_is_taken(wav: WriteWav, spoken: Samples) -> None:
    path = wav(spoken[: 9 * RATE])
    speech = run_action(SpeechVad(), path)
    first = speech.ranges[0]
    only_first = run_action(
        Transcribe(model="tiny.en"),
        path,
        inputs={"speech.vad": MediaAnalysisResult(ranges=(first,), metadata={"speech_ranges": 1})},
    )
    assert only_first.transcription.text.startswith("It was the best of times")
    assert "age of" not in only_first.transcription.text
    assert all(word.end <= first.end + 0.05 for word in only_first.transcription.words)


def test_nobody_is_put_words_in_the_mouth(tmp_path: Path, film: Path) -> None:
    tones = write_wav(tmp_path / "tones.wav", (2, 0), (2, 440), (1, 0))
    for path in (tones, film):
        run = run_action(Transcribe(model="tiny.en"), path)
        said = run.transcription
        assert (said.text, said.words, said.language) == ("", (), None)
        run.assert_ranges().assert_metadata(words=0, language=None)


def test_a_model_that_knows_only_english_refuses_other_languages(sentence: Path) -> None:
    with pytest.raises(UsageError, match="knows only English, not fr"):
        run_action(Transcribe(model="tiny.en", language="fr"), sentence)


def test_a_model_is_loaded_once_for_many_jobs(sentence: Path, tmp_path: Path) -> None:
    kept = Resources()
    for number in range(2):
        context = Context(
            staging=tmp_path / str(number),
            log=logging.getLogger("test"),
            find_resource=kept.borrower().find,
        )
        Transcribe(model="tiny.en").analyze(MediaFile.at(sentence), context)
    loaded = [name.removeprefix("mediahost_speech.") for name in kept.names()]
    assert sorted(loaded) == ["listening.Listener()", "models.load_whisper(tiny.en, 1)"]
    assert kept.loads == 2


def test_a_cancel_is_obeyed_while_it_listens_and_while_it_writes(sentence: Path) -> None:
    whole = run_action(Transcribe(model="tiny.en"), sentence)
    listened = sum("Listened" in message for _, message in whole.progress)
    for after in (3, listened + 3):
        with pytest.raises(JobCancelled):
            run_action(Transcribe(model="tiny.en"), sentence, cancel_after=after)


def test_progress_goes_on_from_listening_to_writing(base_run: ActionRun) -> None:
    fractions = [fraction for fraction, _ in base_run.progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_it_keeps_to_what_the_host_counts_on(wav: WriteWav, spoken: Samples) -> None:
    check_action(Transcribe(model="tiny.en"), wav(spoken[RATE : round(2.6 * RATE)]))


class Noted:
    """A real model that notes when it began to write."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.began: list[float] = []

    def __getattr__(self, name: str) -> Any:
        if name == "generate":
            self.began.append(time.monotonic())
        return getattr(self._model, name)


def test_a_cancel_in_the_middle_of_a_batch_is_obeyed_within_a_second(
    reading: Path, tmp_path: Path
) -> None:
    kept = Resources()
    whisper = kept.borrower().find(load_whisper, "base", 1).whisper
    whisper.model._model = noted = Noted(whisper.model._model)

    def cancelled() -> bool:
        return bool(noted.began) and time.monotonic() > noted.began[0] + 0.2

    context = Context(tmp_path, cancelled=cancelled, find_resource=kept.borrower().find)
    with pytest.raises(JobCancelled):
        Transcribe(language="en").analyze(MediaFile.at(reading), context)
    assert time.monotonic() - noted.began[0] < 1.2
    # The model is still at it, and the next job waits for it.
    context = Context(tmp_path, find_resource=kept.borrower().find)
    assert Transcribe(language="en").analyze(MediaFile.at(reading), context).ranges


def test_an_hour_takes_no_more_memory_than_what_fills_a_batch(
    wav: WriteWav, spoken: Samples
) -> None:
    long = np.concatenate([spoken] * 8)
    # Three pieces of up to 30 s are heard at once: less sound than that takes less memory.
    batch, more = (
        _largest_mb(wav(sound, name=name))
        for name, sound in (("batch.wav", long[: 150 * RATE]), ("more.wav", long))
    )
    assert more - batch < 48


def _largest_mb(path: Path) -> float:
    program = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from mediahost import Context, MediaFile\n"
        "from mediahost_speech.transcribe import Transcribe\n"
        "Transcribe(model='tiny.en', beam_size=1).analyze(\n"
        "    MediaFile.at(Path(sys.argv[1])), Context(sys.argv[2]))\n"
        "print(re.findall(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[0])\n"
    )
    argv = [sys.executable, "-c", program, str(path), str(path.with_suffix(".staging"))]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return int(out) / 1024


def test_the_same_words_come_from_what_a_step_before_heard(
    reading: Path, reading_run: ActionRun, base_run: ActionRun
) -> None:
    run = run_action(Transcribe(), reading, inputs={"v": reading_run.result}, threads=2)
    assert jiwer.wer(_plain(TEXT), _plain(run.transcription.text)) <= 0.02
    assert run.metadata["speech_s"] == pytest.approx(base_run.metadata["speech_s"], abs=4)


def test_a_language_that_is_a_guess_is_said_to_be_one(
    monkeypatch: pytest.MonkeyPatch, base_run: ActionRun, sentence: Path
) -> None:
    assert base_run.metadata["language_is_unsure"] is False
    monkeypatch.setattr("mediahost_speech.transcribe.SURE_LANGUAGE", 1.1)

    run = run_action(Transcribe(), sentence).assert_metadata(language_is_unsure=True)

    assert any("The language is a guess: en" in line for line in run.log)
