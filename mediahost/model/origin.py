"""Origins: places on the network that media files may come from."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import SplitResult

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """One entry of `remote_allow`: `https://media.example.org`, `https://*.example.org:8443`.

    Attributes:
        scheme: Of the URL.
        host: The host, or for object stores the bucket; `*` stands for any characters.
        port: The port; None: any.
    """

    scheme: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Origin":
        """What the settings say.

        Raises:
            ValueError: It is no origin.
        """
        scheme, separator, rest = text.partition("://")
        rest = rest.rstrip("/")
        if not separator or not scheme or not rest or "/" in rest or "@" in rest or "::" in scheme:
            raise ValueError(f"{text!r} is no origin; write it like https://media.example.org")
        scheme = scheme.lower()
        host, colon, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
        if not colon:
            return cls(scheme, rest.lower(), DEFAULT_PORTS.get(scheme))
        if port != "*" and not port.isdecimal():
            raise ValueError(f"{text!r} has no port that is a number or *")
        return cls(scheme, host.lower(), None if port == "*" else int(port))

    def covers(self, url: SplitResult) -> bool:
        """Whether a URL is of this origin."""
        host = url.hostname or ""
        if ":" in host:
            host = f"[{host}]"
        port = url.port or DEFAULT_PORTS.get(url.scheme)
        return (
            url.scheme == self.scheme
            and fnmatchcase(host, self.host.replace("[", "[[]"))
            and self.port in (None, port)
        )
