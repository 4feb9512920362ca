"""Media files, their kinds, and paths as text."""

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediahost import MediaFile, MediaInfo, MediaKind, MediaStream
from mediahost.model.kinds import kind_of, mime_type_of
from mediahost.model.paths import display, path_to_url, url_to_path

# Any bytes but NUL and the separator make a file name.
names = st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"x").replace(b"/", b"y"))


@given(names, st.sampled_from([b"", b"/", b"/folder/", b"file:", b"file:/", b"file://"]))
def test_every_path_survives_as_text(name: bytes, folder: bytes) -> None:
    path = os.fsdecode(folder + name)
    url = path_to_url(path)
    url.encode()  # any database takes it
    assert json.loads(json.dumps(url)) == url
    assert url_to_path(url) == path


def test_an_ordinary_path_is_its_own_text() -> None:
    assert path_to_url(Path("/films/Über 50%.mp4")) == "/films/Über 50%.mp4"


def test_a_path_that_is_not_utf8_becomes_a_url() -> None:
    assert path_to_url(os.fsdecode(b"/films/\xff.mp4")) == "file:///films/%FF.mp4"


@given(names)
def test_a_media_file_crosses_a_process_as_plain_values(name: bytes) -> None:
    media = MediaFile(Path("/f") / os.fsdecode(name + b".wav"), MediaKind.AUDIO, "blake3:0")
    assert MediaFile.from_json(json.loads(json.dumps(media.to_json()))) == media


@pytest.mark.parametrize(
    ("name", "kind", "mime"),
    [
        ("a.mp4", MediaKind.VIDEO, "video/mp4"),
        ("A.MP3", MediaKind.AUDIO, "audio/mpeg"),
        ("a.b.jpeg", MediaKind.IMAGE, "image/jpeg"),
        ("/x.d/paper.pdf", MediaKind.DOCUMENT, "application/pdf"),
        ("notes.txt", None, "application/octet-stream"),
        (".mp4", None, "application/octet-stream"),
        ("mp4", None, "application/octet-stream"),
        ("", None, "application/octet-stream"),
    ],
)
def test_the_suffix_tells_kind_and_type(name: str, kind: MediaKind | None, mime: str) -> None:
    assert kind_of(name) == kind
    assert mime_type_of(name) == mime


@given(st.text("a./mp4", max_size=12) | names.map(os.fsdecode))
def test_the_suffix_is_the_one_that_the_standard_library_finds(name: str) -> None:
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 - the reference is that of os.path
    assert kind_of(name) == kind_of(f"x{suffix}")


def test_a_file_of_no_known_kind_is_refused_without_harm_to_the_terminal() -> None:
    with pytest.raises(ValueError, match=r"^a\\x1b\[2J is not a media file"):
        MediaFile.at("a\x1b[2J")


@given(st.text() | names.map(os.fsdecode))
def test_whatever_is_displayed_is_printable(text: str) -> None:
    shown = display(text)
    shown.encode()
    assert shown.isprintable()


def test_plain_text_is_displayed_as_it_is() -> None:
    assert display("Käse & 寿司 50%.mp4") == "Käse & 寿司 50%.mp4"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\udcff", "\\udcff"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_what_could_deceive_is_displayed_escaped(text: str, shown: str) -> None:
    assert display(text) == shown


def test_the_first_stream_of_a_type_is_found() -> None:
    streams = (
        MediaStream(index=0, type="video"),
        MediaStream(index=1, type="audio", language="de"),
        MediaStream(index=2, type="audio", language="en"),
    )
    info = MediaInfo(duration=1, streams=streams)
    assert info.first("audio") == streams[1]
    assert info.first("subtitle") is None


def test_a_media_file_is_known_by_its_path_however_it_was_made() -> None:
    known = MediaFile.known_by("/media/a.wav", MediaKind.AUDIO, None)

    assert known == MediaFile.at("/media/a.wav")
    assert known.source == "/media/a.wav"
    assert replace(known, path=Path("/media/b.wav")).source == "/media/b.wav"
    assert MediaFile.known_by("file:///media/a.wav", MediaKind.AUDIO, None).source == known.source


def test_a_file_known_by_its_source_is_the_one_at_its_path() -> None:
    known = MediaFile.known_by("/media/a.mp4", MediaKind.VIDEO, "blake3:00")
    at_path = MediaFile(Path("/media/a.mp4"), MediaKind.VIDEO, "blake3:00")
    assert (known.source, known.path_text) == ("/media/a.mp4", "/media/a.mp4")
    assert pickle.loads(pickle.dumps(known)) == known == at_path  # noqa: S301 - our own
    assert hash(known) == hash(at_path)
    assert known.path is known.path
    assert replace(known, file_hash=None).path == Path("/media/a.mp4")
    assert repr(MediaFile.known_by("/media/a.mp4", MediaKind.VIDEO, "blake3:00")) == repr(at_path)


def test_a_misspelled_attribute_of_a_file_is_an_error() -> None:
    known = MediaFile.known_by("/media/a.mp4", MediaKind.VIDEO, None)
    with pytest.raises(AttributeError, match="'MediaFile' object has no attribute 'paht'"):
        known.paht  # type: ignore[attr-defined]  # noqa: B018 - that is the test
