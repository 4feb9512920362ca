from pathlib import Path
from uuid import uuid4

import pytest

from mediahost.executor.answers import ended_from_json
from mediahost.executor.frames import FrameReader, pack
from mediahost.executor.messages import ended_to_json, spec_from_json, spec_to_json
from mediahost.model.job import Failure, Outcome, Token
from mediahost.model.media import MediaFile
from mediahost.model.ranges import TimeRange
from mediahost.model.result import Artifact, MediaAnalysisResult, MediaProcessingResult
from mediahost.ports import AttemptSpec, Ended

TOKEN = Token(uuid4(), 3)


@pytest.mark.parametrize("name", ["a.wav", "tab\there.wav", "not-utf8-\udcff.wav", "日本.wav"])
def test_an_attempt_crosses_unchanged(name: str) -> None:
    spec = AttemptSpec(
        TOKEN,
        "x.y",
        {"at": 0.5, "names": ["a"]},
        MediaFile.at(f"/media/{name}"),
        f"/work/{name}",
        f"/logs/{name}",
        inputs={"before": {"kind": "analysis"}},
        timeout_s=1.5,
        threads=2,
        algorithm="sha256",
        shared=True,
    )
    (crossed,) = FrameReader().feed(pack(spec_to_json(spec)))
    assert spec_from_json(crossed) == spec


@pytest.mark.parametrize(
    "ended",
    [
        Ended(TOKEN, Outcome.OK, MediaAnalysisResult(ranges=(TimeRange(start=0, end=1.5),))),
        Ended(
            TOKEN,
            Outcome.OK,
            MediaProcessingResult(artifacts=(Artifact(path=Path("/w/a.wav"), asset_type="audio"),)),
            elapsed_ms=12,
        ),
        Ended(
            TOKEN,
            Outcome.ERROR,
            None,
            Failure("It failed", "Mend it.", transient=True, traceback="t"),
        ),
    ],
)
def test_an_end_crosses_unchanged(ended: Ended) -> None:
    (crossed,) = FrameReader().feed(pack(ended_to_json(ended)))
    assert ended_from_json(TOKEN, crossed) == ended
