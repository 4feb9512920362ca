"""What a Dask worker keeps of the media files that it fetched."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mediahost.executor.copies import Copies
from mediahost.executor.exchange import Exchange
from mediahost.hashing import hash_file
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile

Share = Callable[[str], MediaFile]


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """A place in memory."""
    import fsspec  # noqa: PLC0415 - slow

    yield Exchange(f"memory://{uuid.uuid4().hex}")
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def share(exchange: Exchange, tmp_path: Path) -> Share:
    """Hands over a media file of a hundred bytes."""

    def handed_over(name: str) -> MediaFile:
        path = tmp_path / f"{name}.wav"
        path.write_bytes(name.encode() * 100)
        media = MediaFile(path, MediaKind.AUDIO, hash_file(path)[0])
        exchange.share_media(media)
        return media

    return handed_over


def there(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.rglob("*.wav"))


def test_the_copies_that_were_not_used_for_longest_go(
    exchange: Exchange, share: Share, tmp_path: Path
) -> None:
    copies = Copies(tmp_path / "here", 250)
    media = {name: share(name) for name in "abc"}
    for name in "abac":
        with copies.of(media[name], exchange) as path:
            assert path.read_bytes() == name.encode() * 100
    assert there(tmp_path / "here") == ["a", "c"]
    with copies.of(media["b"], exchange) as path:
        assert path.exists()


def test_what_is_read_stays_however_little_room_there_is(
    exchange: Exchange, share: Share, tmp_path: Path
) -> None:
    copies = Copies(tmp_path / "here", 50)
    with ExitStack() as reading:
        paths = [reading.enter_context(copies.of(share(name), exchange)) for name in "ab"]
        with copies.of(share("c"), exchange):
            pass
        assert all(path.exists() for path in paths)
        assert there(tmp_path / "here") == ["a", "b"]
    assert there(tmp_path / "here") == []


def test_a_file_that_both_sides_see_is_no_copy(tmp_path: Path, share: Share) -> None:
    media = share("a")
    with Copies(tmp_path / "here", 0).of(media, Exchange(str(tmp_path / "seen"))) as path:
        assert path == media.path
    assert media.path.exists()
