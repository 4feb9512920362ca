"""A run in the same words as before: it loads nothing, and misses nothing."""

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mediahost.cli
from mediahost.cli import app, repeat, run_alone
from mediahost.cli.state import State, state
from mediahost.host.unchanged import FEW, Sifted

if TYPE_CHECKING:
    from tests.integration.conftest import Answer, Home

PLUGIN = Path(__file__).parents[1] / "plugins" / "steady.py"
FILES = FEW + 2
LONG_AFTER_NS = 1 << 62
HASHED_LONG_AFTER = "UPDATE file_hashes SET hashed_at_ns = hashed_at_ns + 10000000000"
SAY = ("run", "media", "--action", "steady.say")

HEARS_RUNS = """
@hookimpl
def mediahost_run_finished(summary):
    print("heard")
"""
HEARS_OF_THE_HOST = """
@hookimpl
def mediahost_host_started(settings):
    print("heard")
"""
HEARS_NOTHING = """
@hookimpl
def mediahost_host_started(settings):
    return ()
"""

ODD = """
import sys

class Odd:
    def __getattr__(self, name):
        raise RuntimeError(name)

sys.modules["steady_odd"] = Odd()
sys.modules["steady_nameless"] = type(sys)("steady_nameless")
sys.modules["steady_nameless"].__file__ = 3
"""

# The default of a config out of another module, as it comes anew in each process.
HELPED = """
import sys

sys.modules.pop("steady_word", None)
from steady_word import word
"""


@dataclass
class Caller:
    """Calls the program in this process, as if all that it reads had long been there."""

    home: "Home"
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    _opened: bool = False

    def __post_init__(self) -> None:
        for module in (app, run_alone):
            self.monkeypatch.setattr(module, "run_app", partial(self._run_app, module.run_app))

    def _run_app(self, run_app: Callable[[], int]) -> int:
        self._opened = True
        return run_app()

    def __call__(self, *words: str) -> "Answer":
        self._opened = False
        self.monkeypatch.setattr(sys, "argv", ["mediahost", *words])
        for name, value in vars(State()).items():
            self.monkeypatch.setattr(state, name, value)
        code = 0
        try:
            mediahost.cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        answer: type[Answer] = sys.modules[type(self.home).__module__].Answer
        return answer(code, out, err)

    def has_opened(self) -> bool:
        """Whether the last call needed more than the walk and a glance."""
        return self._opened

    def settle(self) -> None:
        """Let files have been hashed long after they were written."""
        self.change(HASHED_LONG_AFTER)

    def change(self, statement: str, store: Path | None = None) -> None:
        """Have the database do this behind everybody's back."""
        path = store or self.home.data / "store.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)

    def plugin(self, source: str) -> None:
        """Have this source as the plugin."""
        path = self.home.folder / "own.py"
        path.write_text(source)
        self.monkeypatch.setenv("MEDIAHOST_PLUGINS", str(path))

    @property
    def notes(self) -> list[Path]:
        """What is noted of calls."""
        return list((self.home.data / repeat.FOLDER).glob("*"))


@pytest.fixture
def caller(
    home: "Home",
    call: Callable[..., "Answer"],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Caller:
    """Of a home with some files and one plugin."""
    monkeypatch.setenv("MEDIAHOST_PLUGINS", str(PLUGIN))
    monkeypatch.setattr(repeat, "_STARTED_NS", LONG_AFTER_NS)
    home.tones(FILES)
    return Caller(home, monkeypatch, capsys)


@pytest.fixture
def cached(caller: Caller) -> Caller:
    """All files have said their word, and the call has been noted."""
    assert f"{FILES} done" in caller(*SAY).out
    caller.settle()
    assert f"{FILES} cached" in caller(*SAY).out
    assert len(caller.notes) == 1
    return caller


def told(answer: "Answer") -> str:
    """What a run said, but for how long it took."""
    line = answer.out.splitlines()[-1]
    return line.partition(" in ")[0] + line.partition(";")[2]


def test_a_run_of_its_own_loads_no_pydantic_and_says_the_same(home: "Home") -> None:
    home.tones(FILES)
    environ = {"MEDIAHOST_PLUGINS": str(PLUGIN)}
    first = home.call(*SAY, environ=environ)
    home.script(HASHED_LONG_AFTER)
    loaded = home.call(*SAY, environ=environ)
    again = home.call(*SAY, environ={**environ, "PYTHONPROFILEIMPORTTIME": "1"})
    assert (first.code, loaded.code, again.code) == (0, 0, 0)
    assert told(again) == told(loaded)
    imported = {line.rpartition("|")[2].strip() for line in again.err.splitlines()}
    assert "mediahost.cli.repeat" in imported
    assert not imported & {"dataclasses", "pydantic", "typer", "rich", "sqlalchemy"}
    assert not imported & {"mediahost.plugin.registry", "mediahost.ports"}


def test_what_is_all_cached_is_said_without_opening_anything(cached: Caller) -> None:
    answer = cached(*SAY)
    assert not cached.has_opened()
    assert answer.code == 0
    assert told(answer).startswith(f"{FILES} files: 0 done, {FILES} cached, 0 failed")


def test_a_new_and_a_changed_file_are_worked_on_and_counted(cached: Caller) -> None:
    cached.home.tone("new.wav", 5000)
    cached.home.tone("000.wav", 5001)
    # Or the memo's time, which was moved, would be after that of the file's second hashing.
    cached.change("DELETE FROM file_hashes WHERE name = '000.wav'")
    answer = cached(*SAY)
    assert cached.has_opened()
    assert told(answer).startswith(f"{FILES + 1} files: 2 done, {FILES - 1} cached, 0 failed")
    cached.settle()
    assert told(cached(*SAY)).startswith(f"{FILES + 1} files: 0 done, {FILES + 1} cached")
    assert told(cached(*SAY)).startswith(f"{FILES + 1} files: 0 done, {FILES + 1} cached")
    assert not cached.has_opened()


def test_a_file_that_can_not_be_read_is_told(cached: Caller) -> None:
    (cached.home.media / "later.wav").symlink_to("nowhere.wav")
    (cached.home.media / "sub").mkdir()
    (cached.home.media / "sub" / "broken.wav").write_bytes(b"")
    answer = cached(*SAY)
    assert cached.has_opened()
    assert told(answer).startswith(f"{FILES + 1} files: 1 done, {FILES} cached")


def test_a_result_that_is_lost_is_computed_again(cached: Caller) -> None:
    cached.change("DELETE FROM analysis_jobs WHERE file_path LIKE '%/003.wav'")
    answer = cached(*SAY)
    assert told(answer).startswith(f"{FILES} files: 1 done, {FILES - 1} cached")


def test_a_source_that_is_changed_is_loaded_again(caller: Caller) -> None:
    source = PLUGIN.read_text()
    caller.plugin(source)
    caller(*SAY)
    caller.settle()
    caller(*SAY)
    assert told(caller(*SAY)).startswith(f"{FILES} files: 0 done, {FILES} cached")
    assert not caller.has_opened()
    caller.plugin(source.replace('"steady.say", version=1', '"steady.say", version=2'))
    assert told(caller(*SAY)).startswith(f"{FILES} files: {FILES} done")


def test_settings_that_are_changed_or_new_count(cached: Caller) -> None:
    pipeline = '[pipelines.words]\nsteps = [{{action = "steady.say", config = {{word = "{}"}}}}]\n'
    words = ("run", "media", "--pipeline", "words")
    cached.home.settings(pipeline.format("yes"))
    assert told(cached(*SAY)).startswith(f"{FILES} files: 0 done, {FILES} cached")
    assert cached.has_opened()  # there was no settings file before
    assert told(cached(*words)).startswith(f"{FILES} files: 0 done, {FILES} cached")
    assert told(cached(*words)).startswith(f"{FILES} files: 0 done, {FILES} cached")
    assert not cached.has_opened()
    cached.home.settings(pipeline.format("no"))
    assert told(cached(*words)).startswith(f"{FILES} files: {FILES} done")


def test_other_words_environment_or_folder_are_another_call(cached: Caller) -> None:
    assert cached("run", "media", "--action", "steady.say:word=no").code == 0
    assert cached.has_opened()
    cached.monkeypatch.setenv("MEDIAHOST_WORKERS", "1")
    cached(*SAY)
    assert cached.has_opened()
    cached.monkeypatch.chdir(cached.home.data)
    assert cached(*SAY).code == 2


def test_a_store_that_is_gone_or_another_is_noticed(cached: Caller) -> None:
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (cached.home.data / name).unlink(missing_ok=True)
    assert told(cached(*SAY)).startswith(f"{FILES} files: {FILES} done")


@pytest.mark.parametrize("option", ["--json", "--force", "--dry-run", "--output=copies"])
def test_a_call_that_wants_more_than_the_count_gets_it(cached: Caller, option: str) -> None:
    for _ in range(2):
        assert cached(*SAY, option).code == 0
        assert cached.has_opened()
    assert len(cached.notes) == 1


@pytest.mark.parametrize("action", ["steady.draw", "steady.hide:secret=abc", "steady.nest"])
def test_what_may_ask_something_else_next_time_is_not_noted(caller: Caller, action: str) -> None:
    for _ in range(2):
        assert caller("run", "media", "--action", action).code == 0
        caller.settle()
    assert caller.notes == []


def test_a_default_that_is_given_instead_is_no_hindrance(caller: Caller) -> None:
    for _ in range(2):
        caller("run", "media", "--action", "steady.draw:number=3")
        caller.settle()
    assert len(caller.notes) == 1


@pytest.fixture
def helped(caller: Caller) -> Caller:
    """Its plugin takes a default out of the module `steady_word`."""
    (caller.home.folder / "lib").mkdir()
    caller.monkeypatch.syspath_prepend(caller.home.folder / "lib")
    caller.plugin(HELPED + PLUGIN.read_text().replace('= "yes"', "= word"))
    return caller


def write_word(caller: Caller, source: str) -> None:
    """Have this source as the module `steady_word`."""
    path = caller.home.folder / "lib" / "steady_word.py"
    path.write_text(f"import os, pathlib, subprocess\n{source}\n")


def test_a_module_that_only_a_plugin_loads_is_vouched_for(helped: Caller) -> None:
    write_word(helped, "word = 'yes'")
    helped(*SAY)
    helped.settle()
    helped(*SAY)
    helped(*SAY)
    assert not helped.has_opened()
    write_word(helped, "word = 'other'")
    assert told(helped(*SAY)).startswith(f"{FILES} files: {FILES} done")


@pytest.mark.parametrize(
    ("variable", "look"),
    [
        ("STEADY_WORD", "os.environ.get('STEADY_WORD', 'yes')"),
        ("MEDIAHOST_STEADY_WORD", "os.getenvb(b'MEDIAHOST_STEADY_WORD', b'yes').decode()"),
    ],
)
def test_a_default_of_the_environment_is_another_with_it(
    helped: Caller, variable: str, look: str
) -> None:
    write_word(helped, f"word = {look}")
    helped(*SAY)
    helped.settle()
    helped(*SAY)
    helped(*SAY)
    assert not helped.has_opened()
    helped.monkeypatch.setenv(variable, "no")
    assert told(helped(*SAY)).startswith(f"{FILES} files: {FILES} done")
    helped.monkeypatch.setenv(variable, "certainly")
    assert told(helped(*SAY)).startswith(f"{FILES} files: {FILES} done")


def test_what_plugins_put_into_the_environment_is_not_what_was_said(helped: Caller) -> None:
    name = "MEDIAHOST_STEADY_WORD"
    write_word(helped, f"word = os.environ.get({name!r}, 'yes')\nos.environ[{name!r}] = 'no'")
    for _ in range(3):
        helped.monkeypatch.delenv(name, raising=False)
        helped(*SAY)
        helped.settle()
    assert not helped.has_opened()
    helped.monkeypatch.setenv(name, "no")
    assert told(helped(*SAY)).startswith(f"{FILES} files: {FILES} done")


def test_a_default_out_of_a_file_is_another_with_it(helped: Caller) -> None:
    file = helped.home.folder / "word.txt"
    write_word(helped, f"f = pathlib.Path({str(file)!r})")
    with (helped.home.folder / "lib" / "steady_word.py").open("a") as source:
        source.write("try:\n    word = f.read_text()\nexcept OSError:\n    word = 'yes'\n")
    helped(*SAY)
    helped.settle()
    helped(*SAY)
    helped(*SAY)
    assert not helped.has_opened()
    for word in ("no", "never"):
        file.write_text(word)
        assert told(helped(*SAY)).startswith(f"{FILES} files: {FILES} done")


@pytest.mark.parametrize(
    "source",
    [
        "word = subprocess.run(['echo', 'yes'], capture_output=True, text=True).stdout",
        "word = dict(os.environ).get('STEADY_WORD', 'yes')",
        "word = os.environ['STEADY_TOKEN']",
        "word = os.environ['MEDIAHOST_STEADY_TOKEN']",
    ],
)
def test_what_can_not_be_looked_at_or_is_secret_is_not_noted(helped: Caller, source: str) -> None:
    helped.monkeypatch.setenv("STEADY_TOKEN", "hush")
    helped.monkeypatch.setenv("MEDIAHOST_STEADY_TOKEN", "hush")
    write_word(helped, source)
    for _ in range(2):
        assert helped(*SAY).code == 0
        helped.settle()
    assert helped.notes == []


def test_odd_modules_are_no_hindrance(caller: Caller) -> None:
    caller.plugin(ODD + PLUGIN.read_text())
    for name in ("steady_odd", "steady_nameless"):
        caller.monkeypatch.setitem(sys.modules, name, sys)  # so that they are gone afterwards
    assert told(caller(*SAY)).startswith(f"{FILES} files: {FILES} done")
    assert len(caller.notes) == 1


def test_two_plugins_of_one_name_are_both_vouched_for(caller: Caller) -> None:
    caller.plugin(PLUGIN.read_text())
    other = caller.home.folder / "other" / "own.py"
    other.parent.mkdir()
    other.write_text("WORD = 1")
    mine = os.environ["MEDIAHOST_PLUGINS"]
    caller.monkeypatch.setenv("MEDIAHOST_PLUGINS", os.pathsep.join([mine, str(other)]))
    caller(*SAY)
    caller.settle()
    caller(*SAY)
    caller(*SAY)
    assert not caller.has_opened()
    Path(mine).write_text(PLUGIN.read_text().replace('= "yes"', '= "oh yes"'))
    assert told(caller(*SAY)).startswith(f"{FILES} files: {FILES} done")


def test_a_plugin_by_a_link_is_another_when_the_link_is(caller: Caller) -> None:
    link = caller.home.folder / "link.py"
    (caller.home.folder / "other.py").write_text(PLUGIN.read_text().replace('"yes"', '"no"'))
    link.symlink_to(PLUGIN)
    caller.monkeypatch.setenv("MEDIAHOST_PLUGINS", str(link))
    caller(*SAY)
    caller.settle()
    caller(*SAY)
    caller(*SAY)
    assert not caller.has_opened()
    link.unlink()
    link.symlink_to("other.py")
    assert told(caller(*SAY)).startswith(f"{FILES} files: {FILES} done")


@pytest.mark.parametrize("hears", [HEARS_RUNS, HEARS_OF_THE_HOST])
def test_a_plugin_that_is_told_of_runs_or_hosts_is_told_of_each(caller: Caller, hears: str) -> None:
    caller.plugin(PLUGIN.read_text() + hears)
    for _ in range(3):
        assert "heard" in caller(*SAY).out
        caller.settle()
    assert caller.notes == []


def test_a_plugin_that_wants_no_kind_of_event_is_no_hindrance(caller: Caller) -> None:
    caller.plugin(PLUGIN.read_text() + HEARS_NOTHING + HEARS_RUNS)
    for _ in range(2):
        assert "heard" not in caller(*SAY).out
        caller.settle()
    assert len(caller.notes) == 1


def test_while_a_plugin_is_broken_nothing_is_noted(caller: Caller) -> None:
    broken = caller.home.folder / "broken.py"
    broken.write_text("import nothing_like_it\n")
    caller.monkeypatch.setenv("MEDIAHOST_PLUGINS", os.pathsep.join([str(PLUGIN), str(broken)]))
    for _ in range(2):
        caller(*SAY)
        caller.settle()
    assert caller.notes == []


def test_what_was_just_written_is_not_vouched_for(caller: Caller) -> None:
    caller.plugin(PLUGIN.read_text())
    caller.monkeypatch.setattr(
        repeat, "_STARTED_NS", (caller.home.folder / "own.py").stat().st_mtime_ns
    )
    for _ in range(2):
        caller(*SAY)
        caller.settle()
    assert caller.notes == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[{}, {}, []]", '[{"paths": 3}, {"/": 4}, []]', "[" * 9999]
)
def test_a_note_that_is_damaged_is_passed_over_and_written_anew(cached: Caller, text: str) -> None:
    (note,) = cached.notes
    note.write_text(text)
    assert told(cached(*SAY)).startswith(f"{FILES} files: 0 done, {FILES} cached")
    assert cached.has_opened()
    cached(*SAY)
    assert not cached.has_opened()


def test_a_note_has_nothing_to_hide_and_is_private_all_the_same(cached: Caller) -> None:
    (note,) = cached.notes
    assert note.stat().st_mode & 0o777 == 0o600
    noted, stats, unset = json.loads(note.read_text())
    assert noted["store"] == str(cached.home.data / "store.db")
    assert str(PLUGIN) in stats
    assert stats[str(cached.home.folder / "mediahost.toml")] is None
    assert not set(unset) & set(os.environ)


def test_notes_that_nobody_needs_are_forgotten(cached: Caller) -> None:
    (note,) = cached.notes
    old = note.with_name("old.json")
    old.write_text("[]")
    os.utime(old, (0, 0))
    cached.monkeypatch.setenv("MEDIAHOST_WORKERS", "1")
    cached(*SAY)
    assert old not in cached.notes
    assert note in cached.notes


def test_without_a_data_folder_of_its_own_a_call_is_noted_among_the_users_caches(
    cached: Caller,
) -> None:
    cached.monkeypatch.delenv("MEDIAHOST_DATA_DIR")
    cached.monkeypatch.setenv("XDG_CACHE_HOME", str(cached.home.folder / "caches"))
    cached.monkeypatch.setenv("XDG_DATA_HOME", str(cached.home.folder / "datas"))
    for _ in range(2):
        cached(*SAY)
        cached.change(HASHED_LONG_AFTER, cached.home.folder / "datas" / "mediahost" / "store.db")
    assert list((cached.home.folder / "caches" / "mediahost" / repeat.FOLDER).glob("*.json"))
    cached(*SAY)
    assert not cached.has_opened()
    cached("--data-dir", str(cached.home.data), *SAY)
    assert cached.has_opened()


def test_whoever_closed_the_streams_hears_nothing(home: "Home") -> None:
    home.tones(1)
    environ = {"MEDIAHOST_PLUGINS": str(PLUGIN)}
    program = home.start(*SAY, environ=environ, prefix=["sh", "-c", 'exec "$0" "$@" >&- 2>&-'])
    assert program.communicate(timeout=60) == ("", "")
    assert program.returncode == 0


def test_interrupted_before_anything_is_loaded_it_says_no_more_than_that(cached: Caller) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    cached.monkeypatch.setattr(mediahost.cli, "_was_repeated", interrupted)
    answer = cached(*SAY)
    assert (answer.code, answer.err) == (130, "")


def test_an_interrupted_look_is_said_as_any_other(cached: Caller) -> None:
    def interrupted(_argv: list[str]) -> Sifted:
        raise KeyboardInterrupt

    cached.monkeypatch.setattr(repeat, "sift_repeat", interrupted)
    answer = cached(*SAY)
    assert answer.code == 130
    assert "Interrupted; what was done is kept" in answer.err
