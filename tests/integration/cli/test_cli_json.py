"""`--json` of every command is JSON with the keys that docs/cli.md names."""

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Call
    from tests.integration.conftest import Home, Starts

LOOK = ("--action", "count.look")

JOB_KEYS = {
    *("job_id", "number", "status", "action", "media_url", "file_hash", "config_hash"),
    *("parameters", "attempt", "failures", "source", "priority", "created_at", "updated_at"),
    *("started_at", "completed_at", "processing_time_ms", "error", "result", "host"),
    *("cancel_requested", "cached", "progress", "progress_message"),
}
ATTEMPT_KEYS = {
    *("attempt", "outcome", "host", "error", "traceback", "ended_at", "elapsed_ms", "retry_in_s"),
}
HOST_KEYS = {
    *("host", "machine", "pid", "version", "executor", "slots", "running", "status"),
    *("started_at", "silent_ms"),
}
RUN_KEYS = {"counts", "saved_ms", "seconds", "ignored", "own", "problems", "rows"}
ROW_KEYS = {
    *("state", "action", "step", "media", "file_hash", "config_hash", "job_id", "elapsed_ms"),
    *("error", "artifacts", "root", "incomplete"),
}
RESULT_KEYS = {
    "made_by",
    *("action", "action_version", "config", "media", "file_hash", "config_hash", "result_hash"),
    *("elapsed_ms", "created_at", "result", "incomplete"),
}
EXPLAIN_KEYS = {"action", "step", "media", "cached", "file_hash", "config_hash", "reasons"}
ACTION_KEYS = {"name", "kind", "version", "accepts", "description", "config"}
EVENT_KEYS = {"kind", "action", "media_url", "job_id", "fraction", "message", "details"}


def said(call: "Call", *arguments: str, code: int = 0) -> Any:
    answer = call(*arguments, "--json")
    assert answer.code == code, answer
    assert answer.err == ""
    return answer.json


def test_what_a_run_did(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    (home.media / "notes.txt").touch()
    run = said(call, "run", "media", "media/notes.txt", *LOOK, code=1)
    assert set(run) == RUN_KEYS
    assert run["counts"]["done"] == 1
    assert [set(row) for row in run["rows"]] == [ROW_KEYS]
    assert [set(problem) for problem in run["problems"]] == [{"path", "message", "hint"}]
    plan = said(call, "run", "media", "--dry-run", "--action", "count.cut")
    assert plan["counts"]["to do"] == 1


def test_what_is_stored_and_why_it_is_cached(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", *LOOK)
    (result,) = said(call, "results", "media/a.wav")
    assert set(result) == RESULT_KEYS
    assert result["result"]["metadata"]["depth"] == 1
    assert said(call, "results", "media/a.wav", "--action", "count.cut") == []
    (why,) = said(call, "explain", "media/a.wav", *LOOK)
    assert set(why) == EXPLAIN_KEYS
    assert why["cached"] is True


def test_jobs_and_what_became_of_them(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", "--action", "faulty.raise")
    (listed,) = said(call, "jobs", "list", "--status", "failed")
    assert set(listed) == JOB_KEYS
    shown = said(call, "jobs", "show", "1")
    assert set(shown) == {*JOB_KEYS, "log", "attempts"}
    assert [set(one) for one in shown["attempts"]] == [ATTEMPT_KEYS]
    assert shown["attempts"][0]["error"] == shown["error"]
    assert shown["error"] == listed["error"]
    assert said(call, "jobs", "retry", "1") == {"1": "pending again"}
    assert said(call, "jobs", "cancel", "1") == {"1": "cancelled"}
    assert said(call, "jobs", "cancel", "1") == {"1": "is cancelled already"}
    assert said(call, "jobs", "delete", "--status", "cancelled") == {"1": "deleted"}
    assert said(call, "jobs", "list") == []


def test_turns_of_jobs_that_wait(home: "Home", call: "Call") -> None:
    home.tones(3)
    call("run", "media", "--action", "faulty.raise")
    assert len(said(call, "jobs", "retry", "--filter", "faulty")) == 3
    assert said(call, "jobs", "priority", "1", "2", "--to", "-3") == {
        "1": "has priority -3",
        "2": "has priority -3",
    }
    said(call, "jobs", "priority", "--filter", "job:2,3", "--by", "4")
    said(call, "jobs", "priority", "--status", "pending", "--by", "1")
    listed = {job["number"]: job["priority"] for job in said(call, "jobs", "list")}
    assert listed == {1: -2, 2: 2, 3: 5}
    assert "pending (priority 5)" in call("jobs", "list").out
    assert "priority     5" in call("jobs", "show", "3").out
    said_of_3 = call("jobs", "list", "--plain", "--filter", "job:3").out
    assert said_of_3.endswith("pending, priority 5.\n")
    said(call, "jobs", "cancel", "--filter", "job:3")
    kept = said(call, "jobs", "priority", "2", "3", "--to", "0", code=1)
    assert kept["2"] == "has priority 0"
    assert kept["3"] == "is cancelled already; only pending jobs wait for their turn"
    assert said(call, "jobs", "priority", "--filter", "job:3", "--to", "0") == {}
    assert said(call, "jobs", "delete", "--filter", "state:cancelled") == {"3": "deleted"}


def test_plugins_actions_and_pipelines(home: "Home", call: "Call") -> None:
    home.settings('[[pipelines.talks.steps]]\naction = "count.look"')
    rows = {row["name"]: row for row in said(call, "plugins", "list")}
    assert set(rows["hello"]) == {
        "name",
        "distribution",
        "version",
        "environment",
        "error",
        "disabled",
        "actions",
    }
    shown = said(call, "plugins", "show", "hello")
    assert shown == rows["hello"]
    action = said(call, "plugins", "show", "count.look")
    assert set(action) == ACTION_KEYS
    assert action["config"]["properties"]["depth"]["default"] == 1
    assert said(call, "pipelines")["talks"]["steps"][0]["action"] == "count.look"


def test_what_the_doctor_finds(call: "Call") -> None:
    findings = said(call, "doctor")
    assert {frozenset(one) for one in findings} == {frozenset({"level", "message", "hint"})}
    assert {one["level"] for one in findings} <= {"ok", "warning"}


def test_work_tells_each_event_as_it_happens(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", "--action", "faulty.raise")
    call("jobs", "retry", "1")
    answer = call("work", "--drain", "--json")
    assert answer.code == 1
    events = [json.loads(line) for line in answer.out.splitlines()]
    assert all(set(event) == EVENT_KEYS for event in events)
    assert [event["kind"] for event in events] == ["started", "failed"]


def test_the_demo(home: "Home", call: "Call") -> None:
    run = said(call, "demo")
    assert set(run) == RUN_KEYS
    assert run["counts"]["failed"] == 0
    assert (home.folder / "demo" / "artifacts" / "two_cities.mp3").stat().st_size > 0


def test_what_the_store_is_and_that_it_is_up_to_date(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", *LOOK)
    about = said(call, "store", "info")
    keys = {"where", "kind", "schema", "newest_schema", "algorithm", "size_bytes", "rows"}
    assert set(about) == keys
    assert about["rows"]["jobs"] == about["rows"]["analysis_jobs"] == 1
    assert about["schema"] == about["newest_schema"]
    done = said(call, "store", "upgrade")
    assert done["before"] == done["after"] == about["schema"]
    assert "up to date" in call("store", "upgrade").out
    assert "rows of jobs" in call("store", "info").out


def test_the_log_of_an_attempt(home: "Home", call: "Call") -> None:
    home.tone("a.wav")
    call("run", "media", "--action", "faulty.raise")
    log = said(call, "jobs", "log", "1")
    assert set(log) == {"attempt", "log", "text"}
    assert "Traceback" in log["text"]
    assert call("jobs", "log", "1", "--attempt", "2").code == 2


def test_what_is_paused(call: "Call") -> None:
    assert said(call, "jobs", "pause") == [{"kind": "all", "name": ""}]
    both = said(call, "jobs", "pause", "--action", "count.look", "--source", "user")
    assert {(one["kind"], one["name"]) for one in both} == {
        ("all", ""),
        ("action", "count.look"),
        ("source", "user"),
    }
    assert len(said(call, "jobs", "resume", "--action", "count.look")) == 2
    assert said(call, "jobs", "resume") == []


TIMEOUT_S = 60


def test_hosts_that_share_the_store(home: "Home", starts: "Starts", call: "Call") -> None:
    assert said(call, "hosts", "list") == []
    home.tone("a.wav")
    run = home.start("run", "media", "--action", "count.wait")
    starts.wait()
    # Its first job may start before it has said so.
    deadline = time.monotonic() + TIMEOUT_S
    while not (hosts := said(call, "hosts", "list")) or hosts[0]["status"] == "idle":
        assert time.monotonic() < deadline
    (host,) = hosts
    assert set(host) == HOST_KEYS
    assert (host["pid"], host["status"]) == (run.pid, "working")
    (home.folder / "open").touch()
    assert home.finish(run).code == 0
    assert said(call, "hosts", "list") == []
