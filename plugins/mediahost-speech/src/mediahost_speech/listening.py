"""Listening for speech, many windows at a time, on the Silero model that faster-whisper brings."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mediahost.installation import install_hint
from mediahost.plugin.models import ModelMismatch, PinnedFile, difference
from mediahost_speech.sound import WINDOW_SAMPLES, Window

_CONTEXT_SAMPLES = 64
_STATE = (1, 1, 128)
# Four seconds at once: that costs a seventeenth of one window after the other, and little memory.
_BLOCK = 128

# Silero VAD 6 (MIT, github.com/snakers4/silero-vad), as in faster-whisper 1.2.1, from whose package
# the hash was taken.
WEIGHTS = PinnedFile(
    "silero_vad_v6.onnx",
    1_245_151,
    "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
)


class Listener:
    """How probable speech is, block by block; a resource of the worker.

    Raises:
        ModelMismatch: The model is not the one that mediahost knows.
    """

    def __init__(self) -> None:
        # Only a worker needs it.
        import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        # One window hangs on the one before: more threads would only wait for each other.
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            str(_weights()), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def hear(self, windows: Iterable[Window]) -> Iterator[tuple[Window, float]]:
        """Each window with how probable speech is in it; in a gap of the file, 0."""
        run = _Run(self._session)
        block: list[Window] = []
        for window in windows:
            if window.samples is not None:
                block.append(window)
            if block and (window.samples is None or len(block) == _BLOCK):
                yield from run.over(block)
                block = []
            if window.samples is None:
                run = _Run(self._session)
                yield window, 0.0
        if block:
            yield from run.over(block)


class _Run:
    """What the model remembers of a sound without a gap."""

    def __init__(self, session: Any) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        self._session = session
        self._h = np.zeros(_STATE, np.float32)
        self._c = np.zeros(_STATE, np.float32)
        self._last = np.zeros((1, _CONTEXT_SAMPLES), np.float32)

    def over(self, block: list[Window]) -> Iterator[tuple[Window, float]]:
        import numpy as np  # noqa: PLC0415 - as above

        samples = np.frombuffer(b"".join(one.samples or b"" for one in block), "<i2")
        sound = samples.astype(np.float32).reshape(-1, WINDOW_SAMPLES) / np.float32(32768)
        before = np.concatenate([self._last, sound[:-1, -_CONTEXT_SAMPLES:]])
        self._last = sound[-1:, -_CONTEXT_SAMPLES:]
        given = {"input": np.concatenate([before, sound], axis=1), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._session.run(None, given)
        yield from zip(block, map(float, probabilities.ravel()), strict=True)


def _weights() -> Path:
    spec = find_spec("faster_whisper")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / "assets" / WEIGHTS.name
    if problem := difference(path, WEIGHTS):
        raise ModelMismatch(
            f"The package faster-whisper does not hold the model that finds speech: {problem}",
            f"Install the known version: {install_hint('faster-whisper==1.2.1')}",
        )
    return path
