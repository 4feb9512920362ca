"""Formats that a stranger's file may not be read as."""

from pathlib import Path

import av
import pytest
from av.error import FFmpegError

from mediahost.plugin.demuxers import NOT_MEDIA, trusted_formats

FOREIGN = ("concat", "dash", "hls", "imf", "image2", "lavfi", "rtp", "rtsp", "sdp", "tty", "vobsub")
DEVICES = ("alsa", "fbdev", "kmsgrab", "oss", "v4l2", "video4linux2", "x11grab")
MEDIA = ("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mp3", "flac", "ogg", "png_pipe", "srt")
TRUSTED = trusted_formats(av.formats_available).split(",")


@pytest.mark.parametrize(
    "name",
    [
        "concat",
        "dash",
        "hls",
        "imf",
        "image2",
        "lavfi",
        "rtp",
        "rtsp",
        "sap",
        "sdp",
        "tty",
        "vobsub",
        "alsa",
        "fbdev",
        "kmsgrab",
        "oss",
        "v4l2",
        "video4linux2",
        "x11grab",
        "ffmetadata",
    ],
)
def test_what_names_other_files_machines_or_devices_is_no_media(name: str) -> None:
    assert name not in TRUSTED
    assert name in NOT_MEDIA


@pytest.mark.parametrize(
    "name",
    [
        "mov",
        "mp4",
        "matroska",
        "webm",
        "avi",
        "mpegts",
        "mp3",
        "flac",
        "ogg",
        "wav",
        "jpeg_pipe",
        "png_pipe",
        "srt",
    ],
)
def test_media_is_media(name: str) -> None:
    assert name in TRUSTED


def test_a_format_of_several_names_is_refused_by_any_of_them() -> None:
    assert trusted_formats({"mov,mp4", "other,v4l2", "wav"}) == "mov,mp4,wav"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("film%d.jpg", b"no picture at all"),
        ("film.idx", b"# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\n"),
        ("film.txt", b"ffconcat version 1.0\nfile film1.jpg\n"),
        ("film.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm1.jpg\n"),
        ("film.sdp", b"v=0\no=- 0 0 IN IP4 ::1\ns=x\nc=IN IP6 ::1\nm=video 9 RTP/AVP 96\n"),
    ],
)
def test_a_file_that_names_its_neighbours_is_not_opened(
    tmp_path: Path, name: str, text: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(text)
    picture = Path(__file__).parents[3] / "examples" / "media" / "railway.jpg"
    (tmp_path / "film1.jpg").write_bytes(picture.read_bytes())
    (tmp_path / "film.sub").write_bytes(bytes(4096))
    options = {"format_whitelist": ",".join(TRUSTED), "protocol_whitelist": "file"}
    with pytest.raises(FFmpegError):
        av.open(str(path), container_options=options)
