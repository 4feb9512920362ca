"""Fixtures that pytest finds by itself where mediahost is installed."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mediahost.model.media import MediaFile
    from mediahost.testing.action_run import ActionRun


@pytest.fixture
def run_action(tmp_path: Path) -> Callable[..., "ActionRun"]:
    """`mediahost.testing.run_action`, with a new workdir under `tmp_path` for each call."""
    from mediahost.testing.run import run_action as run  # noqa: PLC0415 - pay only when used

    numbers = count(1)

    def run_here(*args: Any, **kwargs: Any) -> "ActionRun":
        return run(*args, **{"workdir": tmp_path / f"workdir-{next(numbers)}", **kwargs})

    return run_here


@pytest.fixture
def check_action() -> Callable[..., "ActionRun"]:
    """`mediahost.testing.check_action`."""
    from mediahost.testing.conformance import check_action as check  # noqa: PLC0415 - as above

    return check


@pytest.fixture
def media_factory(tmp_path: Path) -> Callable[..., "MediaFile"]:
    """Makes WAV files under `tmp_path`: `media_factory((1.0, 440), (0.5, 0), name="a.wav")`.

    Each pair is (seconds, hertz), 0 Hz is silence; none given: one second of 440 Hz.
    """
    from mediahost.model.media import MediaFile  # noqa: PLC0415 - as above
    from mediahost.testing.media import write_wav  # noqa: PLC0415 - as above

    def make(
        *stretches: tuple[float, float], name: str = "tone.wav", sample_rate: int = 16_000
    ) -> MediaFile:
        return MediaFile.at(write_wav(tmp_path / name, *stretches, sample_rate=sample_rate))

    return make
