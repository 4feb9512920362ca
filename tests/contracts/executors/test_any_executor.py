"""What every executor promises, the one inside the host's own process too."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mediahost.hashing import hash_file
from mediahost.model.job import Outcome, Token
from mediahost.ports import Ended, Started


def test_an_analyzer_gives_its_result(any_rig: Any) -> None:
    ended = any_rig.end(any_rig.submit("fine"))
    assert ended.outcome is Outcome.OK
    assert ended.failure is None
    assert ended.result.metadata["size"] == any_rig.media.stat().st_size
    assert ended.result.ranges[0].end == 1


def test_a_processor_gives_artifacts_with_size_and_hash(any_rig: Any) -> None:
    spec = any_rig.submit("copy")
    (artifact,) = any_rig.end(spec).result.artifacts
    assert artifact.path == Path(spec.workdir) / "copy.wav"
    assert artifact.size == any_rig.media.stat().st_size
    assert artifact.file_hash == hash_file(any_rig.media)[0]
    assert artifact.mime_type == "audio/wav"


def test_artifacts_are_hashed_with_the_algorithm_asked_for(any_rig: Any) -> None:
    spec = replace(any_rig.spec("copy"), algorithm="sha256")
    any_rig.executor.submit(spec)
    (artifact,) = any_rig.end(spec).result.artifacts
    assert artifact.file_hash == hash_file(any_rig.media, "sha256")[0]


def test_a_step_gets_the_results_of_the_steps_it_follows(any_rig: Any) -> None:
    before = {"kind": "analysis", "ranges": [{"start": 0, "end": 1}, {"start": 2, "end": 3}]}
    spec = replace(any_rig.spec("follows"), inputs={"before": before})
    any_rig.executor.submit(spec)
    assert any_rig.end(spec).result.metadata == {"ranges": 2}


def test_events_come_in_order_and_name_their_attempt(any_rig: Any) -> None:
    spec = any_rig.submit("fine")
    any_rig.end(spec)
    kinds = [type(event).__name__ for event in any_rig.events if event.token == spec.token]
    assert kinds == ["Started", "Progress", "Ended"]
    assert any_rig.progress(spec)[0].fraction == 0.5
    assert any_rig.progress(spec)[0].message == "half way"


def test_a_resource_is_loaded_once_and_shared_by_later_jobs(any_rig: Any) -> None:
    first = any_rig.end(any_rig.submit("loads", what="one"))
    second = any_rig.end(any_rig.submit("loads", what="one"))
    other = any_rig.end(any_rig.submit("loads", what="two"))
    assert first.result == second.result
    assert other.result != first.result


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("invalid", "It is damaged"),
        ("transient", "The network is down"),
        ("unspeakable", "UnspeakableError"),
        ("exit", "SystemExit: 3"),
    ],
)
def test_an_exception_ends_its_attempt_in_words(any_rig: Any, fault: str, message: str) -> None:
    spec, innocent = any_rig.submit("fault", fault=fault), any_rig.submit("fine")
    ended = any_rig.end(spec)
    assert (ended.outcome, ended.failure.message) == (Outcome.ERROR, message)
    assert ended.failure.transient is (fault == "transient")
    assert "faults.py" in ended.failure.traceback
    assert "faults.py" in Path(spec.log_path).read_text()
    assert any_rig.end(innocent).outcome is Outcome.OK


def test_the_text_of_an_exception_is_cut_to_a_bearable_length(any_rig: Any) -> None:
    ended = any_rig.end(any_rig.submit("fault", fault="very_long"))
    assert ended.failure.message.startswith("ValueError: xxx")
    assert len(ended.failure.message) + len(ended.failure.traceback) < 100_000


def test_running_out_of_memory_is_told_apart(any_rig: Any) -> None:
    assert any_rig.end(any_rig.submit("fault", fault="out_of_memory")).outcome is Outcome.OOM


@pytest.mark.parametrize("what", ["nothing", "text", "class", "unserialisable", "infinite"])
def test_a_result_that_is_none_is_an_error(any_rig: Any, what: str) -> None:
    spec, innocent = any_rig.submit("nonsense", what=what), any_rig.submit("fine")
    ended = any_rig.end(spec)
    assert ended.outcome is Outcome.ERROR
    assert "faults.nonsense returned" in ended.failure.message
    assert any_rig.end(innocent).outcome is Outcome.OK


def test_an_artifact_outside_the_workdir_is_refused(any_rig: Any) -> None:
    ended = any_rig.end(any_rig.submit("outside"))
    assert ended.outcome is Outcome.ERROR
    assert "outside its workdir" in ended.failure.message


def test_a_media_file_that_vanished_is_named(any_rig: Any) -> None:
    spec = any_rig.spec("fine")
    any_rig.media.unlink()
    any_rig.executor.submit(spec)
    ended = any_rig.end(spec)
    assert ended.outcome is Outcome.ERROR
    assert ended.failure.message == f"{any_rig.media}: No such file or directory"


def test_an_unknown_action_is_an_error_with_a_suggestion(any_rig: Any) -> None:
    ended = any_rig.end(any_rig.submit("fin"))
    assert ended.outcome is Outcome.ERROR
    assert "did you mean faults.fine?" in ended.failure.message


def test_a_config_that_does_not_fit_is_an_error(any_rig: Any) -> None:
    ended = any_rig.end(any_rig.submit("fine", speed=3))
    assert ended.outcome is Outcome.ERROR
    assert "No field named 'speed'" in ended.failure.message


def test_a_cancelled_attempt_stops_at_its_next_checkpoint(any_rig: Any) -> None:
    spec = any_rig.submit("fault", fault="polite_loop")
    any_rig.wait_for_progress(spec)
    any_rig.executor.cancel(spec.token, 60.0)
    assert any_rig.end(spec).outcome is Outcome.CANCELLED
    assert any_rig.end(any_rig.submit("fine")).outcome is Outcome.OK


def test_a_program_of_a_cancelled_attempt_is_ended(any_rig: Any) -> None:
    spec = any_rig.submit("fault", fault="run_a_program")
    any_rig.wait_for_progress(spec)
    any_rig.executor.cancel(spec.token, 60.0)
    assert any_rig.end(spec).outcome is Outcome.CANCELLED


def test_an_attempt_that_waits_can_be_cancelled(any_rig: Any) -> None:
    running = [any_rig.submit("fault", fault="polite_loop") for _ in range(2)]
    waiting = any_rig.submit("fine")
    any_rig.wait_for_progress(running[0])
    any_rig.executor.cancel(waiting.token)
    for spec in running:
        any_rig.executor.cancel(spec.token, 60.0)
    ended = any_rig.ends(waiting, *running)
    assert [end.outcome for end in ended] == [Outcome.CANCELLED] * 3
    assert not any(isinstance(e, Started) and e.token == waiting.token for e in any_rig.events)


def test_cancelling_what_is_unknown_or_over_is_ignored(any_rig: Any) -> None:
    spec = any_rig.submit("fine")
    any_rig.end(spec)
    any_rig.executor.cancel(spec.token, 0.0)
    any_rig.executor.cancel(Token(spec.token.job_id, 2), 0.0)
    assert any_rig.end(any_rig.submit("fine")).outcome is Outcome.OK


def test_an_attempt_past_its_limit_has_run_out_of_time(any_rig: Any) -> None:
    spec = any_rig.submit("fault", fault="polite_loop", timeout_s=0.2)
    ended = any_rig.end(spec)
    assert ended.outcome is Outcome.TIMEOUT
    assert ended.failure.message == "faults.fault was ended after 0.2 s, its time limit"


def test_the_executor_knows_what_is_under_way_and_how_much_fits(any_rig: Any) -> None:
    assert any_rig.executor.alive() == set()
    assert any_rig.executor.capacity()["cpu"] > 0
    specs = [any_rig.submit("fault", fault="polite_loop") for _ in range(2)]
    assert any_rig.executor.alive() == {spec.token for spec in specs}
    assert any_rig.executor.capacity()["cpu"] == 0
    for spec in specs:
        any_rig.executor.cancel(spec.token, 60.0)
    any_rig.ends(*specs)
    assert any_rig.executor.alive() == set()


def test_a_sink_that_raises_loses_only_what_it_was_told(any_rig: Any) -> None:
    told = threading.Event()

    def sink(event: object) -> None:
        if isinstance(event, Ended):
            told.set()
        raise RuntimeError("the listener is broken")

    any_rig.executor.stop(drain=True, grace_s=0.2)
    any_rig.executor.start(sink)
    for _ in range(2):
        told.clear()
        any_rig.submit("fine")
        assert told.wait(60)


def test_draining_lets_everything_finish(any_rig: Any) -> None:
    specs = [any_rig.submit("fine") for _ in range(5)]
    any_rig.executor.stop(drain=True, grace_s=0.0)
    assert {ended.outcome for ended in any_rig.ends(*specs)} == {Outcome.OK}


def test_stopping_gives_back_what_is_not_done(any_rig: Any) -> None:
    specs = [any_rig.submit("fault", fault="polite_loop") for _ in range(5)]
    any_rig.wait_for_progress(specs[0])
    any_rig.executor.stop(drain=False, grace_s=60.0)
    ends = any_rig.ends(*specs)
    assert {ended.outcome for ended in ends} == {Outcome.LOST}
    assert all("stopped" in ended.failure.message for ended in ends)


def test_an_attempt_that_comes_after_the_stop_is_lost_not_forgotten(any_rig: Any) -> None:
    any_rig.executor.stop(drain=True, grace_s=0.2)
    assert any_rig.end(any_rig.submit("fine")).outcome is Outcome.LOST


def test_an_executor_can_be_started_again_after_a_stop(any_rig: Any) -> None:
    assert any_rig.end(any_rig.submit("fine")).outcome is Outcome.OK
    any_rig.executor.stop(drain=True, grace_s=0.2)
    any_rig.start(any_rig.executor)
    assert any_rig.end(any_rig.submit("fine")).outcome is Outcome.OK
