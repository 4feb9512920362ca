"""Settings: where they come from, which one wins, and what is said when one is wrong."""

import os
from pathlib import Path

import pytest

from mediahost.errors import SettingsError, UnknownName
from mediahost.settings import FILE_NAME, Settings, load_settings, settings_files
from mediahost.trust import TrustedFiles


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, and a user's config folder beside it that is empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    working = tmp_path / "working"
    working.mkdir()
    return working


def write(path: Path, text: str) -> Path:
    """Write a settings file, and trust it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    TrustedFiles().add(path, path.read_bytes())
    return path


def message_of(folder: Path, text: str) -> str:
    write(folder / FILE_NAME, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(folder=folder, environ={})
    return caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "[[watch]]\npath = 5",
        "[[watch]]\npath = true",
        "[[watch]]\npath = []",
        '[[watch]]\npath = "a\\u0000b"',
        "watch = 5",
        'data_dir = "a\\u0000b"',
        "data_dir = 5",
        'plugins = "s3cret"',
        '[plugins]\nllm = "s3cret"',
        '[[pipelines.a.steps]]\naction = "a.b"\nconfig = "s3cret"',
    ],
)
def test_a_wrong_value_is_one_sentence_without_a_secret(folder: Path, text: str) -> None:
    message = message_of(folder, text)
    assert "\n" not in message
    assert "s3cret" not in message


def test_without_files_all_have_defaults(folder: Path) -> None:
    settings = load_settings(folder=folder, environ={})
    assert settings.workers == (os.cpu_count() or 1)
    assert settings.executor == "local"
    assert settings.store_url == str(settings.data_dir / "store.db")


def test_the_working_folder_overrides_the_user_and_the_environment_both(folder: Path) -> None:
    user, working = settings_files(folder)
    write(user, "workers = 2\nattempts = 2\nlease_s = 2")
    write(working, "workers = 3\nattempts = 3")
    settings = load_settings(folder=folder, environ={"MEDIAHOST_WORKERS": "4"})
    assert (settings.workers, settings.attempts, settings.lease_s) == (4, 3, 2)


@pytest.mark.parametrize("text", ["A_*,B", "A_* B", " A_* , B,", "A_*\tB"])
def test_a_list_of_the_environment_has_commas_or_spaces(folder: Path, text: str) -> None:
    settings = load_settings(folder=folder, environ={"MEDIAHOST_WORKER_VARIABLES": text})
    assert settings.worker_variables == ("A_*", "B")
    networks = {"MEDIAHOST_REMOTE_NETWORKS": "10.0.0.0/8,192.168.0.0/16"}
    settings = load_settings(folder=folder, environ=networks)
    assert settings.remote_networks == ("10.0.0.0/8", "192.168.0.0/16")


@pytest.mark.parametrize("text", ["KEY=s3cret", "KEY,s3cret", "KEY s3cret", ""])
def test_what_is_no_name_of_a_variable_is_not_passed_over(folder: Path, text: str) -> None:
    message = message_of(folder, f'worker_variables = ["{text}"]')
    assert "worker_variables" in message
    assert "a name, or a pattern such as AWS_*" in message
    assert "s3cret" not in message


def test_the_command_line_overrides_everything(folder: Path) -> None:
    settings = load_settings(
        folder=folder, environ={"MEDIAHOST_WORKERS": "4"}, overrides={"workers": 5}
    )
    assert settings.workers == 5


def test_pipelines_of_both_files_add_up(folder: Path) -> None:
    user, working = settings_files(folder)
    write(user, '[[pipelines.a.steps]]\naction = "x.a"\n[[pipelines.b.steps]]\naction = "x.b"')
    write(working, '[[pipelines.b.steps]]\naction = "x.c"')
    pipelines = load_settings(folder=folder, environ={}).pipelines
    assert sorted(pipelines) == ["a", "b"]
    assert pipelines["b"].steps[0].action == "x.c"
    assert pipelines["b"].name == "b"


def test_a_named_file_is_read_alone(folder: Path) -> None:
    write(folder / FILE_NAME, "workers = 3")
    other = write(folder / "other.toml", "attempts = 7")
    settings = load_settings(other, folder=folder, environ={})
    assert settings.attempts == 7
    assert settings.workers == (os.cpu_count() or 1)


def test_a_named_file_that_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*nope\.toml"):
        load_settings(folder / "nope.toml", environ={})


@pytest.mark.parametrize("name", ["data_dir", "database_url"])
def test_a_relative_path_counts_from_the_folder_of_its_file(folder: Path, name: str) -> None:
    other = write(folder / "deep" / "other.toml", f'{name} = "here"')
    settings = load_settings(other, environ={}, folder=folder)
    assert str(getattr(settings, name)) == str(folder / "deep" / "here")


def test_a_relative_path_of_the_environment_counts_from_the_working_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    settings = load_settings(environ={"MEDIAHOST_DATA_DIR": "here"})
    assert settings.data_dir == folder / "here"


def test_a_tilde_is_the_home_folder(folder: Path) -> None:
    write(folder / FILE_NAME, 'data_dir = "~/media"')
    home = Path(os.environ["HOME"])
    assert load_settings(folder=folder, environ={}).data_dir == home / "media"


def test_a_tilde_before_what_is_nobodys_name_is_a_tilde(folder: Path) -> None:
    write(folder / FILE_NAME, 'data_dir = "~no-one-of-that-name/media"')
    settings = load_settings(folder=folder, environ={})
    assert settings.data_dir == folder / "~no-one-of-that-name" / "media"


def test_a_url_of_a_database_is_left_as_it_is(folder: Path) -> None:
    write(folder / FILE_NAME, 'database_url = "postgresql://db/media"')
    assert load_settings(folder=folder, environ={}).store_url == "postgresql://db/media"


def test_the_own_variable_beats_the_one_that_others_use_too() -> None:
    both = {"DATABASE_URL": "postgresql://others", "MEDIAHOST_DATABASE_URL": "postgresql://own"}
    assert load_settings(environ=both, folder=Path("/")).database_url == "postgresql://own"
    others = {"DATABASE_URL": "postgresql://others"}
    assert load_settings(environ=others, folder=Path("/")).database_url == "postgresql://others"


def test_an_empty_variable_is_as_if_it_were_not_set(folder: Path) -> None:
    write(folder / FILE_NAME, "workers = 3")
    assert load_settings(folder=folder, environ={"MEDIAHOST_WORKERS": ""}).workers == 3


def test_none_in_the_environment_lifts_a_limit(folder: Path) -> None:
    settings = load_settings(folder=folder, environ={"MEDIAHOST_TIMEOUT_S": "None"})
    assert settings.timeout_s is None


def test_variables_of_plugins_are_left_alone(folder: Path) -> None:
    load_settings(folder=folder, environ={"MEDIAHOST_SPEECH_MODEL_FOLDER": "x"})


def test_a_misspelt_variable_is_named_with_the_right_one() -> None:
    with pytest.raises(SettingsError, match="did you mean MEDIAHOST_WORKERS"):
        load_settings(environ={"MEDIAHOST_WORKER": "3"}, folder=Path("/"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wrokers = 3", "No setting named 'wrokers'; did you mean workers?"),
        ("workers = 0", "workers: it should be greater than or equal to 1, not 0"),
        ('workers = "many"', "workers: it should be a valid integer, not 'many'"),
        ("timeout_s = nan", "timeout_s: it should be a finite number"),
        ("[pipelines.a]\nstep = []", "pipelines.a: No setting named 'step'; did you mean steps?"),
        ("[pipelines.a]\ndescription = 'x'", "pipelines.a.steps: it is missing"),
        (
            '[[pipelines.a.steps]]\naction = "x.a"\n[[pipelines.a.steps]]\nacton = "x.b"',
            "pipelines.a.steps[2]: No setting named 'acton'; did you mean action?",
        ),
        (
            '[[pipelines.a.steps]]\naction = "x.a"\nafter = "x.b"',
            "pipelines.a: step 'x.a' follows 'x.b', which is no step of it",
        ),
        ("pipelines = 3", "pipelines: it should be a valid dictionary, not 3"),
        ("pipelines.a = 3", "pipelines.a: it should be a valid dictionary"),
        ("workers = [", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_its_file(
    folder: Path, text: str, message: str
) -> None:
    said = message_of(folder, text)
    assert message in said
    assert FILE_NAME in said


def test_bytes_that_are_no_text_are_no_traceback(folder: Path) -> None:
    (folder / FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings(folder=folder, environ={})


def test_a_folder_in_place_of_the_file_is_no_traceback(folder: Path) -> None:
    (folder / FILE_NAME).mkdir()
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings(folder=folder, environ={})


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="MEDIAHOST_WORKERS of the environment"):
        load_settings(environ={"MEDIAHOST_WORKERS": "x"}, folder=Path("/"))


def test_a_password_is_never_shown(folder: Path) -> None:
    url = "postgresql://me:hunter2@db/media"
    assert "hunter2" not in repr(Settings(database_url=url))
    assert "hunter2" not in message_of(folder, f'database_url = ["{url}"]')
    assert "hunter2" not in message_of(folder, f'database_url = "{url}"\nworkers = 0')


def test_an_unknown_pipeline_is_named_with_those_there_are(folder: Path) -> None:
    write(folder / FILE_NAME, '[[pipelines.talks.steps]]\naction = "x.a"')
    with pytest.raises(UnknownName, match="did you mean talks"):
        load_settings(folder=folder, environ={}).pipeline("talk")


def test_shipped_pipelines_need_no_settings(folder: Path) -> None:
    assert set(Settings().all_pipelines) == {"podcast", "film", "lecture", "papers", "photos"}
    assert Settings().pipeline("photos").steps[0].action == "images.info"
    with pytest.raises(UnknownName, match="did you mean film") as caught:
        Settings().pipeline("films")
    assert "Write one into mediahost.toml. See: mediahost docs settings" in (
        caught.value.hint or ""
    )
    write(folder / FILE_NAME, '[[pipelines.film.steps]]\naction = "x.a"')
    settings = load_settings(folder=folder, environ={})
    assert settings.pipeline("film").steps[0].action == "x.a"
    assert settings.all_pipelines["film"] == settings.pipelines["film"]
