"""Files by other URLs: a file system in memory, and one over S3."""

import uuid
from collections.abc import Iterator
from typing import Any

import fsspec
import pytest

from mediahost.errors import InvalidMedia, TransientError, UsageError
from mediahost.hashing import hash_bytes
from mediahost.remote.allowed import NotAllowed


@pytest.fixture
def memory() -> Iterator[Any]:
    """The file system in memory, empty."""
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def test_a_file_in_memory_is_fetched_once_while_it_is_the_same(memory: Any, cache: Any) -> None:
    memory.pipe("/m/tone.wav", b"RIFF one")
    fetch = cache("memory://m").fetch
    first = fetch("memory://m/tone.wav", "blake3")
    assert first.path.read_bytes() == b"RIFF one"
    assert first.file_hash == hash_bytes(b"RIFF one")
    assert fetch("memory://m/tone.wav", "blake3") == first
    memory.pipe("/m/tone.wav", b"RIFF two")
    assert fetch("memory://m/tone.wav", "blake3").path.read_bytes() == b"RIFF two"


def test_a_folder_is_all_the_files_below_it(memory: Any, cache: Any) -> None:
    for name in ("a.wav", "deep/b.wav"):
        memory.pipe(f"/m/{name}", b"RIFF")
    urls = cache("memory://m").files("memory://m")
    assert urls == ["memory://m/a.wav", "memory://m/deep/b.wav"]
    for url in urls:
        assert cache("memory://m").fetch(url, "blake3").path.read_bytes() == b"RIFF"


def test_a_file_that_is_not_there_is_said_so(memory: Any, cache: Any) -> None:
    with pytest.raises(InvalidMedia, match=r"There is no memory://m/no\.wav"):
        cache("memory://m").fetch("memory://m/no.wav", "blake3")


def test_a_file_that_is_too_large_is_not_even_begun(memory: Any, cache: Any) -> None:
    memory.pipe("/m/tone.wav", bytes(2000))
    with pytest.raises(InvalidMedia, match="2,000 bytes; 1,000 are the limit"):
        cache("memory://m", max_bytes=1000).fetch("memory://m/tone.wav", "blake3")


def test_a_file_that_changes_while_it_is_read_is_no_version_of_it(
    memory: Any, cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/m/tone.wav", b"RIFF one")
    opened = type(memory).open

    def open_and_change(self: Any, path: str, mode: str, **more: Any) -> Any:
        file = opened(self, path, mode, **more)
        if mode == "rb":
            self.pipe("/m/tone.wav", b"RIFF two")
        return file

    monkeypatch.setattr(type(memory), "open", open_and_change)
    with pytest.raises(TransientError, match="changed while it was fetched"):
        cache("memory://m").fetch("memory://m/tone.wav", "blake3")


@pytest.mark.parametrize(
    "url", ["memory://other/tone.wav", "local:///etc/passwd", "simplecache::memory://m/tone.wav"]
)
def test_what_is_not_allowed_is_not_opened(memory: Any, cache: Any, url: str) -> None:
    with pytest.raises(NotAllowed):
        cache("memory://m").fetch(url, "blake3")


def test_a_scheme_that_nobody_knows_is_an_error_in_words(cache: Any) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        cache("nosuch://m").fetch("nosuch://m/tone.wav", "blake3")


def test_a_file_over_s3_is_fetched_once_while_it_is_the_same(s3: Any, cache: Any) -> None:
    key = f"media/{uuid.uuid4().hex}/tone.wav"
    s3.files.pipe(key, b"RIFF one")
    fetch = cache("s3://media", s3=s3.options).fetch
    first = fetch(f"s3://{key}", "blake3")
    assert first.path.read_bytes() == b"RIFF one"
    written = first.path.stat().st_mtime_ns
    assert fetch(f"s3://{key}", "blake3") == first
    assert first.path.stat().st_mtime_ns == written
    s3.files.pipe(key, b"RIFF two")
    assert fetch(f"s3://{key}", "blake3").path.read_bytes() == b"RIFF two"


def test_a_folder_over_s3_is_all_the_files_below_it(s3: Any, cache: Any) -> None:
    folder = f"media/{uuid.uuid4().hex}"
    for name in ("a.wav", "deep/b.wav"):
        s3.files.pipe(f"{folder}/{name}", b"RIFF")
    urls = cache("s3://media", s3=s3.options).files(f"s3://{folder}")
    assert urls == [f"s3://{folder}/a.wav", f"s3://{folder}/deep/b.wav"]


def test_a_bucket_that_is_not_allowed_is_not_asked(s3: Any, cache: Any) -> None:
    with pytest.raises(NotAllowed, match="s3://secrets"):
        cache("s3://media", s3=s3.options).fetch("s3://secrets/a.wav", "blake3")
