"""What may be fetched: schemes, hosts and addresses that the settings allow, and no others."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mediahost.errors import InvalidMedia, TransientError, UsageError
from mediahost.installation import docs_hint
from mediahost.model.origin import Origin
from mediahost.model.paths import display

HOW = f"Allow it in the settings: remote_allow. {docs_hint('settings')}"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# RFC 6052, section 2.1: the last 32 bits are an IPv4 address.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class NotAllowed(UsageError):
    """A URL that the settings don't allow."""


class Allowed:
    """Judges URLs, and the addresses that hosts turn out to have.

    Args:
        origins: What `remote_allow` says.
        networks: Loopback and private networks that may be reached all the same.
    """

    def __init__(self, origins: Iterable[str], networks: Iterable[str] = ()) -> None:
        self._origins = [Origin.parse(text) for text in origins]
        self._networks: list[Network] = [ipaddress.ip_network(text) for text in networks]

    def check(self, url: str) -> SplitResult:
        """The parts of a URL that is allowed.

        Raises:
            NotAllowed: It is not, or it is no URL that anything can be fetched from.
        """
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            raise NotAllowed(f"{shown(url)} is not a URL that can be understood") from None
        web = parts.scheme in ("http", "https")
        if not url.isprintable() or "\\" in url or (web and " " in url):
            raise NotAllowed(f"{shown(url)} holds characters that no URL has")
        if "::" in url.partition("://")[0] or "::" in parts.path:
            raise NotAllowed(f"{shown(url)} chains file systems; give the address of one file")
        if parts.username is not None or parts.password is not None:
            raise NotAllowed(
                f"{shown(url)} holds a user name or password, which would be stored with the job",
                "Give credentials in the settings (remote_options) or the environment.",
            )
        if not any(origin.covers(parts) for origin in self._origins):
            raise NotAllowed(f"The settings don't allow {parts.scheme}://{parts.netloc}", HOW)
        return parts

    def addresses(self, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        """The socket addresses of a host; connect to these and not to the name.

        A name that is asked for again may have another answer by then.

        Raises:
            NotAllowed: One of them is loopback, private or otherwise not of the open network.
            TransientError: The name has no address now.
            InvalidMedia: It is no host name.
        """
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise TransientError(f"{display(host)} has no address: {error.strerror}") from None
        except UnicodeError:
            raise InvalidMedia(f"{display(host)} is no host name") from None
        for answer in answers:
            address = ipaddress.ip_address(str(answer[4][0]).partition("%")[0])
            if not self._reachable(address):
                leads = "" if host == str(address) else f" leads to {address}, which"
                raise NotAllowed(
                    f"{display(host)}{leads} is not on the open network",
                    f"Allow its network in the settings: remote_networks. {docs_hint('settings')}",
                )
        return answers

    def _reachable(self, address: Address) -> bool:
        real = embedded(address)
        if any(one in network for network in self._networks for one in (address, real)):
            return True
        return all(one.is_global and not one.is_multicast for one in (address, real))


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def shown(url: str) -> str:
    """A URL for people, without what may be a secret: user, password and query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return display(parts._replace(netloc=host, query="", fragment="").geturl())
    except ValueError:
        return display(url.partition("?")[0])
