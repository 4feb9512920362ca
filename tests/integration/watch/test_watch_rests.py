"""A watch rests while something is missing that every file needs, and goes on by itself."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.conftest import Home
    from tests.integration.watch.conftest import Start


@pytest.mark.parametrize("action", ["lacking.early", "lacking.late"])
def test_no_file_is_failed_or_moved_for_what_is_missing(
    home: "Home", watch: "Start", action: str
) -> None:
    home.settings(
        f'[[watch]]\npath = "media"\nsteps = [{{ action = "{action}" }}]\nsettle_s = 0.1\n'
        'on_failure = "move"\nfailed_folder = "unusable"\n'
    )
    tones = home.tones(5)
    answer = home.call("watch", "--once")
    assert answer.code == 1
    assert answer.out.count("The model is not here") == 1
    assert "0 done, 0 failed" in answer.out
    assert all(tone.exists() for tone in tones)
    assert not (home.folder / "unusable").exists()

    running = watch.on_all()
    running.wait_for("resting")
    status = running.wait_until(lambda status: status["state"] == "resting")
    assert "The model is not here" in status["health"]["reason"]
    assert status["counts"]["failed"] == 0
    (home.folder / "model").touch()
    running.wait_for_all("done", {tone.name for tone in tones})
    assert running.wait_until(lambda status: status["state"] == "watching")
    # One message, however many files there are.
    assert sum(news["state"] == "resting" for news in running.said) == 1
    assert all(tone.exists() for tone in tones)


def test_an_optional_step_of_a_watch_is_skipped(home: "Home") -> None:
    home.settings(
        '[[watch]]\npath = "media"\nsettle_s = 0.1\n'
        'steps = [{ action = "count.look" }, { action = "lacking.early", optional = true },'
        ' { action = "lacking.late", optional = true }]\n'
        'on_success = "move"\ndone_folder = "done"\n'
        'on_failure = "move"\nfailed_folder = "unusable"\n'
    )
    home.tone("a.wav")
    answer = home.call("watch", "--once")
    assert answer.code == 0
    assert "skipped lacking.early: The model is not here" in answer.out
    assert (home.folder / "done" / "a.wav").exists()
