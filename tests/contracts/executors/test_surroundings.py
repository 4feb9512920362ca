"""What surrounds an attempt: the same for each, and nothing of the host's secrets."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mediahost.executor.local import LocalExecutor

SURROUNDINGS = str(Path(__file__).with_name("surroundings.py"))
SECRETS = {
    "DATABASE_URL": "postgresql://me:hunter2@db/x",
    "MEDIAHOST_DATABASE_URL": "postgresql://me:hunter2@db/x",
    "MEDIAHOST_LLM_API_KEY": "sk-1",
    "OPENAI_API_KEY": "sk-2",
    "AWS_SECRET_ACCESS_KEY": "a",
    "GITHUB_TOKEN": "g",
    "LD_PRELOAD": "",
    "SERVICE_KEY": "s",
    "SERVICE_OPTION_A": "o",
    "UNKNOWN_SETTING": "u",
}


@pytest.fixture(params=["local", "shared"])
def surrounded(request: pytest.FixtureRequest, rig: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One worker, in a host with secrets in its environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    rig.shared = request.param == "shared"
    start(rig)
    return rig


def start(rig: Any, variables: Sequence[str] = ()) -> None:
    rig.start(LocalExecutor(1, plugins=[SURROUNDINGS], grace_s=0.2, variables=variables))


def run(rig: Any, action: str, **about: Any) -> dict[str, Any]:
    spec = rig.spec(action)
    spec = type(spec)(**{name: getattr(spec, name) for name in spec.__dataclass_fields__} | about)
    rig.executor.submit(spec)
    ended = rig.end(spec)
    assert ended.result is not None, ended
    return {**ended.result.metadata, "log": Path(spec.log_path), "spec": spec}


def test_no_secret_of_the_host_reaches_a_worker(surrounded: Any) -> None:
    seen = run(surrounded, "look")["seen"]["environ"]
    assert not set(seen) & set(SECRETS)
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["HOME"] == os.environ["HOME"]


def test_an_action_sees_what_it_declares_and_the_next_one_does_not(surrounded: Any) -> None:
    declared = ("SERVICE_KEY", "SERVICE_OPTION_*")
    keyed = run(surrounded, "keyed", variables=declared)["seen"]["environ"]
    assert set(keyed) & set(SECRETS) == {"SERVICE_KEY", "SERVICE_OPTION_A"}
    assert keyed["SERVICE_KEY"] == "s"
    after = run(surrounded, "look")["seen"]["environ"]
    assert not set(after) & set(SECRETS)


def test_what_the_settings_pass_on_is_seen(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    start(rig, ["UNKNOWN_SETTING", "AWS_*"])
    seen = run(rig, "look")["seen"]["environ"]
    assert set(seen) & set(SECRETS) == {"UNKNOWN_SETTING", "AWS_SECRET_ACCESS_KEY"}


def test_every_attempt_finds_the_same_whatever_ran_before(rig: Any) -> None:
    start(rig)
    before = run(rig, "look")
    upset = run(rig, "upset")
    after = run(rig, "look")
    assert before["pid"] == upset["pid"] == after["pid"], "it is one worker"
    assert after["seen"] == before["seen"]
    assert "I said this" in after["log"].read_text()


def test_temporary_files_go_with_their_attempt(surrounded: Any) -> None:
    before = run(surrounded, "look")
    assert before["in"] == []
    folder = Path(before["tmp"])
    assert folder.parent == Path(before["spec"].workdir).parent
    if not surrounded.shared:  # a thread can't set signals
        run(surrounded, "upset")
        assert list(folder.iterdir()) == []
    assert run(surrounded, "look")["in"] == []
    surrounded.executor.stop(drain=True, grace_s=1)
    assert not folder.exists()


def test_temporary_files_of_a_worker_that_dies_go_with_it(surrounded: Any) -> None:
    spec = surrounded.submit("die_with_files")
    assert surrounded.end(spec).result is None
    assert not list(Path(spec.workdir).parent.glob("temporary.*"))


def test_a_thread_that_is_left_behind_ends_with_its_worker(rig: Any) -> None:
    start(rig)
    left = run(rig, "thread")
    after = run(rig, "look")
    assert after["pid"] != left["pid"]
    assert "a thread was left" not in after["log"].read_text()
