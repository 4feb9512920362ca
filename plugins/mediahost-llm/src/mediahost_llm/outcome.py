"""What every answer says of how it came about."""

from typing import Any

from mediahost import Analysis, MediaAnalysisResult
from mediahost_llm.actions import Asking
from mediahost_llm.asking import Model


def metadata(model: Model, **facts: Any) -> dict[str, Any]:
    """Who was asked how often, and what it took, in tokens."""
    return {
        "model": model.name,
        "requests": model.spent.requests,
        **facts,
        "input_tokens": model.spent.input,
        "output_tokens": model.spent.output,
    }


def nothing_to_ask(action: Asking, analysis_type: str) -> MediaAnalysisResult:
    """Nobody speaks, or all pages are empty: that is no fault, and costs nothing."""
    return MediaAnalysisResult(
        metadata={
            "model": action.model,
            "requests": 0,
            "parts": 0,
            "input_tokens": 0,
            "output_tokens": 0,
        },
        analysis=Analysis(analysis_type=analysis_type, input_tokens=0, output_tokens=0),
    )
