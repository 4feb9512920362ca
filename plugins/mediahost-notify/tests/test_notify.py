"""What is sent, to whom, and what never is."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from mediahost.errors import SettingsError
from mediahost.model.event import Event, EventKind
from mediahost_notify.plugin import Notify
from mediahost_notify.rules import filled_in


@pytest.fixture
def notify() -> Iterator[Notify]:
    """The plugin, in a host that stops at the end."""
    plugin = Notify()
    yield plugin
    plugin.mediahost_host_stopping()


def started(notify: Notify, **rule: Any) -> Notify:
    notify.mediahost_host_started(settings={"notify": {"rules": [rule]}})
    return notify


def failed(number: int = 1, action: str = "av.probe") -> Event:
    return Event(EventKind.FAILED, action, f"/films/{number}.mp4", message="It is damaged\nmore")


FINISHED = {"counts": {"done": 3, "failed": 2, "cached": 0}, "problems": 1, "seconds": 4.2}


def test_a_failure_is_told_in_words(notify: Notify, hook: Any) -> None:
    started(notify, to=hook.url, every_s=0.01).mediahost_event(failed())
    message = hook.next()
    assert message["title"] == "mediahost: 1 failed"
    assert message["message"] == "✖ av.probe 1.mp4: It is damaged"
    assert message["type"] == "failure"


def test_a_thousand_failures_are_one_message(notify: Notify, hook: Any) -> None:
    started(notify, to=hook.url, every_s=60)
    for number in range(1000):
        notify.mediahost_event(failed(number))
    notify.mediahost_host_stopping()
    message = hook.next()
    assert message["title"] == "mediahost: 1,000 failed"
    lines = message["message"].splitlines()
    assert lines[0] == "✖ av.probe 0.mp4: It is damaged"
    assert lines[10:] == ["... and 990 more"]
    assert hook.is_empty()


def test_a_run_that_finishes_sends_all_that_was_gathered(notify: Notify, hook: Any) -> None:
    started(notify, to=hook.url, every_s=3600).mediahost_event(failed())
    notify.mediahost_run_finished(FINISHED)
    assert hook.next()["message"].splitlines() == [
        "A run has finished: 3 done, 2 failed, 1 not usable in 4 s",
        "✖ av.probe 1.mp4: It is damaged",
    ]


def test_only_what_the_rule_wants_is_told(notify: Notify, hook: Any) -> None:
    started(notify, on="failed", to=hook.url, actions="av.*", every_s=60)
    notify.mediahost_event(failed(action="speech.vad"))
    notify.mediahost_event(Event(EventKind.COMPLETED, "av.probe", "/films/1.mp4"))
    notify.mediahost_event(Event(EventKind.STARTED, "av.probe", "/films/1.mp4"))
    notify.mediahost_run_finished(FINISHED)
    notify.mediahost_host_stopping()
    assert hook.is_empty()


def test_without_rules_nothing_is_started(notify: Notify) -> None:
    notify.mediahost_host_started(settings={})
    notify.mediahost_event(failed())
    assert notify._thread is None


def test_a_secret_comes_out_of_the_environment_and_is_never_logged(
    notify: Notify, hook: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HOOK_TOKEN", "hush-hush")
    hook.status = 500
    started(notify, to=f"{hook.url}/${{HOOK_TOKEN}}", every_s=0.01).mediahost_event(failed())
    path, _ = hook.messages.get(timeout=30)
    assert path == "/hook/hush-hush"
    notify.mediahost_host_stopping()
    assert "could not be sent to json" in caplog.text
    assert "hush" not in caplog.text


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(SettingsError, match="the variable HOOK_TOKEN, which is not set"):
        filled_in("json://host/${HOOK_TOKEN}", {})


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("json://${V}@host/x", "me@evil.example/"),
        ("json://me:${V}@host/x", "p/@"),
        ("json://me:${V}@host/x", "evil.example?"),
        ("json://me:${V}@host/x", "evil.example#"),
        ("json://me:${V}@host/x", "evil.example\\\\"),
        ("json://host${V}", "s.evil.example"),
        ("json://host${V}", ":1@evil.example"),
        ("json://host:${V}/x", "1@evil.example"),
    ],
)
def test_no_variable_leads_to_another_host_than_the_url(url: str, value: str) -> None:
    with pytest.raises(SettingsError, match="another host than host") as error:
        filled_in(url, {"V": value})
    assert value not in f"{error.value.message} {error.value.hint}"


@pytest.mark.parametrize(
    ("url", "value", "filled"),
    [
        ("${V}", "jsons://host/secret", "jsons://host/secret"),
        ("json://me:${V}@host/x", "p@ss", "json://me:p@ss@host/x"),
        ("json://host/${V}", "a/b@c", "json://host/a/b@c"),
        ("slack://${V}/x", "token", "slack://token/x"),
        ("json://host:${V}/x", "8080", "json://host:8080/x"),
        ("json://${V}.host/x", "Mine", "json://Mine.host/x"),
    ],
)
def test_a_variable_may_be_a_secret_or_all_of_the_url(url: str, value: str, filled: str) -> None:
    assert filled_in(url, {"V": value}) == filled


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"to": "nosuch://user:hush@host"}, "begins with nosuch://"),
        ({"to": "json://hush@h", "on": ["failing"]}, r"rules\.0\.on\.0: input should be"),
        ({"to": "json://hush@h", "evry_s": 3}, "evry_s: extra inputs"),
        ({}, "to: field required"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error_without_its_secrets(
    notify: Notify, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        notify.mediahost_host_started(settings={"notify": {"rules": [rule]}})
    assert "hush" not in f"{error.value.message} {error.value.hint}"


def test_a_server_that_is_not_there_harms_nothing(
    notify: Notify, caplog: pytest.LogCaptureFixture
) -> None:
    started(notify, to="json://127.0.0.1:9/hook").mediahost_event(failed())
    notify.mediahost_host_stopping()
    assert "could not be sent" in caplog.text


def test_the_plugin_is_found_and_whole(hook: Any) -> None:
    from mediahost.plugin.registry import Registry  # noqa: PLC0415 - loads every plugin

    (row,) = [row for row in Registry.load().rows if row.name == "notify"]
    assert row.error is None


def test_a_watched_folder_is_told_of_when_it_is_empty_or_in_trouble(
    notify: Notify, hook: Any
) -> None:
    started(notify, on=["idle", "watch"], to=hook.url, every_s=60)
    notify.mediahost_watch_changed("inbox", "watching", "")
    notify.mediahost_watch_changed("inbox", "idle", "12 done, 1 failed")
    reason = "/out can't be written: No space left on device"
    notify.mediahost_watch_changed("inbox", "resting", reason)
    notify.mediahost_host_stopping()
    assert hook.next()["message"].splitlines() == [
        "✔ inbox has no files left: 12 done, 1 failed",
        f"✖ inbox is resting: {reason}",
    ]
    assert hook.is_empty()
