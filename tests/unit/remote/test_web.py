"""Files over HTTP: whole or not at all, once, and from nowhere that isn't allowed."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from mediahost.errors import InvalidMedia, TransientError
from mediahost.hashing import hash_bytes, hash_file
from mediahost.remote.allowed import NotAllowed


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*.part")]


def test_a_file_is_fetched_and_hashed_as_it_comes(site: Any, cache: Any, sound: bytes) -> None:
    found = cache().fetch(site.url("tone.wav"), "blake3")
    assert found.path.read_bytes() == sound
    assert found.file_hash == hash_bytes(sound)
    assert (found.path.name, found.kind) == ("tone.wav", "audio")


def test_the_hash_is_of_the_algorithm_asked_for(site: Any, cache: Any) -> None:
    found = cache().fetch(site.url("tone.wav"), "sha256")
    assert found.file_hash == hash_file(found.path, "sha256")[0]


def test_what_has_not_changed_is_not_sent_again(site: Any, cache: Any) -> None:
    first = cache().fetch(site.url("tone.wav"), "blake3")
    again = cache().fetch(site.url("tone.wav"), "blake3")
    assert again == first
    assert site.answered == [200, 304]


def test_what_has_changed_is_fetched_anew_and_the_old_copy_stays_a_while(
    site: Any, cache: Any
) -> None:
    first = cache().fetch(site.url("tone.wav"), "blake3")
    site.files["/tone.wav"] = b"RIFF other"
    site.etag = '"two"'
    second = cache().fetch(site.url("tone.wav"), "blake3")
    assert second.path.read_bytes() == b"RIFF other"
    assert first.path.exists()  # an attempt may be reading it
    assert cache().copy_of(site.url("tone.wav"), "blake3") == second


def test_a_date_does_where_there_is_no_tag(site: Any, cache: Any, now: str) -> None:
    def dated(handler: Any) -> None:
        known = handler.headers.get("If-Modified-Since") == now
        handler.answer(304 if known else 200, b"" if known else b"RIFF", {"Last-Modified": now})

    site.etag = None
    site.special["/dated.wav"] = dated
    for _ in range(2):
        cache().fetch(site.url("dated.wav"), "blake3")
    assert site.answered == [200, 304]


def test_without_tag_and_date_it_is_fetched_each_time(site: Any, cache: Any) -> None:
    site.etag = None
    for _ in range(2):
        cache().fetch(site.url("tone.wav"), "blake3")
    assert site.answered == [200, 200]


def test_a_copy_that_was_cut_short_is_fetched_anew(site: Any, cache: Any, sound: bytes) -> None:
    found = cache().fetch(site.url("tone.wav"), "blake3")
    found.path.write_bytes(sound[:100])
    assert cache().fetch(site.url("tone.wav"), "blake3").path.read_bytes() == sound


def test_a_note_that_is_nonsense_is_as_good_as_none(site: Any, cache: Any, tmp_path: Path) -> None:
    cache().fetch(site.url("tone.wav"), "blake3")
    (note,) = tmp_path.rglob("source.json")
    note.write_text(json.dumps({"url": 3}))
    assert cache().copy_of(site.url("tone.wav"), "blake3") is None
    cache().fetch(site.url("tone.wav"), "blake3")
    assert site.answered == [200, 200]


def test_a_broken_download_goes_on_where_it_broke(site: Any, cache: Any, sound: bytes) -> None:
    def broken(handler: Any) -> None:
        if "Range" in handler.headers:
            handler.site.special.clear()
            handler.path = "/tone.wav"
            handler.do_GET()
        else:
            handler.begin(200, len(sound))
            handler.wfile.write(sound[:100_000])
            handler.break_off()

    site.special["/tone.wav"] = broken
    assert cache().fetch(site.url("tone.wav"), "blake3").path.read_bytes() == sound
    assert site.answered == [200, 206]
    assert site.asked[1][1]["Range"] == "bytes=100000-"
    assert site.asked[1][1]["If-Range"] == '"one"'


def test_what_changed_while_it_was_broken_begins_anew(site: Any, cache: Any) -> None:
    def broken(handler: Any) -> None:
        handler.begin(200, 100)
        handler.wfile.write(b"RIFF old")
        handler.break_off()
        handler.site.special.clear()
        handler.site.etag = '"two"'
        handler.site.files["/tone.wav"] = b"RIFF new"

    site.special["/tone.wav"] = broken
    assert cache().fetch(site.url("tone.wav"), "blake3").path.read_bytes() == b"RIFF new"


@pytest.mark.parametrize("span", ["bytes 7-99/100", "bytes 8-99/*", "bytes 8-98/99", "nonsense"])
def test_a_range_that_is_not_the_one_asked_for_is_not_put_together(
    site: Any, cache: Any, span: str
) -> None:
    def crooked(handler: Any) -> None:
        if "Range" in handler.headers:
            handler.answer(206, b"x" * 92, {"Content-Range": span})
        else:
            handler.begin(200, 100)
            handler.wfile.write(b"RIFF old")
            handler.break_off()

    site.special["/crooked.wav"] = crooked
    with pytest.raises(TransientError, match="broke off"):
        cache().fetch(site.url("crooked.wav"), "blake3")


def test_a_download_that_never_comes_whole_is_no_file(
    site: Any, cache: Any, tmp_path: Path, sound: bytes
) -> None:
    def short(handler: Any) -> None:
        handler.begin(200, len(sound) + 1)
        handler.wfile.write(sound)
        handler.break_off()

    site.etag = None
    site.special["/short.wav"] = short
    with pytest.raises(TransientError, match=r"short\.wav broke off again and again"):
        cache().fetch(site.url("short.wav"), "blake3")
    assert not list(tmp_path.rglob("*.wav"))
    assert left_over(tmp_path) == []


def test_chunks_that_end_too_soon_are_no_file(site: Any, cache: Any) -> None:
    def chunked(handler: Any) -> None:
        handler.begin(200, None, {"Transfer-Encoding": "chunked"})
        handler.wfile.write(b"4\r\nRIFF\r\n")
        handler.break_off()

    site.etag = None
    site.special["/chunked.wav"] = chunked
    with pytest.raises(TransientError, match="broke off"):
        cache().fetch(site.url("chunked.wav"), "blake3")


def test_chunks_that_end_well_are_a_file(site: Any, cache: Any) -> None:
    def chunked(handler: Any) -> None:
        handler.begin(200, None, {"Transfer-Encoding": "chunked"})
        handler.wfile.write(b"4\r\nRIFF\r\n0\r\n\r\n")

    site.special["/chunked.wav"] = chunked
    assert cache().fetch(site.url("chunked.wav"), "blake3").path.read_bytes() == b"RIFF"


def test_a_file_of_unknown_length_is_refused(site: Any, cache: Any) -> None:
    def endless(handler: Any) -> None:
        handler.begin(200, None)
        handler.wfile.write(b"RIFF")
        handler.break_off()

    site.special["/endless.wav"] = endless
    with pytest.raises(InvalidMedia, match="does not say how long it is"):
        cache().fetch(site.url("endless.wav"), "blake3")


def test_a_file_that_is_too_large_is_not_even_begun(site: Any, cache: Any) -> None:
    with pytest.raises(InvalidMedia, match="512,004 bytes; 1,000 are the limit"):
        cache(max_bytes=1000).fetch(site.url("tone.wav"), "blake3")


def test_a_file_that_hides_its_size_is_cut_off_at_the_limit(site: Any, cache: Any) -> None:
    def flood(handler: Any) -> None:
        handler.begin(200, None, {"Transfer-Encoding": "chunked"})
        try:
            while not handler.site.stop.is_set():
                handler.wfile.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
        except OSError:
            handler.break_off()

    site.special["/flood.wav"] = flood
    with pytest.raises(InvalidMedia, match="more than 100,000 bytes"):
        cache(max_bytes=100_000).fetch(site.url("flood.wav"), "blake3")


def test_a_server_that_drips_is_left_when_the_time_is_over(site: Any, cache: Any) -> None:
    def drip(handler: Any) -> None:
        handler.begin(200, 1000)
        while not handler.site.stop.wait(0.02):
            try:
                handler.wfile.write(b"x")
            except OSError:
                return

    site.special["/drip.wav"] = drip
    with pytest.raises(TransientError, match=r"took longer than 0\.3 s"):
        cache(limit_s=0.3).fetch(site.url("drip.wav"), "blake3")


def test_a_server_that_never_answers_is_left_too(site: Any, cache: Any) -> None:
    site.special["/mute.wav"] = lambda handler: handler.site.stop.wait(20)
    with pytest.raises(TransientError, match="took longer"):
        cache(limit_s=0.3).fetch(site.url("mute.wav"), "blake3")


def test_redirects_are_followed_where_they_may_be(site: Any, cache: Any, sound: bytes) -> None:
    site.special["/old.wav"] = lambda handler: handler.answer(302, b"", {"Location": "/tone.wav"})
    assert cache().fetch(site.url("old.wav"), "blake3").path.read_bytes() == sound


def test_redirects_in_a_circle_end(site: Any, cache: Any) -> None:
    for here, there in (("/a.wav", "/b.wav"), ("/b.wav", "/a.wav")):
        site.special[here] = lambda handler, to=there: handler.answer(302, b"", {"Location": to})
    with pytest.raises(InvalidMedia, match="redirects more than 5 times"):
        cache().fetch(site.url("a.wav"), "blake3")
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:{port}/tone.wav",
        "file:///etc/passwd",
        "https://127.0.0.1:{port}/tone.wav",
        "//[::1]:{port}/tone.wav",
        "gopher://127.0.0.1:{port}/tone.wav",
        "http://user:pass@127.0.0.1:{port}/tone.wav",
    ],
)
def test_a_redirect_leads_nowhere_that_is_not_allowed(site: Any, cache: Any, location: str) -> None:
    target = location.format(port=site.port)
    site.special["/sly.wav"] = lambda handler: handler.answer(302, b"", {"Location": target})
    with pytest.raises(NotAllowed):
        cache("http://127.0.0.1:*").fetch(site.url("sly.wav"), "blake3")
    assert len(site.asked) == 1


def test_a_name_that_leads_to_the_loopback_is_refused(site: Any, cache: Any) -> None:
    with pytest.raises(NotAllowed, match=r"localhost leads to .*, which is not on"):
        cache(networks=()).fetch(site.url("tone.wav", "localhost"), "blake3")
    assert site.asked == []


def test_one_private_answer_among_public_ones_is_refused(
    site: Any, cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("1.1.1.1", host)]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(NotAllowed, match=r"127\.0\.0\.1"):
        cache(networks=()).fetch(site.url("tone.wav"), "blake3")


def test_the_address_that_was_checked_is_the_one_that_is_connected(
    site: Any, cache: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def rebinding(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        ip = "127.0.0.1" if len(asked) == 1 else "127.0.0.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    cache("http://media.test:*").fetch(site.url("tone.wav", "media.test"), "blake3")
    assert asked == ["media.test"]
    assert site.asked[0][1]["Host"] == f"media.test:{site.port}"


@pytest.mark.parametrize(("status", "error"), [(404, InvalidMedia), (503, TransientError)])
def test_a_refusal_says_the_status(
    site: Any, cache: Any, status: int, error: type[Exception]
) -> None:
    site.special["/no.wav"] = lambda handler: handler.answer(status, b"")
    with pytest.raises(error, match=f"the server says {status}"):
        cache().fetch(site.url("no.wav"), "blake3")


def test_a_server_that_is_not_there_is_worth_another_try(cache: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/tone.wav"
        with pytest.raises(TransientError, match="Connection refused"):
            cache().fetch(url, "blake3")


def test_the_type_names_what_the_url_does_not(site: Any, cache: Any) -> None:
    site.special["/watch"] = lambda handler: handler.answer(
        200, b"RIFF", {"Content-Type": "image/png"}
    )
    found = cache().fetch(site.url("watch?v=1"), "blake3")
    assert (found.path.name, found.kind) == ("watch.png", "image")


def test_what_is_no_media_file_is_said_to_be_none(site: Any, cache: Any, tmp_path: Path) -> None:
    site.files["/notes.txt"] = b"hello"
    with pytest.raises(InvalidMedia, match=r"notes\.txt is not a media file"):
        cache().fetch(site.url("notes.txt?token=hush"), "blake3")
    assert left_over(tmp_path) == []


def test_a_name_can_not_leave_its_folder(site: Any, cache: Any, tmp_path: Path) -> None:
    site.special["/..%2F..%2Fevil.wav"] = lambda handler: handler.answer(200, b"RIFF")
    found = cache().fetch(site.url("..%2F..%2Fevil.wav"), "blake3")
    assert found.path.name == "evil.wav"
    assert found.path.is_relative_to(tmp_path / "remote")


def test_compressed_answers_are_refused(site: Any, cache: Any) -> None:
    site.special["/z.wav"] = lambda handler: handler.answer(200, b"x", {"Content-Encoding": "gzip"})
    with pytest.raises(InvalidMedia, match="compressed"):
        cache().fetch(site.url("z.wav"), "blake3")


def test_a_redirect_to_what_is_no_url_is_the_files_fault(site: Any, cache: Any) -> None:
    site.special["/odd.wav"] = lambda handler: handler.answer(302, b"", {"Location": "http://[::1"})
    with pytest.raises(InvalidMedia, match="redirects to what is no URL"):
        cache().fetch(site.url("odd.wav"), "blake3")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("é.wav", "/%C3%A9.wav"),
        ("a%20b/회의.wav?q=ü", "/a%20b/%ED%9A%8C%EC%9D%98.wav?q=%C3%BC"),
    ],
)
def test_a_url_that_is_not_ascii_is_sent_as_utf8(
    site: Any, cache: Any, sound: bytes, path: str, sent: str
) -> None:
    site.files[sent.partition("?")[0]] = sound
    found = cache().fetch(site.url(path), "blake3")
    assert found.path.read_bytes() == sound
    assert [asked for asked, _ in site.asked] == [sent]


@pytest.mark.parametrize("length", ["9" * 5000, "٣٤", "-1", "1e9"])
def test_a_length_that_is_no_number_ends_in_one_sentence(
    site: Any, cache: Any, length: str
) -> None:
    site.etag = None

    def odd(handler: Any) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nx".encode())
        handler.break_off()

    site.special["/odd.wav"] = odd
    with pytest.raises((InvalidMedia, TransientError)):
        cache().fetch(site.url("odd.wav"), "blake3")
