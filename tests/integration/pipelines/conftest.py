"""A language model that always answers the same, and media of a few seconds."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home

EXAMPLES = Path(__file__).parents[3] / "examples" / "media"

# It fits all that the shipped pipelines ask for.
ANSWER = {
    "summary": "The times were good and bad.",
    "key_points": ["Times change."],
    "chapters": [{"line": 1, "title": "Good and bad times"}],
}


@pytest.fixture(autouse=True)
def _patience(home: "Home", monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole pipeline takes longer than other tests."""
    monkeypatch.setattr(sys.modules[type(home).__module__], "TIMEOUT_S", 600)


@pytest.fixture
def asked(home: "Home") -> Iterator[list[dict[str, Any]]]:
    """What the model that the home's environment names was asked."""
    requests: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            wanted = requests[-1]["response_format"]["json_schema"]["schema"]["properties"]
            content = json.dumps({name: ANSWER[name] for name in wanted})
            message = {"role": "assistant", "content": content}
            reply = {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "fake",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 70, "completion_tokens": 7, "total_tokens": 77},
            }
            data = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    home.environ["MEDIAHOST_LLM_BASE_URL"] = f"http://127.0.0.1:{server.server_port}/v1"
    home.environ["MEDIAHOST_LLM_MODEL"] = "fake"
    yield requests
    server.shutdown()
    server.server_close()
    thread.join(30)


@pytest.fixture
def sentence(home: "Home") -> Path:
    """The first sentence of a reading: 4.8 s, 16 kHz, mono."""
    path = home.media / "sentence.wav"
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(EXAMPLES / "two_cities.flac")) as reading, av.open(str(path), "w") as cut:
        stream = cut.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for frame in reading.decode(audio=0):
            if frame.time is None or frame.time > 4.8:
                break
            for resampled in resampler.resample(frame):
                cut.mux(stream.encode(resampled))
        cut.mux(stream.encode(None))
    return path
