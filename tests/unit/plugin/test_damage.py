"""What a file is, where no decoder takes it: one sentence, without a decoder's words."""

from pathlib import Path

import pytest

from mediahost import unreadable

MP4 = b"\0\0\0\x18ftypisom" + bytes(12)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("film.mp4", b"This is a letter.\n", "film.mp4 is text, not an MP4 film"),
        ("film.mkv", "Привет, мир".encode() * 400, "film.mkv is text, not a Matroska film"),
        ("film.mp4", b" <!DOCTYPE html><p>", "film.mp4 is an HTML page, not an MP4 film"),
        ("film.mp4", b"\x1a\x45\xdf\xa3", "film.mp4 is a Matroska or WebM film, not an MP4 film"),
        ("song.mp3", b"RIFF\0\0\0\0WAVE", "song.mp3 is a WAV recording, not an MP3 recording"),
        ("photo.jpg", b"\x89PNG\r\n", "photo.jpg is a PNG picture, not a JPEG picture"),
        ("paper.pdf", b"PK\3\4\xff\xff", "paper.pdf is a ZIP archive, not a PDF document"),
        ("film.mp4", bytes(9000), "film.mp4 holds only zeros, no MP4 film"),
        ("film.mp4", b"\xfe\x01\x02\x93", "film.mp4 is damaged, or not an MP4 film"),
        ("photo.jpg", b"\xff\xd8\xff\xe0", "photo.jpg is a damaged JPEG picture"),
        ("film.xyz", b"\xfe\x01\x02\x93", "film.xyz is damaged, or not a media file"),
        ("a\x1b[31m.mp4", b"text", "a\\x1b[31m.mp4 is text, not an MP4 film"),
    ],
)
def test_a_file_is_called_what_it_is(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    error = unreadable(path)

    assert error.message == message
    assert error.hint


def test_an_mp4_without_its_index_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(MP4 + (5000).to_bytes(4, "big") + b"mdat" + bytes(100))
    assert unreadable(path).message.startswith("film.mp4 was cut off: it lacks the index")

    path.write_bytes(MP4 + b"\0\0\0\x10moov" + bytes(8))
    assert unreadable(path).message == "film.mp4 is a damaged MP4 film"


def test_a_file_that_is_gone_still_has_a_sentence(tmp_path: Path) -> None:
    assert unreadable(tmp_path / "gone.mp4").message == "gone.mp4 is damaged, or not an MP4 film"
