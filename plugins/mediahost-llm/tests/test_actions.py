"""What each action asks, and what it makes of the answers."""

import base64
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from mediahost import (
    Artifact,
    InvalidMedia,
    MediaAnalysisResult,
    MediaProcessingResult,
    Transcription,
    Word,
)
from mediahost.errors import SettingsError, UsageError
from mediahost.plugin.models import ModelMismatch
from mediahost.testing import run_action
from mediahost_llm import Analyze, Chapters, Summarize, mediahost_host_started
from mediahost_llm.asking import BadAnswer
from mediahost_llm.endpoint import NoModel, default_model, local_file, remote_endpoint
from mediahost_llm.local import LocalModel
from mediahost_llm.small import SMALL

Said = Callable[..., MediaAnalysisResult]


def _summary(text: str) -> str:
    return json.dumps({"summary": text, "key_points": [text, " "]})


def test_a_summary_says_who_made_it_and_what_it_took(
    api: Any, talk: Path, said: Said, reply: Any
) -> None:
    api.replies = [reply(_summary("It was."))]
    action = Summarize(prompt="Sum up.")
    run = run_action(action, talk, inputs={"t": said("It was the best of times.")})
    assert isinstance(run.result, MediaAnalysisResult)
    analysis = run.analysis
    assert analysis is not None
    assert (analysis.analysis_type, analysis.summary) == ("summary", "It was.")
    assert analysis.detailed == {"key_points": ["It was."], "parts": 1}
    assert (analysis.model, analysis.prompt) == ("fake-1", "Sum up.")
    assert (analysis.input_tokens, analysis.output_tokens) == (100, 10)


def test_a_long_text_is_summarised_in_parts_and_those_again(
    api: Any, talk: Path, said: Said, reply: Any
) -> None:
    api.replies = [reply(_summary("One.")), reply(_summary("Two.")), reply(_summary("All."))]
    sentences = said("first " * 45, "second " * 38)
    run = run_action(Summarize(max_input_tokens=100), talk, inputs={"t": sentences})
    asked = [request["messages"][1]["content"] for request in api.requests]
    assert ["first" in text for text in asked] == [True, False, False]
    assert asked[2].endswith("One.\nTwo.")
    run.assert_metadata(parts=2, requests=3, input_tokens=300)
    assert run.analysis.summary == "All."


def test_pages_are_read_too(api: Any, talk: Path, reply: Any) -> None:
    api.replies = [reply(_summary("Two pages."))]
    pages = MediaAnalysisResult(metadata={"pages": [{"text": "Page one"}, {"text": "Page two"}]})
    run_action(Summarize(), talk, inputs={"documents.text": pages})
    assert "Page one\nPage two" in api.requests[0]["messages"][1]["content"]


def test_chapters_follow_each_other_from_the_first_word_to_the_last(
    api: Any, talk: Path, said: Said, reply: Any
) -> None:
    answer = {
        "chapters": [
            {"line": 4, "title": "Ships"},
            {"line": 2, "title": " Cats  and dogs "},
            {"line": 5, "title": "A moment"},
        ]
    }
    api.replies = [reply(json.dumps(answer))]
    run = run_action(Chapters(), talk, inputs={"t": said(*"abcdef")})
    run.assert_ranges((0, 30, "chapter"), (30, 59, "chapter"))
    assert [found.payload["title"] for found in run.ranges] == ["Cats and dogs", "Ships"]
    assert run.analysis.summary == "00:00 Cats and dogs\n00:30 Ships"
    assert "[4] d" in api.requests[0]["messages"][1]["content"]


def test_chapters_are_found_among_words_without_sentences(api: Any, talk: Path, reply: Any) -> None:
    api.replies = [reply(json.dumps({"chapters": [{"line": 1, "title": "All"}]}))]
    words = tuple(Word(text=f"w{n}", start=n, end=n + 0.5) for n in range(100))
    spoken = MediaAnalysisResult(transcription=Transcription(provider="x", text="", words=words))
    run_action(Chapters(), talk, inputs={"t": spoken}).assert_ranges((0, 99.5, "chapter"))


@pytest.mark.parametrize("line", [0, 7, "two"])
def test_a_line_that_is_not_there_is_no_chapter(
    line: Any, api: Any, talk: Path, said: Said, reply: Any
) -> None:
    api.replies = [reply(json.dumps({"chapters": [{"line": line, "title": "x"}]}))]
    with pytest.raises(BadAnswer, match="is no line from 1 to 6"):
        run_action(Chapters(), talk, inputs={"t": said(*"abcdef")})


def test_text_without_times_has_no_chapters(api: Any, talk: Path) -> None:
    text = MediaAnalysisResult(transcription=Transcription(provider="x", text="Hello."))
    with pytest.raises(InvalidMedia, match="has no times"):
        run_action(Chapters(), talk, inputs={"t": text})


def test_a_question_is_answered_in_words(api: Any, talk: Path, said: Said, reply: Any) -> None:
    api.replies = [reply(" Dickens. ")]
    run = run_action(Analyze(prompt="Who wrote it?"), talk, inputs={"t": said("It was.")})
    assert run.analysis.summary == "Dickens."
    assert "response_format" not in api.requests[0]
    run.assert_metadata(pictures=0, parts=1)


def test_an_answer_keeps_to_the_schema_that_was_given(
    api: Any, talk: Path, said: Said, reply: Any
) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["glad", "sad"]}},
        "required": ["mood"],
    }
    api.replies = [reply('{"mood": "odd"}'), reply('{"mood": "sad"}')]
    action = Analyze(prompt="Which mood?", answer_schema=schema)
    run = run_action(action, talk, inputs={"t": said("It was the worst of times.")})
    assert run.analysis.detailed == {"mood": "sad"}
    assert "'odd' is not one of" in api.requests[1]["messages"][-1]["content"]


def test_a_schema_that_is_none_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError, match="answer_schema is no JSON schema"):
        Analyze(prompt="?", answer_schema={"type": "nonsense"})


def test_a_text_that_is_too_long_for_one_checked_answer_says_so(
    api: Any, talk: Path, said: Said
) -> None:
    action = Analyze(prompt="?", answer_schema={"type": "object"}, max_input_tokens=100)
    with pytest.raises(UsageError, match="it has 2 parts of 100 tokens"):
        run_action(action, talk, inputs={"t": said("first " * 45, "second " * 38)})


def test_a_picture_is_shown_small_and_upright(api: Any, tmp_path: Path, reply: Any) -> None:
    api.replies = [reply("A wall.")]
    path = tmp_path / "wall.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (3000, 1000), "red").save(path, exif=exif)
    run = run_action(Analyze(prompt="What is it?"), path).assert_metadata(pictures=1)
    content = api.requests[0]["messages"][1]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    data = base64.b64decode(content[1]["image_url"]["url"].partition(",")[2])
    with Image.open(BytesIO(data)) as shown:
        assert shown.height == 1024
        assert shown.width == pytest.approx(341, abs=1)
    assert run.analysis.summary == "A wall."


def test_of_many_frames_some_are_shown_evenly(
    api: Any, talk: Path, tmp_path: Path, reply: Any
) -> None:
    api.replies = [reply("Frames.")]
    artifacts = []
    for number in range(9):
        path = tmp_path / f"{number}.png"
        Image.new("L", (8, 8), number * 25).save(path)
        artifacts.append(Artifact(path=path, asset_type="frame"))
    frames = MediaProcessingResult(artifacts=tuple(artifacts))
    run_action(Analyze(prompt="?", max_pictures=3), talk, inputs={"av.frames": frames})
    shades = []
    for part in api.requests[0]["messages"][1]["content"][1:]:
        data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        with Image.open(BytesIO(data)) as shown:
            shades.append(shown.convert("L").tobytes()[0] // 25)
    assert shades == [0, 4, 8]


def test_a_broken_picture_is_refused(api: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(InvalidMedia, match=r"broken\.jpg is no picture"):
        run_action(Analyze(prompt="?"), path)


def test_another_prompt_or_model_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Summarize().public_config()
    assert Summarize(prompt="Be brief.").public_config() != one
    assert one["prompt"].startswith("Summarise the text")
    monkeypatch.setenv("MEDIAHOST_LLM_MODEL", "other")
    assert Summarize().public_config()["model"] == "other"
    monkeypatch.setenv("MEDIAHOST_LLM_API_KEY", "sk-1")
    assert "sk-1" not in str(Summarize().public_config())


def test_without_any_settings_the_small_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_model() == "smollm2-135m"
    monkeypatch.setattr("mediahost_llm.endpoint.find_spec", lambda _name: None)
    with pytest.raises(NoModel, match=r"98 MB") as caught:
        local_file("smollm2-135m")
    hint = caught.value.hint or ""
    assert "MEDIAHOST_LLM_BASE_URL" in hint
    assert "mediahost plugins install 'mediahost-llm[local]'" in hint
    assert "mediahost models get smollm2-135m" in hint
    assert "Offline:" in hint
    with pytest.raises(NoModel, match="There is no language model /nowhere"):
        local_file("/nowhere/x.gguf")
    with pytest.raises(NoModel, match="No API with language models is set"):
        remote_endpoint()


def test_the_small_model_is_the_published_one_or_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, _ = local_file("smollm2-135m")
    assert path.stat().st_size == SMALL.size
    monkeypatch.setenv("MEDIAHOST_MODELS", str(tmp_path))
    SMALL.home.mkdir()
    (SMALL.home / path.name).write_bytes(bytes(SMALL.size))
    with pytest.raises(ModelMismatch, match=r"the SHA-256 of SmolLM2\S+gguf is") as caught:
        LocalModel("smollm2-135m", 1)
    assert "mediahost models get smollm2-135m" in (caught.value.hint or "")


def test_settings_say_where_the_api_is_and_take_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAHOST_LLM_TIMEOUT_S", "7")
    monkeypatch.setenv("MEDIAHOST_LLM_BASE_URL", "")
    monkeypatch.delenv("MEDIAHOST_LLM_BASE_URL")
    mediahost_host_started({"llm": {"base_url": "http://127.0.0.1:1/v1", "timeout_s": 30}})
    assert remote_endpoint().base_url == "http://127.0.0.1:1/v1"
    assert remote_endpoint().timeout_s == 7
    with pytest.raises(SettingsError, match="api_key") as caught:
        mediahost_host_started({"llm": {"api_key": "sk"}})
    assert "MEDIAHOST_LLM_API_KEY" in (caught.value.hint or "")
