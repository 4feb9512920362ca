"""Servers of the wide world, each a real one on the loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

# In a process of its own: it brings a web framework, whose warnings are not ours.
_SERVE_S3 = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class S3:
    """A server that speaks S3, and how fsspec gets there."""

    endpoint: str

    @property
    def options(self) -> dict[str, Any]:
        """Options of the file system."""
        return {"endpoint_url": self.endpoint, "key": "testing", "secret": "testing"}

    @property
    def files(self) -> Any:
        """The file system."""
        import s3fs  # noqa: PLC0415 - slow, and few tests want it

        return s3fs.S3FileSystem(**self.options, use_listings_cache=False, skip_instance_cache=True)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 server with the empty bucket `media`."""
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVE_S3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environ,
    )
    assert server.stdin
    assert server.stdout
    with server.stdin, server.stdout:
        served = S3(f"http://127.0.0.1:{server.stdout.readline().strip()}")
        served.files.mkdir("media")
        yield served
        server.stdin.close()
        server.wait(30)
