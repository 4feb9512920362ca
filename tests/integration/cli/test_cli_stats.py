"""`mediahost stats`: what was done, what it took, and what language models cost."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Call
    from tests.integration.conftest import Home

THINKING = """
from mediahost import Action, Analysis, Analyzer, InvalidMedia, MediaAnalysisResult, hookimpl


class Think(Analyzer, name="think.hard"):
    model: str = "wise-1"
    fails: bool = False

    def analyze(self, media, context):
        if self.fails:
            raise InvalidMedia("Too hard")
        found = Analysis(
            analysis_type="summary", model=self.model, input_tokens=200_000, output_tokens=5_000
        )
        return MediaAnalysisResult(analysis=found)


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    return [Think]
"""
PRICES = '[prices."wise-1"]\ninput = 0.5\noutput = 2.0\n'


@pytest.fixture
def thinking(home: "Home", call: "Call", monkeypatch: pytest.MonkeyPatch) -> "Call":
    """A home with a plugin that thinks, and two recordings."""
    plugin = home.folder / "thinking.py"
    plugin.write_text(THINKING)
    monkeypatch.setenv("MEDIAHOST_PLUGINS", str(plugin))
    home.tone("a.wav")
    home.tone("b.wav", 300)
    return call


def test_tokens_are_summed_by_model_and_cost_what_the_settings_say(
    home: "Home", thinking: "Call"
) -> None:
    home.settings(PRICES)
    thinking("run", "media", "--action", "think.hard")
    thinking("run", "media", "--action", "think.hard")  # cached: it costs nothing
    thinking("run", "media/a.wav", "--action", "think.hard:model=free")
    said = thinking("stats", "--json").json
    free, wise = said["models"]
    assert (free["model"], free["analyses"], free["cost"]) == ("free", 1, None)
    assert wise == {
        "model": "wise-1",
        "analyses": 2,
        "input_tokens": 400_000,
        "output_tokens": 10_000,
        "cost": pytest.approx(0.22),
    }
    assert said["cost"] == pytest.approx(0.22)
    assert said["models_lately"] == said["models"]
    assert "0.2200" in thinking("stats").out


def test_what_failed_is_told_with_its_reason(thinking: "Call") -> None:
    thinking("run", "media", "--action", "think.hard:fails=true")
    said = thinking("stats", "--json").json
    assert said["failures"] == [{"reason": "Too hard", "jobs": 2}]
    assert [(one["action"], one["failed"]) for one in said["actions"]] == [("think.hard", 2)]
    assert said["models"] == []
    assert "2 x Too hard" in thinking("stats").out


def test_without_prices_it_says_where_they_go(thinking: "Call") -> None:
    thinking("run", "media", "--action", "think.hard")
    out = thinking("stats").out
    assert "400,000" in out
    assert "[prices]" in out


def test_a_store_without_jobs_says_so(thinking: "Call") -> None:
    assert thinking("stats").out == "No job in the last 24 hours; 0 wait\n"
