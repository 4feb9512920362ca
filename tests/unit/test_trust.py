"""Trust: what a stranger's settings file may say, and how a person vouches for one."""

import os
from pathlib import Path

import pytest

from mediahost.errors import SettingsError
from mediahost.settings import FILE_NAME, Settings, load_settings
from mediahost.trust import HARMLESS, TrustedFiles, UntrustedSettings, parts_to_trust

PIPELINE = '[[pipelines.talks.steps]]\naction = "x.a"\nconfig = { format = "mp3" }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stranger's folder, and a person's config folder beside it that is empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    strange = tmp_path / "strange"
    strange.mkdir()
    return strange


def own(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config" / "mediahost" / FILE_NAME
    file.parent.mkdir(parents=True)
    file.write_text(text)


def parts_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(UntrustedSettings) as caught:
        load_settings(folder=folder, environ={})
    return caught.value.parts


def test_pipelines_and_what_the_tui_looks_like_need_no_trust(folder: Path) -> None:
    (folder / FILE_NAME).write_text(
        'tui_pictures = "off"\n[tui_filters]\nbad = "state:failed"\n' + PIPELINE
    )
    settings = load_settings(folder=folder, environ={})
    assert settings.tui_pictures == "off"
    assert settings.pipelines["talks"].steps[0].config == {"format": "mp3"}


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - HARMLESS))
def test_every_other_setting_does(folder: Path, name: str) -> None:
    (folder / FILE_NAME).write_text(f'"{name}" = 1\n')
    assert parts_of(folder) == (name,)


def test_so_does_a_setting_that_only_a_later_mediahost_knows(folder: Path) -> None:
    (folder / FILE_NAME).write_text('tui_opener = "rm"\nstartup_command = "rm"\n')
    assert parts_of(folder) == ("tui_opener", "startup_command")


@pytest.mark.parametrize(
    "config",
    [
        'base_url = "https://evil.example"',
        'baseUrl = "evil.example"',
        'BASE_URL = "evil.example"',
        'endpoint = "evil.example:80"',
        'api_key = "sk-1"',
        'token = "${OPENAI_API_KEY}"',
        'text = "hello ${OPENAI_API_KEY}"',
        'text = "hello $OPENAI_API_KEY"',
        'where = "https://evil.example/v1"',
        'where = " S3+x://evil"',
        'options = { deep = [{ proxy = "evil.example" }] }',
        'options = { deep = ["a", "ftp://evil.example"] }',
    ],
)
def test_a_step_that_names_another_place_or_a_secret_needs_trust(folder: Path, config: str) -> None:
    (folder / FILE_NAME).write_text(
        f'[[pipelines.t.steps]]\naction = "llm.summarize"\nconfig = {{ {config} }}\n'
    )
    (part,) = parts_of(folder)
    assert part.startswith("pipelines.t.steps[1].config.")


def test_a_step_may_have_words_that_only_look_alike() -> None:
    config = {
        "key_points": 3,
        "max_input_tokens": 5,
        "keyframes": True,
        "prompt": "What does it cost, in $? See example.org: 5://6",
    }
    step = {"action": "llm.summarize", "config": config}
    assert parts_to_trust({"pipelines": {"t": {"steps": [step]}}}, ()) == []


def test_a_pipeline_that_a_command_of_the_person_means_is_not_replaced(
    folder: Path, tmp_path: Path
) -> None:
    own(tmp_path, PIPELINE)
    strange = PIPELINE + '[[pipelines.film.steps]]\naction = "x.a"\n'
    (folder / FILE_NAME).write_text(strange)
    assert parts_of(folder) == ("pipelines.talks", "pipelines.film")  # film is a shipped one


def test_a_trusted_file_counts_until_it_is_changed_moved_or_no_longer_trusted(
    folder: Path, tmp_path: Path
) -> None:
    file = folder / FILE_NAME
    file.write_text("workers = 3")
    TrustedFiles().add(file, file.read_bytes())
    assert load_settings(folder=folder, environ={}).workers == 3
    file.write_text("workers = 4")
    assert parts_of(folder) == ("workers",)
    file.write_text("workers = 3")
    assert load_settings(folder=folder, environ={}).workers == 3
    other = tmp_path / "other"
    other.mkdir()
    (other / FILE_NAME).write_text("workers = 3")
    assert parts_of(other) == ("workers",)
    assert TrustedFiles().remove(file)
    assert parts_of(folder) == ("workers",)
    assert not TrustedFiles().remove(file)


def test_trust_in_what_a_file_held_before_ends_with_trust_in_what_it_holds(folder: Path) -> None:
    file = folder / FILE_NAME
    for text in (b"workers = 3", b"workers = 4"):
        TrustedFiles().add(file, text)
    assert not TrustedFiles().has(file, b"workers = 3")
    assert TrustedFiles().has(file, b"workers = 4")
    assert TrustedFiles().paths() == [file]


def test_files_that_the_person_names_or_owns_need_no_trust(folder: Path, tmp_path: Path) -> None:
    own(tmp_path, "workers = 3")
    assert load_settings(folder=folder, environ={}).workers == 3
    assert load_settings(folder=tmp_path / "config" / "mediahost", environ={}).workers == 3
    named = folder / FILE_NAME
    named.write_text("workers = 5")
    assert load_settings(named, environ={}).workers == 5
    assert load_settings(folder=tmp_path, environ={"MEDIAHOST_WORKERS": "6"}).workers == 6


def test_the_config_folder_s_own_watches_are_read_once_there(tmp_path: Path, folder: Path) -> None:
    own(tmp_path, '[[watch]]\npath = "in"\nsteps = [{ action = "x.a" }]')
    assert folder.exists()
    settings = load_settings(folder=tmp_path / "config" / "mediahost", environ={})
    assert len(settings.watch) == 1


def test_neither_a_pipe_nor_a_device_in_a_stranger_s_folder_is_waited_for(folder: Path) -> None:
    os.mkfifo(folder / FILE_NAME)
    with pytest.raises(SettingsError, match="it is no file"):
        load_settings(folder=folder, environ={})
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).symlink_to("/dev/zero")
    with pytest.raises(SettingsError, match="it is no file"):
        load_settings(folder=folder, environ={})


@pytest.mark.parametrize(
    ("text", "said"), [("x = 1 #" + "x" * (5 << 20), "MiB"), ("x = " + "[" * 99_999, "deeply")]
)
def test_a_file_that_no_person_writes_is_refused_in_a_sentence(
    folder: Path, text: str, said: str
) -> None:
    (folder / FILE_NAME).write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_settings(folder=folder, environ={})
