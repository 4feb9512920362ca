"""The kit that plugins are tested with."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import Field

import mediahost.testing
from mediahost import (
    Analyzer,
    Artifact,
    Context,
    JobCancelled,
    MediaAnalysisResult,
    MediaFile,
    MediaInfo,
    MediaProcessingResult,
    Processor,
    TimeRange,
    hookimpl,
)
from mediahost.errors import PluginError, UsageError
from mediahost.plugin.registry import PluginRow, Registry
from mediahost.testing import ActionRun, write_wav


class Parts(Analyzer, name="kit.parts", accepts={"audio", "video"}):
    """Cut the duration in equal parts."""

    count: int = Field(2, ge=1)

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        duration = context.probe(media).duration or 0
        context.log.info("cutting %s", media.path.name)
        length = duration / self.count
        ranges = tuple(
            TimeRange(start=part * length, end=(part + 1) * length, label=f"part {part}")
            for part in context.track(range(self.count), self.count, "cutting")
        )
        return MediaAnalysisResult(ranges=ranges, metadata={"duration": duration})


class Notes(Processor, name="kit.notes"):
    """Write down what the steps before said."""

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        text = "".join(f"{name}: {result.metadata}\n" for name, result in context.inputs.items())
        (context.workdir / "notes.pdf").write_text(text)
        return MediaProcessingResult(
            artifacts=(Artifact(path=Path("notes.pdf"), asset_type="note"),)
        )


TEN_SECONDS = MediaInfo(duration=10)
Run = Callable[..., ActionRun]


@pytest.fixture
def media(media_factory: Callable[..., MediaFile]) -> MediaFile:
    return media_factory((0.1, 440))


def test_a_run_tells_all_that_happened(run_action: Run, media: MediaFile) -> None:
    run = run_action(Parts(count=3), media, info=TEN_SECONDS)
    assert [found.label for found in run.ranges] == ["part 0", "part 1", "part 2"]
    assert run.metadata == {"duration": 10}
    assert run.progress == [(0, "cutting"), (1 / 3, "cutting"), (2 / 3, "cutting")]
    assert run.log == ["cutting tone.wav"]
    assert run.checkpoints == 3
    assert run.artifacts == []


def test_the_log_reaches_caplog_too(
    run_action: Run, media: MediaFile, caplog: pytest.LogCaptureFixture
) -> None:
    run_action(Parts(), media, info=TEN_SECONDS)
    assert caplog.messages == ["cutting tone.wav"]


def test_ranges_that_are_right_pass(run_action: Run, media: MediaFile) -> None:
    run = run_action(Parts(), media, info=TEN_SECONDS)
    assert run.assert_ranges((0.04, 5), (5, 9.96, "part 1")) is run


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        (
            [(0, 5), (5, 9.5)],
            [
                "       0.000      5.000  part 0",
                "-      5.000      9.500",
                "+      5.000     10.000  part 1",
            ],
        ),
        (
            [(0, 5, "part 1"), (5, 10)],
            [
                "-      0.000      5.000  part 1",
                "+      0.000      5.000  part 0",
                "       5.000     10.000  part 1",
            ],
        ),
        (
            [(5, 10)],
            [
                "+      0.000      5.000  part 0",
                "       5.000     10.000  part 1",
            ],
        ),
        (
            [(0, 5), (5, 10), (11, 12)],
            [
                "       0.000      5.000  part 0",
                "       5.000     10.000  part 1",
                "-     11.000     12.000",
            ],
        ),
        ([], ["+      0.000      5.000  part 0", "+      5.000     10.000  part 1"]),
    ],
)
def test_ranges_that_are_wrong_are_shown_against_the_right_ones(
    run_action: Run, media: MediaFile, expected: list[Any], difference: list[str]
) -> None:
    run = run_action(Parts(), media, info=TEN_SECONDS)
    with pytest.raises(AssertionError) as caught:
        run.assert_ranges(*expected)
    title, *lines = str(caught.value).splitlines()
    assert title.startswith("kit.parts found other ranges in tone.wav")
    assert lines == difference


def test_the_tolerance_is_the_tests_own(run_action: Run, media: MediaFile) -> None:
    run = run_action(Parts(), media, info=TEN_SECONDS)
    run.assert_ranges((0, 5.4), (5.4, 10), tolerance=0.5)
    with pytest.raises(AssertionError):
        run.assert_ranges((0, 5.001), (5, 10), tolerance=0)


def test_metadata_that_is_wrong_or_missing_is_named(run_action: Run, media: MediaFile) -> None:
    run = run_action(Parts(), media, info=TEN_SECONDS)
    assert run.assert_metadata(duration=pytest.approx(10.0001, abs=0.01)) is run
    with pytest.raises(AssertionError) as caught:
        run.assert_metadata(duration=11, codec="pcm")
    assert "duration: expected 11, found 10" in str(caught.value)
    assert "codec: expected 'pcm', found 'nothing'" in str(caught.value)


def test_a_transcription_or_analysis_that_is_not_there_is_said(
    run_action: Run, media: MediaFile
) -> None:
    for action in (Parts(), Notes()):
        run = run_action(action, media, info=TEN_SECONDS)
        with pytest.raises(AssertionError, match=f"{action.info.name} gave no transcription"):
            run.transcription  # noqa: B018 - asked for is enough
        with pytest.raises(AssertionError, match=f"{action.info.name} gave no analysis"):
            run.analysis  # noqa: B018 - as above


def test_artifacts_are_real_files_with_all_that_a_host_knows(
    run_action: Run, media: MediaFile, tmp_path: Path
) -> None:
    run = run_action(Notes(), media)
    run.assert_artifact(asset_type="note", mime_type="application/pdf", size=0)
    (artifact,) = run.artifacts
    assert artifact.path.is_relative_to(tmp_path)
    assert (artifact.file_hash or "").startswith("blake3:")
    with pytest.raises(AssertionError) as caught:
        run.assert_artifact(asset_type="video")
    assert "made no artifact with asset_type='video', but:" in str(caught.value)
    assert "notes.pdf: asset_type='note'" in str(caught.value)


def test_two_runs_of_one_test_have_workdirs_of_their_own(run_action: Run, media: MediaFile) -> None:
    assert run_action(Notes(), media).workdir != run_action(Notes(), media).workdir


def test_a_step_gets_the_results_of_others(run_action: Run, media: MediaFile) -> None:
    parts = run_action(Parts(), media, info=TEN_SECONDS)
    for given in (parts, parts.result):
        notes = run_action(Notes(), media, inputs={"kit.parts": given})
        assert notes.artifacts[0].path.read_text() == "kit.parts: {'duration': 10.0}\n"


def test_it_is_cancelled_at_the_checkpoint_that_the_test_says(
    run_action: Run, media: MediaFile
) -> None:
    with pytest.raises(JobCancelled):
        run_action(Parts(count=3), media, info=TEN_SECONDS, cancel_after=3)
    assert run_action(Parts(count=3), media, info=TEN_SECONDS, cancel_after=4).checkpoints == 3


def test_what_a_host_refuses_is_refused(run_action: Run, media: MediaFile) -> None:
    class Lies(Notes, name="kit.lies"):
        """Promise a file."""

        def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
            return MediaProcessingResult(artifacts=(Artifact(path=Path("x"), asset_type="note"),))

    with pytest.raises(PluginError, match="there is no such file"):
        run_action(Lies(), media)


def test_a_file_of_a_kind_that_the_action_does_not_accept_is_refused(
    run_action: Run, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"kit\.parts works on audio, video; this is a file of imag"
    ):
        run_action(Parts(), tmp_path / "picture.png")


def test_the_test_may_bring_its_own_plugins(run_action: Run, media: MediaFile) -> None:
    @hookimpl
    def mediahost_probe_media(path: Path) -> MediaInfo:
        return MediaInfo(duration=4)

    from mediahost.plugin import builtin  # noqa: PLC0415 - only this test builds a registry

    prober = ModuleType("prober")
    vars(prober)["mediahost_probe_media"] = mediahost_probe_media
    registry = Registry()
    registry.register(builtin, PluginRow("builtin", "mediahost", "0"))
    registry.register(prober, PluginRow("prober", "", ""))
    run_action(Parts(), media, registry=registry).assert_ranges((0, 2), (2, 4))


def test_a_resource_is_loaded_once_for_all_runs(run_action: Run, media: MediaFile) -> None:
    loads: list[str] = []

    def load(name: str) -> str:
        loads.append(name)
        return name

    class Asks(Analyzer, name="kit.asks"):
        """Ask for a model."""

        def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
            return MediaAnalysisResult(metadata={"model": context.resource(load, "base")})

    for _ in range(3):
        run_action(Asks(), media).assert_metadata(model="base")
    assert loads == ["base"]


def test_without_pytest_the_workdir_goes_when_the_program_ends(tmp_path: Path) -> None:
    media = write_wav(tmp_path / "tone.wav", (0.1, 440))
    code = f"""
from pathlib import Path
from mediahost import Artifact, InvalidMedia, MediaProcessingResult, Processor
from mediahost.testing import run_action
class Notes(Processor, name="kit.notes"):
    fail: bool = False
    def process(self, media, context):
        (context.workdir / "a.pdf").write_text("x")
        if self.fail:
            print(context.workdir)
            raise InvalidMedia("no")
        return MediaProcessingResult(artifacts=(Artifact(path="a.pdf", asset_type="note"),))
path = run_action(Notes(), {str(media)!r}).artifacts[0].path
print(path, path.read_text())
try:
    run_action(Notes(fail=True), {str(media)!r})
except InvalidMedia:
    pass
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    made, failed = out.stdout.splitlines()
    path, text = made.split()
    assert text == "x"
    assert not Path(path).parent.exists()
    assert not Path(failed).exists()


def test_the_names_of_the_kit_are_there() -> None:
    assert dir(mediahost.testing) == mediahost.testing.__all__
    assert all(getattr(mediahost.testing, name).__doc__ for name in mediahost.testing.__all__)
