"""Which URLs and addresses are allowed."""

import ipaddress
import socket
from typing import Any

import pytest

from mediahost.model.origin import Origin
from mediahost.remote.allowed import Allowed, NotAllowed, embedded, shown


@pytest.mark.parametrize(
    ("origin", "url", "covered"),
    [
        ("https://media.test", "https://media.test/a.mp4", True),
        ("https://media.test", "https://MEDIA.test:443/a.mp4", True),
        ("https://media.test", "http://media.test/a.mp4", False),
        ("https://media.test", "https://media.test:8443/a.mp4", False),
        ("https://media.test", "https://media.test.evil.test/a.mp4", False),
        ("https://*.media.test", "https://a.media.test/a.mp4", True),
        ("https://*.media.test", "https://media.test/a.mp4", False),
        ("https://*.media.test", "https://evilmedia.test/a.mp4", False),
        ("http://[::1]:*", "http://[::1]:8000/a.mp4", True),
        ("s3://bucket", "s3://bucket/a/b.mp4", True),
        ("s3://bucket", "s3://other/b.mp4", False),
        ("memory://*", "memory://any/b.mp4", True),
    ],
)
def test_an_origin_covers_its_scheme_host_and_port(origin: str, url: str, covered: bool) -> None:
    allowed = Allowed([origin])
    if covered:
        allowed.check(url)
    else:
        with pytest.raises(NotAllowed, match="The settings don't allow"):
            allowed.check(url)


@pytest.mark.parametrize(
    "text", ["media.test", "https://", "https://media.test/path", "https://u@h", "http://h:x", ""]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"origin|port"):
        Origin.parse(text)


@pytest.mark.parametrize(
    "url",
    [
        "simplecache::http://media.test/a.mp4",
        "http://media.test/a.zip::b",
        "http://user:secret@media.test/a.mp4",
        "http://media.test\\@evil.test/a.mp4",
        "http://media.test/a b.mp4",
        "http://media.test/\r\nHost: evil",
        "http://media.test:99999/a.mp4",
        "http://[media.test/a.mp4",
    ],
)
def test_urls_that_are_more_than_they_seem_are_refused(url: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        Allowed(["http://*:*"]).check(url)
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to be refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:0:0:0:0:80ff:fffe",
    ],
)
def test_addresses_off_the_open_network_are_refused(
    ip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(NotAllowed, match="not on the open network"):
        Allowed([]).addresses("media.test", 80)


def test_a_network_that_is_allowed_may_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    answer: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.168.1.7", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    assert Allowed([], ["192.168.1.0/24"]).addresses("nas.test", 80) == answer


def test_an_address_that_is_refused_is_named_once() -> None:
    with pytest.raises(NotAllowed) as refused:
        Allowed([]).addresses("127.0.0.1", 80)
    assert refused.value.message == "127.0.0.1 is not on the open network"


def test_the_address_inside_an_address_is_found() -> None:
    assert embedded(ipaddress.ip_address("::ffff:10.0.0.1")) == ipaddress.ip_address("10.0.0.1")
    assert embedded(ipaddress.ip_address("2606::1")) == ipaddress.ip_address("2606::1")


def test_secrets_of_a_url_are_not_shown() -> None:
    assert shown("https://me:hush@media.test/a.mp4?token=hush#x") == "https://media.test/a.mp4"
