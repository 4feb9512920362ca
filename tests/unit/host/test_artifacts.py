import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mediahost import Artifact, Context, MediaProcessingResult
from mediahost.errors import PluginError
from mediahost.host.artifacts import ArtifactFolder
from mediahost.model.job import Token, new_job_id

TOKEN = Token(new_job_id(), 1)


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    folder = ArtifactFolder(tmp_path, "me/1")
    folder.open(lambda _host: False)
    return folder


def made(*paths: Path) -> MediaProcessingResult:
    artifacts = tuple(Artifact(path=path.resolve(), asset_type="audio") for path in paths)
    return MediaProcessingResult(artifacts=artifacts)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def staged(folder: ArtifactFolder) -> Path:
    """A stage as an action finds it that asked for its workdir."""
    return Context(folder.stage(TOKEN)[0]).workdir


def test_only_artifacts_are_kept(folder: ArtifactFolder, tmp_path: Path) -> None:
    workdir = staged(folder)
    for name in ("a.wav", "parts/b.wav", "parts/scratch.tmp", "cache/deep/c.tmp"):
        (workdir / name).parent.mkdir(parents=True, exist_ok=True)
        (workdir / name).write_text(name)
    (workdir / "link").symlink_to(tmp_path)

    result = folder.keep(TOKEN, made(workdir / "a.wav", workdir / "parts" / "b.wav"))

    paths = [artifact.path for artifact in result.artifacts]
    assert [path.read_text() for path in paths] == ["a.wav", "parts/b.wav"]
    assert files_below(paths[0].parent) == {"a.wav", "parts", "parts/b.wav"}
    assert not workdir.exists()
    assert tmp_path.exists()


def test_what_an_earlier_attempt_kept_without_a_commit_is_removed(folder: ArtifactFolder) -> None:
    workdir = staged(folder)
    (workdir / "a.wav").touch()
    (artifact,) = folder.keep(TOKEN, made(workdir / "a.wav")).artifacts

    folder.stage(Token(TOKEN.job_id, 2))

    assert not artifact.path.exists()


def test_what_was_kept_under_a_token_that_a_power_cut_gave_back_is_replaced(
    folder: ArtifactFolder,
) -> None:
    for name in ("old.wav", "new.wav"):
        workdir = staged(folder)
        (workdir / name).touch()
        (artifact,) = folder.keep(TOKEN, made(workdir / name)).artifacts
    assert files_below(artifact.path.parent) == {"new.wav"}


def outside(workdir: Path, tmp_path: Path) -> Artifact:
    return Artifact(path=tmp_path / "mine.wav", asset_type="audio")


def upwards(workdir: Path, tmp_path: Path) -> Artifact:
    return Artifact(path=workdir.resolve() / ".." / ".." / ".." / "mine.wav", asset_type="audio")


def by_a_link(workdir: Path, tmp_path: Path) -> Artifact:
    (workdir / "link.wav").symlink_to(tmp_path / "mine.wav")
    return Artifact(path=workdir.resolve() / "link.wav", asset_type="audio")


def by_a_linked_folder(workdir: Path, tmp_path: Path) -> Artifact:
    (workdir / "folder").symlink_to(tmp_path)
    return Artifact(path=workdir.resolve() / "folder" / "mine.wav", asset_type="audio")


def by_a_hard_link(workdir: Path, tmp_path: Path) -> Artifact:
    (workdir / "hard.wav").hardlink_to(tmp_path / "mine.wav")
    return Artifact(path=workdir.resolve() / "hard.wav", asset_type="audio")


def a_folder(workdir: Path, tmp_path: Path) -> Artifact:
    (workdir / "folder").mkdir()
    return Artifact(path=workdir.resolve() / "folder", asset_type="audio")


def of_another_size(workdir: Path, tmp_path: Path) -> Artifact:
    (workdir / "a.wav").write_text("four")
    return Artifact(path=workdir.resolve() / "a.wav", asset_type="audio", size=5)


@pytest.mark.parametrize(
    "lie",
    [outside, upwards, by_a_link, by_a_linked_folder, by_a_hard_link, a_folder, of_another_size],
)
def test_a_worker_is_not_believed_where_its_artifacts_are(
    folder: ArtifactFolder, tmp_path: Path, lie: Callable[[Path, Path], Artifact]
) -> None:
    mine = tmp_path / "mine.wav"
    mine.write_text("mine")
    result = MediaProcessingResult(artifacts=(lie(staged(folder), tmp_path),))
    with pytest.raises(PluginError, match="The artifact "):
        folder.keep(TOKEN, result)
    assert mine.read_text() == "mine"


def test_a_stage_is_empty_and_discards_and_unstages(folder: ArtifactFolder) -> None:
    workdir = staged(folder)
    assert list(workdir.iterdir()) == []

    (workdir / "a.wav").touch()
    (artifact,) = folder.keep(TOKEN, made(workdir / "a.wav")).artifacts
    folder.discard(TOKEN)
    assert not artifact.path.exists()

    workdir = staged(folder)
    other = Path(folder.stage(Token(TOKEN.job_id, 2))[0])
    other.mkdir()
    folder.unstage([TOKEN])
    folder.unstage([TOKEN])
    assert not workdir.exists()
    assert other.exists()


def test_only_the_staging_of_hosts_that_are_gone_is_swept(tmp_path: Path) -> None:
    for host in ("gone/1", "there/2"):
        ArtifactFolder(tmp_path, host).open(lambda _host: False)

    ArtifactFolder(tmp_path, "me/3").open(lambda host: host == "gone/1")

    assert files_below(tmp_path / "staging") == {"there+2", "me+3"}


def test_artifacts_have_nothing_of_their_media_files_name(folder: ArtifactFolder) -> None:
    workdir = staged(folder)
    (workdir / "parts").mkdir()
    for name in ("talk.wav", "parts/talk-1.wav", "notes.txt"):
        (workdir / name).write_text(name)
    result = folder.keep(
        TOKEN,
        made(*(workdir / one for one in ("talk.wav", "parts/talk-1.wav", "notes.txt"))),
        "talk",
    )
    assert [artifact.path.name for artifact in result.artifacts] == [
        "artifact.wav",
        "artifact-1.wav",
        "notes.txt",
    ]
    assert [artifact.path.read_text() for artifact in result.artifacts] == [
        "talk.wav",
        "parts/talk-1.wav",
        "notes.txt",
    ]


def test_artifacts_may_be_on_another_drive(tmp_path: Path) -> None:
    shm = Path("/dev/shm")  # noqa: S108 - another file system on every Linux
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=shm) as drive:
        (tmp_path / "artifacts").symlink_to(drive)
        folder = ArtifactFolder(tmp_path, "me/1")
        folder.open(lambda _host: False)
        workdir = staged(folder)
        (workdir / "parts").mkdir()
        (workdir / "parts" / "a.wav").write_text("sound")
        (artifact,) = folder.keep(TOKEN, made(workdir / "parts" / "a.wav")).artifacts
        assert artifact.path.read_text() == "sound"
        assert not workdir.exists()
        assert files_below(artifact.path.parent.parent.parent) == {
            artifact.path.parent.parent.name,
            f"{artifact.path.parent.parent.name}/parts",
            f"{artifact.path.parent.parent.name}/parts/a.wav",
        }
        folder.stage(Token(TOKEN.job_id, 2))
        assert not artifact.path.exists()
