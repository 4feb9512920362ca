"""Speech is heard block by block as it would be window by window, and by the known model alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediahost.plugin.models import ModelMismatch
from mediahost_speech import listening
from mediahost_speech.hysteresis import Moment, find_speech
from mediahost_speech.listening import Listener
from mediahost_speech.sound import WINDOW_S, Sound, Window
from mediahost_speech.vad import load_detector


@pytest.fixture(scope="session")
def windows(reading: Path) -> list[Window]:
    """The reading, window by window."""
    return list(Sound(reading).windows())


def _probabilities(heard: Iterator[tuple[Window, float]]) -> list[float]:
    return [round(probability, 4) for _, probability in heard]


def test_blocks_of_any_size_hear_the_same(
    windows: list[Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()
    usual = _probabilities(listener.hear(windows))
    assert len(usual) == len(windows)
    monkeypatch.setattr(listening, "_BLOCK", 7)
    assert _probabilities(listener.hear(windows)) == pytest.approx(usual, abs=0.001)


def test_a_gap_is_no_speech_and_what_comes_after_is_heard_anew(windows: list[Window]) -> None:
    some = windows[60:200]
    gap = Window(some[-1].end, some[-1].end + 5, None)
    heard = _probabilities(Listener().hear([*some, gap, *some]))
    assert heard[len(some)] == 0
    assert heard[: len(some)] == pytest.approx(heard[len(some) + 1 :], abs=0.001)


def test_it_hears_what_the_detector_hears(windows: list[Window]) -> None:
    detector = load_detector()
    stretches = []
    for probabilities in (
        [detector.process_chunk(window.samples or b"") for window in windows],
        _probabilities(Listener().hear(windows)),
    ):
        moments = [
            Moment(window.start, window.end, min(probability, 1.0))
            for window, probability in zip(windows, probabilities, strict=True)
        ]
        stretches.append(
            list(
                find_speech(
                    moments,
                    threshold=0.5,
                    min_speech_s=0.25,
                    min_silence_s=0.5,
                    window_s=WINDOW_S,
                )
            )
        )
    assert len(stretches[0]) == len(stretches[1])
    for one, other in zip(*stretches, strict=True):
        assert (one.start, one.end) == pytest.approx((other.start, other.end), abs=0.3)


def test_another_model_than_the_known_one_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "faster_whisper"
    (package / "assets").mkdir(parents=True)
    (package / "assets" / listening.WEIGHTS.name).write_bytes(bytes(listening.WEIGHTS.size))
    spec = type("Spec", (), {"origin": str(package / "__init__.py")})
    monkeypatch.setattr(listening, "find_spec", lambda _name: spec)
    with pytest.raises(ModelMismatch, match="does not hold the model that finds speech") as caught:
        Listener()
    assert "faster-whisper==1.2.1" in (caught.value.hint or "")
