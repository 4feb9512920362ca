"""A fake API on loopback, text to ask about, and the real small model."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mediahost import MediaAnalysisResult, TimeRange, Transcription
from mediahost_llm import asking
from mediahost_llm.local import LocalModel

MEDIA = Path(__file__).parents[3] / "examples" / "media"


@dataclass
class Reply:
    """What the fake answers to one request."""

    content: str = "{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    finish: str = "stop"
    error: Mapping[str, Any] | None = None
    held_until: threading.Event | None = None


@dataclass
class Api:
    """An OpenAI-compatible API that answers as it is told, in order; the last reply again."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    url: str = ""

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The fake, which the environment names; waits between tries are short."""
    fake = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            fake.requests.append(json.loads(body))
            fake.keys.append(self.headers.get("authorization"))
            reply = fake.next_reply()
            if reply.held_until is not None:
                reply.held_until.wait(60)
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            message = {"role": "assistant", "content": reply.content}
            good = {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "fake",
                "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
            bad = {"error": reply.error or {"message": "no", "code": None}}
            data = json.dumps(good if reply.status == 200 else bad).encode()
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except ConnectionError:
                pass  # the client has given up, as some tests want it to

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    monkeypatch.setenv("MEDIAHOST_LLM_BASE_URL", fake.url)
    monkeypatch.setenv("MEDIAHOST_LLM_MODEL", "fake-1")
    monkeypatch.setenv("MEDIAHOST_LLM_API_KEY", "sk-very-secret")
    monkeypatch.setattr(asking, "BACKOFF_FIRST_S", 0.01)
    yield fake
    server.shutdown()
    server.server_close()
    thread.join(30)


@pytest.fixture(autouse=True)
def _no_api_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "MODEL", "API_KEY", "TIMEOUT_S"):
        monkeypatch.delenv(f"MEDIAHOST_LLM_{name}", raising=False)
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def talk() -> Path:
    """A recording."""
    return MEDIA / "two_cities.flac"


@pytest.fixture
def said() -> Callable[..., MediaAnalysisResult]:
    """A transcript of these sentences, ten seconds each."""

    def transcript(*sentences: str) -> MediaAnalysisResult:
        return MediaAnalysisResult(
            ranges=tuple(
                TimeRange(start=10 * n, end=10 * n + 9, label="speech", payload={"text": sentence})
                for n, sentence in enumerate(sentences)
            ),
            transcription=Transcription(provider="test", text=" ".join(sentences)),
        )

    return transcript


@pytest.fixture(scope="session")
def small_model() -> Iterator[LocalModel]:
    """SmolLM2-135M-Instruct, served on loopback."""
    model = LocalModel("smollm2-135m", 1)
    yield model
    model.close()


@pytest.fixture
def reply() -> type[Reply]:
    """Makes replies of the fake."""
    return Reply
