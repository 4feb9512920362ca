"""`mediahost run URL`: the real program and a real web server."""

import functools
import http.server
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LOOK = "--action=count.look"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing.

    A file beside it named `redirect` holds where all requests are sent; while one named `stuck` is
    there, nothing is answered.
    """

    def do_GET(self) -> None:
        """Answer well or badly."""
        folder = Path(self.directory)
        while (folder / "stuck").exists():
            time.sleep(0.01)
        if (folder / "redirect").exists():
            self.send_response(302)
            self.send_header("Location", (folder / "redirect").read_text())
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shelf(home: Any) -> Iterator[tuple[Path, str]]:
    """A folder, and where its files are on the web."""
    folder = home.folder / "shelf"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def allowed(home: Any) -> None:
    """The settings allow the loopback."""
    home.environ["MEDIAHOST_REMOTE_ALLOW"] = "http://127.0.0.1:* memory://m"
    home.environ["MEDIAHOST_REMOTE_NETWORKS"] = "127.0.0.0/8"


@pytest.mark.usefixtures("allowed")
def test_a_file_on_the_web_is_run_once_and_known_by_its_url(
    home: Any, shelf: tuple[Path, str]
) -> None:
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "tone.wav")
    first = home.call("run", f"{url}/tone.wav", LOOK, "--json")
    assert (first.code, first.counts) == (0, {"done": 1})
    assert first.json["rows"][0]["media"] == f"{url}/tone.wav"
    again = home.call("run", f"{url}/tone.wav", LOOK, "--json")
    assert again.counts == {"cached": 1}
    assert home.ran() == {"look tone.wav": 1}
    assert home.query("SELECT media_url FROM jobs") == [(f"{url}/tone.wav",)]
    home.assert_sound()


@pytest.mark.usefixtures("allowed")
def test_the_same_bytes_on_the_web_and_on_the_disk_are_computed_once(
    home: Any, shelf: tuple[Path, str]
) -> None:
    folder, url = shelf
    (folder / "there.wav").write_bytes(home.tone("here.wav").read_bytes())
    answer = home.call("run", "media", f"{url}/there.wav", LOOK, "--json")
    assert answer.counts == {"done": 1, "cached": 1}


@pytest.mark.usefixtures("allowed")
def test_artifacts_of_a_file_on_the_web_are_named_after_it(
    home: Any, shelf: tuple[Path, str]
) -> None:
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "a tone.wav")
    answer = home.call("run", f"{url}/a%20tone.wav?x=/y", "-a", "count.cut", "-o", "out", "--json")
    assert answer.code == 0
    assert sorted(path.name for path in (home.folder / "out").iterdir()) == [
        "a tone.part0.wav",
        "a tone.part1.wav",
    ]


@pytest.mark.usefixtures("allowed")
def test_results_and_reasons_can_be_asked_for_by_url(home: Any, shelf: tuple[Path, str]) -> None:
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "tone.wav")
    home.call("run", f"{url}/tone.wav", LOOK)
    assert len(home.call("results", f"{url}/tone.wav", "--json").json) == 1
    explained = home.call("explain", f"{url}/tone.wav", LOOK, "--json").json
    assert [one["cached"] for one in explained] == [True]


@pytest.mark.usefixtures("allowed")
def test_one_file_that_is_not_there_leaves_the_others_alone(
    home: Any, shelf: tuple[Path, str]
) -> None:
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "tone.wav")
    answer = home.call("run", f"{url}/no.wav", f"{url}/tone.wav", LOOK, "--json")
    assert (answer.code, answer.counts) == (1, {"done": 1})
    assert answer.json["problems"] == [
        {
            "path": f"{url}/no.wav",
            "message": f"{url}/no.wav: the server says 404 Not Found",
            "hint": None,
        }
    ]


def test_nothing_is_fetched_unless_the_settings_allow_it(
    home: Any, shelf: tuple[Path, str]
) -> None:
    _, url = shelf
    answer = home.call("run", f"{url}/tone.wav", LOOK)
    assert answer.code == 2
    assert answer.err.splitlines() == [
        f"mediahost: The settings don't allow {url}",
        "  Allow it in the settings: remote_allow. See: mediahost docs settings",
    ]


@pytest.mark.usefixtures("allowed")
def test_what_is_too_large_says_what_may_be_done_about_it(
    home: Any, shelf: tuple[Path, str]
) -> None:
    folder, url = shelf
    with (folder / "long.wav").open("wb") as long:
        long.truncate(2 << 20)
    answer = home.call("run", f"{url}/long.wav", LOOK, environ={"MEDIAHOST_REMOTE_MAX_MB": "1"})
    assert answer.code == 1
    assert answer.err.splitlines()[:2] == [
        f"mediahost: {url}/long.wav has 2,097,152 bytes; 1,048,576 are the limit",
        "  Raise remote_max_mb in the settings, or fetch it yourself.",
    ]


def test_a_file_url_is_a_path(home: Any) -> None:
    path = home.tone("a tone.wav")
    answer = home.call("run", f"file://{path.parent}/a%20tone.wav", LOOK, "--json")
    assert answer.counts == {"done": 1}
    assert answer.json["rows"][0]["media"] == str(path)


@pytest.mark.usefixtures("allowed")
def test_a_job_is_done_by_a_host_that_has_no_copy_yet(home: Any, shelf: tuple[Path, str]) -> None:
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "tone.wav")
    home.call("run", f"{url}/tone.wav", "-a", "faulty.raise")
    shutil.rmtree(home.data / "remote")
    home.call("jobs", "retry", "--status", "failed")
    home.call("work", "--drain")
    (job,) = home.call("jobs", "list", "--json").json
    assert job["attempt"] == 2
    assert job["error"].startswith("KeyError")
    assert list((home.data / "remote").rglob("tone.wav"))


@pytest.fixture
def job_to_fetch(home: Any, shelf: tuple[Path, str]) -> Path:
    """A pending job whose media file must be fetched again; returns the server's folder."""
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "tone.wav")
    home.call("run", f"{url}/tone.wav", "-a", "faulty.raise")
    shutil.rmtree(home.data / "remote")
    home.call("jobs", "retry", "--status", "failed")
    return folder


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("where", ["http://[::1", "http://127.0.0.1:no/x.wav", "//[", "é:\x85"])
def test_a_fetch_that_fails_in_a_new_way_ends_its_job(
    home: Any, job_to_fetch: Path, where: str
) -> None:
    (job_to_fetch / "redirect").write_text(where)
    assert home.call("work", "--drain").code == 1
    (job,) = home.call("jobs", "list", "--json").json
    assert job["status"] == "failed"
    assert job["error"]


@pytest.mark.usefixtures("allowed")
def test_a_job_is_cancelled_while_its_file_is_fetched(home: Any, job_to_fetch: Path) -> None:
    (job_to_fetch / "stuck").touch()
    work = home.start("work", "--drain")
    try:
        while home.jobs() != {"processing": 1}:
            time.sleep(0.01)
        assert home.call("jobs", "cancel", "1").code == 0
        home.finish(work, within_s=20)
    finally:
        (job_to_fetch / "stuck").unlink()
    assert home.jobs() == {"cancelled": 1}


@pytest.mark.usefixtures("allowed")
def test_the_time_limit_of_an_attempt_holds_while_its_file_is_fetched(
    home: Any, job_to_fetch: Path
) -> None:
    (job_to_fetch / "stuck").touch()
    work = home.start("work", "--drain", environ={"MEDIAHOST_TIMEOUT_S": "1"})
    try:
        assert home.finish(work, within_s=20).code == 1
    finally:
        (job_to_fetch / "stuck").unlink()
    (job,) = home.call("jobs", "list", "--json").json
    assert job["status"] == "failed"
    assert "took longer to fetch" in job["error"]


@pytest.mark.usefixtures("allowed")
def test_a_host_that_drains_gives_back_what_it_still_fetches(home: Any, job_to_fetch: Path) -> None:
    (job_to_fetch / "stuck").touch()
    work = home.start("work")
    try:
        while home.jobs() != {"processing": 1}:
            time.sleep(0.01)
        work.terminate()
        assert home.finish(work, within_s=20).code == 0
    finally:
        (job_to_fetch / "stuck").unlink()
    assert home.jobs() == {"pending": 1}


@pytest.mark.usefixtures("allowed")
def test_a_url_that_is_not_ascii_is_run(home: Any, shelf: tuple[Path, str]) -> None:
    folder, url = shelf
    home.tone("tone.wav").rename(folder / "é.wav")
    assert home.call("run", f"{url}/é.wav", LOOK, "--json").counts == {"done": 1}
