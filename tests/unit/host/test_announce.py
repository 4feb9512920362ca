"""What plugins are told, and that none of them can harm by it."""

from typing import Any

import pytest

from mediahost import Event, hookimpl
from mediahost.errors import SettingsError
from mediahost.host.announce import Announcer
from mediahost.model.event import EventKind
from mediahost.plugin.registry import PluginRow, Registry

EVENT = Event(EventKind.STARTED, "t.look", "/a.wav")


class Ear:
    """Keeps what it hears."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.heard: list[Any] = []
        self._fault = fault

    def _hear(self, what: Any) -> None:
        self.heard.append(what)
        if self._fault:
            raise self._fault

    @hookimpl
    def mediahost_host_started(self, settings: Any) -> None:
        self._hear(settings)

    @hookimpl
    def mediahost_event(self, event: Event) -> None:
        self._hear(event)

    @hookimpl
    def mediahost_run_finished(self, summary: Any) -> None:
        self._hear(summary)

    @hookimpl
    def mediahost_watch_changed(self, watch: str, state: str, reason: str) -> None:
        self._hear((watch, state, reason))

    @hookimpl
    def mediahost_host_stopping(self) -> None:
        self._hear("stopping")


def announcer(*ears: Any) -> Announcer:
    registry = Registry()
    for number, ear in enumerate(ears):
        row = PluginRow(f"ear{number}", "", "")
        registry.register(ear, row)
        assert row.error is None
    return Announcer(registry, {"ear": {"loud": True}})


@pytest.mark.parametrize("fault", [ValueError("broken"), SystemExit(3)])
def test_a_plugin_that_raises_keeps_nothing_from_the_others(
    fault: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    ears = [Ear(), Ear(fault), Ear()]
    told = announcer(*ears)
    told.start()
    told.event(EVENT)
    told.run_finished({"seconds": 1})
    told.watch_changed("inbox", "resting", "no model")
    told.stop()
    resting = ("inbox", "resting", "no model")
    for ear in ears:
        assert ear.heard == [{"ear": {"loud": True}}, EVENT, {"seconds": 1}, resting, "stopping"]
    assert caplog.text.count("The plugin /ear1 failed") == 5


class Choosy(Ear):
    """Wants to hear of failures alone."""

    @hookimpl
    def mediahost_host_started(self, settings: Any) -> Any:
        self._hear(settings)
        return ["failed"]


class Deaf(Ear):
    """Wants to hear of nothing."""

    @hookimpl
    def mediahost_host_started(self, settings: Any) -> Any:
        return ()


def test_a_plugin_that_asked_for_no_kind_hears_of_no_run() -> None:
    deaf, ear = Deaf(), Ear()
    told = announcer(deaf)
    told.start()
    assert not told.is_heard
    told.event(EVENT)
    told.run_finished({"seconds": 1})
    assert deaf.heard == []
    both = announcer(Deaf(), ear)
    both.start()
    assert both.is_heard
    both.run_finished({"seconds": 1})
    assert {"seconds": 1} in ear.heard


def test_a_plugin_hears_of_the_kinds_that_it_asked_for() -> None:
    choosy, ear = Choosy(), Ear()
    told = announcer(choosy, ear)
    told.start()
    told.event(EVENT)
    failed = Event(EventKind.FAILED, "t.look", "/a.wav")
    told.event(failed)
    assert choosy.heard[1:] == [failed]
    assert ear.heard[1:] == [EVENT, failed]
    assert announcer().kinds == frozenset()


def test_settings_that_a_plugin_can_not_follow_stop_the_host() -> None:
    with pytest.raises(SettingsError):
        announcer(Ear(SettingsError("no such rule"))).start()


def test_a_host_that_never_ran_has_nothing_to_stop() -> None:
    ear = Ear()
    announcer(ear).stop()
    assert ear.heard == []


def test_a_run_tells_of_each_job_and_of_its_end(house: Any) -> None:
    ear = Ear()
    house.registry.register(ear, PluginRow("ear", "", ""))
    house.tone("a.wav")
    with house.host(plugins={"ear": {}}) as host:
        recipe = house.recipe({"action": "t.look"}, named=False)
        host.run([house.media], recipe)
    kinds = [one.kind for one in ear.heard if isinstance(one, Event)]
    assert kinds == ["submitted", "started", "completed"]
    assert ear.heard[0] == {"ear": {}}
    assert ear.heard[-2]["counts"]["done"] == 1
    assert ear.heard[-1] == "stopping"
