"""Results cross processes and databases as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mediahost import (
    Analysis,
    Artifact,
    MediaAnalysisResult,
    MediaProcessingResult,
    Result,
    TimeRange,
    Transcription,
    Word,
)
from mediahost.model.result import result_from_json

numbers = st.floats(0, 1e6)
shares = st.none() | st.floats(0, 1)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
json_objects = st.dictionaries(
    st.text(),
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
    max_size=4,
)
ranges = st.builds(
    lambda start, length, label, confidence, payload: TimeRange(
        start=start, end=start + length, label=label, confidence=confidence, payload=payload
    ),
    numbers,
    numbers,
    st.text(min_size=1),
    shares,
    json_objects,
)
words = st.builds(Word, text=st.text(), start=numbers, end=numbers, probability=shares)
transcriptions = st.builds(
    Transcription,
    provider=st.text(max_size=50),
    text=st.text(),
    language=st.none() | st.just("en"),
    confidence=shares,
    words=st.lists(words, max_size=3).map(tuple),
    metadata=json_objects,
)
analyses = st.builds(
    Analysis,
    analysis_type=st.text(max_size=50),
    summary=st.none() | st.text(),
    detailed=st.none() | json_objects,
    confidence=shares,
    input_tokens=st.none() | st.integers(0, 10**9),
)
artifacts = st.builds(
    Artifact,
    path=st.text("abc/.-ü", min_size=1).map(Path),
    asset_type=st.text(max_size=50),
    size=st.none() | st.integers(0, 2**50),
    metadata=json_objects,
)
results = st.builds(
    MediaAnalysisResult,
    ranges=st.lists(ranges, max_size=3).map(tuple),
    metadata=json_objects,
    transcription=st.none() | transcriptions,
    analysis=st.none() | analyses,
) | st.builds(
    MediaProcessingResult,
    artifacts=st.lists(artifacts, min_size=1, max_size=3).map(tuple),
    metadata=json_objects,
)


@given(results)
def test_a_result_is_the_same_after_a_journey_as_json(result: Result) -> None:
    text = json.dumps(result.model_dump(mode="json"), allow_nan=False)
    assert result_from_json(json.loads(text)) == result


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "analysis",
        {},
        {"kind": "dream"},
        {"kind": "processing", "artifacts": []},
        {"kind": "analysis", "ranges": [{"start": 2, "end": 1}]},
        {"kind": "analysis", "metadata": {"x": float("nan")}},
        {"kind": "analysis", "more": 1},
    ],
)
def test_what_is_no_result_is_refused(data: Any) -> None:
    with pytest.raises(ValidationError):
        result_from_json(data)


def test_a_processor_that_made_nothing_has_no_result() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        MediaProcessingResult(artifacts=())
