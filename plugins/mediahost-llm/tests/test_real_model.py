"""End to end with a real model: SmolLM2-135M, served on loopback, asked by a worker of a host."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mediahost.host.host import Host
from mediahost.model.pipeline import Pipeline, Step
from mediahost.settings import Settings
from mediahost.testing import run_action
from mediahost.wiring import make_host
from mediahost_llm import Chapters
from mediahost_llm.local import LocalModel

MEDIA = Path(__file__).parents[3] / "examples" / "media"
QUICK = {"key_points": 0, "max_output_tokens": 40, "max_input_tokens": 400}


def _host(folder: Path) -> Host:
    return make_host(Settings(data_dir=folder, workers=1, pools={"network": 1}))


def _pipeline(**config: Any) -> Pipeline:
    return Pipeline(
        name="papers",
        steps=(
            Step(action="documents.text"),
            Step(action="llm.summarize", after=("documents.text",), config={**QUICK, **config}),
        ),
    )


def test_a_worker_asks_the_model_and_the_answer_is_a_row(
    small_model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIAHOST_LLM_BASE_URL", small_model.base_url)
    monkeypatch.setenv("MEDIAHOST_LLM_MODEL", "any-name")
    paper = MEDIA / "two_pages.pdf"
    with _host(tmp_path) as host:
        first = host.run([paper], host.recipe(_pipeline()))
        again = host.run([paper], host.recipe(_pipeline()))
        other = host.run([paper], host.recipe(_pipeline(prompt="Name the subject.")), dry_run=True)
    assert [str(row.state) for row in first.rows] == ["done", "done"], first.rows
    assert [str(row.state) for row in again.rows] == ["cached", "cached"]
    assert [str(row.state) for row in other.rows] == ["cached", "to do"]
    with sqlite3.connect(tmp_path / "store.db") as store:
        (row,) = store.execute(
            "SELECT analysis_type, summary, model_used, prompt_used, input_tokens, output_tokens"
            " FROM analysis_results"
        ).fetchall()
    kind, summary, model, prompt, tokens_in, tokens_out = row
    assert (kind, model) == ("summary", "any-name")
    assert summary.strip()
    assert prompt.startswith("Summarise the text")
    assert tokens_in > 100
    assert 1 <= tokens_out <= 200


def test_the_small_model_gives_chapters_that_fit(talk: Path, said: Any) -> None:
    run = run_action(
        Chapters(max_output_tokens=60),
        talk,
        inputs={"t": said("Cats purr.", "Cats sleep.", "Ships sail.", "Ships sink.")},
    )
    assert run.ranges[0].start == 0
    assert run.ranges[-1].end == 39
    assert all(found.payload["title"] for found in run.ranges)
    assert run.metadata["model"] == "smollm2-135m"
