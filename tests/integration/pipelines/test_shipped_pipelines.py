"""The pipelines that come with mediahost, by name, without settings, on real media."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mediahost.host.planner import Recipe
from mediahost.plugin.registry import Registry
from mediahost.settings import shipped_pipelines

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home

PAGE = (Path(__file__).parents[3] / "docs" / "pipelines.md").read_text()


def states(answer: "Answer") -> dict[str, str]:
    """How each step ended."""
    return {row["step"]: row["state"] for row in answer.json["rows"]}


@pytest.mark.parametrize("name", shipped_pipelines())
def test_each_is_understood_and_on_its_page(name: str) -> None:
    pipeline = shipped_pipelines()[name]
    recipe = Recipe(pipeline, Registry.load())
    section = PAGE.partition(f"## {name}\n")[2].partition("\n## ")[0]
    for step in recipe.steps:
        assert f"`{step.action}`" in section, step.action


def test_podcast(home: "Home", sentence: Path, asked: list[dict[str, Any]]) -> None:
    answer = home.run("--pipeline", "podcast", "--output", str(home.folder / "out"))
    assert set(states(answer).values()) == {"done"}, answer
    assert "best of times" in (home.folder / "out" / "sentence.srt").read_text()
    ((text, words),) = home.query("SELECT text_content, word_timestamps FROM transcriptions")
    assert text.startswith("It was the best of times, it was the worst of times")
    assert '"start"' in words
    rows = home.query(
        "SELECT analysis_type, model_used, prompt_used, input_tokens, output_tokens"
        " FROM analysis_results",
    )
    ((kind, model, prompt, tokens_in, tokens_out),) = rows
    assert (kind, model, tokens_in, tokens_out) == ("chapters", "fake", 70, 7)
    assert prompt.startswith("Divide the transcript")
    assets = home.query("SELECT asset_type, mime_type, file_size_bytes, metadata FROM media_assets")
    made = sorted(asset for asset, *_ in assets if asset != "original")
    assert made == ["audio", "subtitles"]
    assert all(mime and size > 0 and '"blake3:' in facts for _, mime, size, facts in assets)
    assert "best of times" in asked[0]["messages"][1]["content"]
    again = home.run("--pipeline", "podcast")
    assert set(states(again).values()) == {"cached"}
    assert len(asked) == 1


def test_a_changed_step_runs_again_with_what_follows_it(
    home: "Home", sentence: Path, asked: list[dict[str, Any]]
) -> None:
    first = home.run("--pipeline", "lecture")
    assert set(states(first).values()) == {"done"}, first
    steps = [step.model_dump() for step in shipped_pipelines()["lecture"].steps]
    for changed, done in (
        ({"action": "llm.summarize", "prompt": "Be brief."}, ["llm.summarize"]),
        (
            {"action": "speech.vad", "pad_s": 0.2},
            ["speech.vad", "speech.transcribe", "llm.summarize"],
        ),
    ):
        config = dict(changed)
        action = config.pop("action")
        lines = []
        for step in steps:
            lines += ["[[pipelines.lecture.steps]]"]
            lines += [
                f'{name} = "{step[name]}"' for name in ("action", "name", "media") if step[name]
            ]
            lines += [f"after = {list(step['after'])}"]
            if step["action"] == action:
                lines += [f"config = {{ {k} = {v!r} }}" for k, v in config.items()]
        home.settings("\n".join(lines))
        again = home.run("--pipeline", "lecture")
        ended = states(again)
        assert sorted(step for step, state in ended.items() if state == "done") == sorted(done)
        assert set(ended.values()) == {"done", "cached"}


def test_film(home: "Home") -> None:
    home.example("bigbuckbunny.mp4")
    answer = home.run("--pipeline", "film", "--output", str(home.folder / "out"))
    assert set(states(answer).values()) == {"done"}, answer
    assets = Counter(asset for (asset,) in home.query("SELECT asset_type FROM media_assets"))
    assert assets["contact_sheet"] == 1
    (scenes,) = answer.rows(step="scenes.detect")
    (found,) = home.call(
        "results", "media/bigbuckbunny.mp4", "--action", "scenes.detect", "--json"
    ).json
    assert assets["frame"] == len(found["result"]["ranges"]) >= 1, scenes


def test_papers_and_photos(home: "Home", asked: list[dict[str, Any]]) -> None:
    home.example("two_pages.pdf")
    home.example("railway.jpg")
    papers = home.run("--pipeline", "papers")
    assert states(papers) == dict.fromkeys(
        ("documents.text", "documents.pages", "llm.summarize"), "done"
    ), papers
    photos = home.run("--pipeline", "photos")
    assert states(photos) == dict.fromkeys(
        ("images.info", "images.thumbnail", "images.phash"), "done"
    ), photos
    assert "second page" in asked[0]["messages"][1]["content"]
