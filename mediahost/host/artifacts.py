"""Artifacts: from an attempt's staging folder to where they stay."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from mediahost.errors import PluginError
from mediahost.host.naming import stored_name
from mediahost.model.job import Token
from mediahost.model.paths import display
from mediahost.model.result import Artifact, MediaProcessingResult
from mediahost.partfile import rename_new

ARTIFACTS = "artifacts"
STAGING = "staging"
LOGS = "logs"


class ArtifactFolder:
    """The folders that attempts write to, and those that their artifacts end in.

    An attempt writes under `staging/<host>/<job>.<attempt>/`. When it is done the whole folder is
    renamed to `artifacts/<jo>/<job>.<attempt>/`, in one step, before the store learns of it.
    """

    def __init__(self, data_dir: Path, host: str) -> None:
        self._artifacts = data_dir / ARTIFACTS
        self._data_dir = data_dir
        self._all_staging = data_dir / STAGING
        self._staging = self._all_staging / host.replace("/", "+")
        # As text: of each attempt's paths most are never opened.
        self._staging_text = str(self._staging)
        self._logs_text = str(data_dir / LOGS)

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where nobody's media files are, only what was made of them."""
        return self._artifacts, self._all_staging

    def open(self, is_gone: Callable[[str], bool]) -> None:
        """Make the folders, and sweep away what hosts that are gone left half-done."""
        # Parents that are made on the way would get what the umask leaves.
        for folder in (self._artifacts, self._data_dir / LOGS, self._all_staging, self._staging):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._all_staging.iterdir():
            if left != self._staging and is_gone(left.name.replace("+", "/")):
                shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        """Remove this host's staging."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def stage(self, token: Token) -> tuple[str, str]:
        """Where an attempt makes a folder to write to, if it has anything to write; and its log.

        What an earlier attempt of the same job may have kept without its commit is removed: the
        claim of this attempt voided it.
        """
        for earlier in range(1, token.attempt):
            kept = self._kept(Token(token.job_id, earlier))
            _remove(kept)
            _remove(_copying(kept))
        name = _name(token)
        return f"{self._staging_text}/{name}", f"{self._logs_text}/{name}.log"

    def unstage(self, tokens: Collection[Token]) -> None:
        """Remove what attempts wrote and did not keep."""
        try:
            # One look for all of them: nearly every attempt writes nothing.
            left = {entry.name for entry in os.scandir(self._staging_text)}
        except FileNotFoundError:
            return
        for token in tokens if left else ():
            if (name := _name(token)) in left:
                shutil.rmtree(f"{self._staging_text}/{name}", ignore_errors=True)

    def keep(
        self, token: Token, result: MediaProcessingResult, stem: str = ""
    ) -> MediaProcessingResult:
        """Move an attempt's artifacts to where they stay, on the disk before this returns.

        What else the attempt wrote is removed.

        Args:
            token: The attempt.
            result: What it gave.
            stem: The name of its media file without the suffix, which goes from their names: they
                may be given for files that are called otherwise.

        Raises:
            PluginError: One is not a file that the attempt wrote.
            OSError: They can't be moved.
        """
        staged, kept = self._staging / _name(token), self._kept(token)
        names = [_name_in(staged, artifact) for artifact in result.artifacts]
        if not kept.parent.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync_folder(kept.parent.parent)
        _keep_only({staged / name for name in names}, staged)
        names = _renamed(staged, names, stem)
        _move(staged, kept)
        _sync_folder(kept.parent)
        artifacts = tuple(
            artifact.model_copy(update={"path": kept / name})
            for artifact, name in zip(result.artifacts, names, strict=True)
        )
        return result.model_copy(update={"artifacts": artifacts})

    def discard(self, token: Token) -> None:
        """Remove what an attempt kept: somebody else owns the job."""
        shutil.rmtree(self._kept(token), ignore_errors=True)

    def _kept(self, token: Token) -> Path:
        # The last two digits of the id are random, the first ones are the time: 256 even folders.
        return self._artifacts / str(token.job_id)[-2:] / _name(token)


def _renamed(staged: Path, names: Sequence[Path], stem: str) -> list[Path]:
    """Give artifacts names that hold nothing of their media file's; where they are then."""
    new = [name.with_name(stored_name(name.name, stem)) for name in names]
    if len(set(new)) < len(new):
        return list(names)
    for name, wanted in zip(names, new, strict=True):
        if name != wanted:
            rename_new(staged / name, staged / wanted)
            _sync_folder((staged / wanted).parent)
    return new


def _move(staged: Path, kept: Path) -> None:
    try:
        staged.rename(kept)
    except OSError as error:
        if error.errno == errno.EXDEV:
            # The artifacts are on another drive: a copy there takes the name in one step.
            copy = _copying(kept)
            _remove(copy)
            shutil.copytree(staged, copy, symlinks=True)
            _sync_all(copy)
            _move(copy, kept)
            shutil.rmtree(staged, ignore_errors=True)
            return
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise
        # A power cut undid the claim of somebody who had this token before, and no commit.
        shutil.rmtree(kept)
        _move(staged, kept)


def _copying(kept: Path) -> Path:
    return kept.with_name(f".{kept.name}.copying")


def _sync_all(folder: Path) -> None:
    for at, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync_folder(Path(at, name))
        _sync_folder(Path(at))


def _name_in(staged: Path, artifact: Artifact) -> Path:
    """Where an artifact is in an attempt's folder, whatever the worker said of it.

    Raises:
        PluginError: It is not there, is no plain file or has another size.
        OSError: It can't be looked at.
    """
    folder = staged.resolve()
    path = artifact.path
    if not path.is_relative_to(folder) or ".." in path.parts or path == folder:
        raise PluginError(f"The artifact {display(path)} is outside the attempt's folder")
    # A link anywhere on the way leads elsewhere.
    if path.resolve() != path or not stat.S_ISREG((status := path.lstat()).st_mode):
        raise PluginError(f"The artifact {display(path.name)} is no plain file")
    if status.st_nlink > 1:
        raise PluginError(f"The artifact {display(path.name)} is a file of somebody else's too")
    if artifact.size not in (None, status.st_size):
        raise PluginError(f"The artifact {display(path.name)} is not of the size that it was said")
    return path.relative_to(folder)


def _remove(folder: Path) -> None:
    if os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)


def log_path(data_dir: Path, token: Token) -> Path:
    """Where an attempt's log is."""
    return data_dir / LOGS / f"{_name(token)}.log"


def _name(token: Token) -> str:
    return f"{token.job_id}.{token.attempt}"


def _keep_only(files: Collection[Path], folder: Path) -> None:
    """Remove all other files below the folder, and sync what is left of its folders."""
    for at, folders, names in os.walk(folder, topdown=False):
        for name in names:
            if (path := Path(at, name)) not in files:
                path.unlink()
        for name in folders:
            path = Path(at, name)
            if path.is_symlink():
                path.unlink()
            elif not any(path.iterdir()):
                path.rmdir()
        if any(Path(at).iterdir()):
            _sync_folder(Path(at))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
