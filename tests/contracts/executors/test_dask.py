"""What the Dask executor promises besides: files by other ways, crashes, TLS."""

import datetime as dt
import gc
import ipaddress
import os
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed import Client

from mediahost.errors import MediahostError, SettingsError
from mediahost.executor.dask import DaskExecutor, DaskOptions, dask_options
from mediahost.executor.exchange import Exchange
from mediahost.hashing import hash_file
from mediahost.model.job import Outcome


@pytest.fixture
def dask_rig(rig: Any, dask_cluster: Any, faults: str) -> Any:
    """A rig on two Dask workers that see its folder."""
    options = DaskOptions(dask_cluster.address, str(rig.folder / "exchange"))
    rig.start(DaskExecutor(options, plugins=[faults], grace_s=0.2))
    return rig


def test_a_cancel_ends_the_process_even_when_c_code_holds_the_lock(dask_rig: Any) -> None:
    spec = dask_rig.submit("fault", fault="hold_the_lock")
    dask_rig.wait_for_progress(spec)
    dask_rig.executor.cancel(spec.token, 0.1)
    assert dask_rig.end(spec).outcome is Outcome.CANCELLED
    assert {
        ended.outcome for ended in dask_rig.ends(*[dask_rig.submit("fine") for _ in "1234"])
    } == {Outcome.OK}


def test_a_crash_costs_its_own_attempt_only(dask_rig: Any) -> None:
    innocents = [dask_rig.submit("fine") for _ in range(3)]
    guilty = dask_rig.submit("fault", fault="segfault")
    ended = dask_rig.end(guilty)
    assert ended.outcome is Outcome.CRASHED
    assert "SIGSEGV" in ended.failure.message
    assert "Segmentation fault" in Path(guilty.log_path).read_text()
    assert {end.outcome for end in dask_rig.ends(*innocents)} == {Outcome.OK}


def test_nothing_is_left_in_the_exchange(dask_rig: Any) -> None:
    dask_rig.ends(dask_rig.submit("copy"), dask_rig.submit("fault", fault="garbage"))
    left = [path.name for path in (dask_rig.folder / "exchange").iterdir()]
    # A worker keeps its empty temporary folder as long as it lives.
    assert [name for name in left if not name.startswith("temporary.")] == []


def test_media_artifacts_and_logs_pass_through_a_bucket(
    rig: Any, dask_cluster: Any, s3: Any, faults: str
) -> None:
    top = f"media/{uuid.uuid4().hex}"
    options = DaskOptions(dask_cluster.address, f"s3://{top}", s3.options)
    rig.start(DaskExecutor(options, plugins=[faults]))
    spec = rig.spec("copy")
    file_hash, _ = hash_file(rig.media)
    spec = replace(spec, media=replace(spec.media, file_hash=file_hash))
    rig.executor.submit(spec)
    ended = rig.end(spec)
    assert ended.outcome is Outcome.OK, ended.failure
    (artifact,) = ended.result.artifacts
    assert artifact.path == Path(spec.workdir) / "copy.wav"
    assert hash_file(artifact.path)[0] == file_hash
    noisy = rig.submit("fault", fault="garbage")
    assert rig.end(noisy).outcome is Outcome.OK
    assert b"printed by Python" in Path(noisy.log_path).read_bytes()
    left = s3.files.find(top)
    assert [path.rpartition("/")[2] for path in left] == ["tone.wav"]  # the input, for others


def test_what_was_handed_over_to_a_host_that_died_is_swept_in_the_end(
    dask_rig: Any, dask_cluster: Any
) -> None:
    folder = dask_rig.folder / "exchange"
    names = {f"{uuid.uuid4().hex}.{number}.0123abcd": number for number in (1, 2)}
    for name, number in names.items():
        run = folder / name
        (run / "parts").mkdir(parents=True)
        (folder / f"{name}.log").touch()
        if number == 1:
            for path in (run, folder / f"{name}.log"):
                os.utime(path, (0, 0))
    (folder / "not of ours").mkdir()
    os.utime(folder / "not of ours", (0, 0))
    dask_rig.start(DaskExecutor(DaskOptions(dask_cluster.address, str(folder))))
    (young,) = [name for name, number in names.items() if number == 2]
    left = {path.name for path in folder.iterdir()}
    assert left == {young, f"{young}.log", "not of ours"}


@pytest.fixture
def memory() -> Iterator[str]:
    """A file system in memory, empty at the end."""
    import fsspec  # noqa: PLC0415 - slow

    yield f"memory://{uuid.uuid4().hex}"
    fsspec.filesystem("memory").store.clear()


def test_an_exchange_hands_files_over_whole(memory: str, tmp_path: Path) -> None:
    source, target = tmp_path / "a.wav", tmp_path / "b.wav"
    for content in (b"", b"RIFF" * 1000):
        source.write_bytes(content)
        for url in (memory, f"file://{tmp_path}/x", str(tmp_path / "y")):
            exchange = Exchange(url)
            exchange.put(source, "run/deep/a.wav")
            exchange.take("run/deep/a.wav", target)
            assert target.read_bytes() == content
            exchange.remove("run")


def test_media_that_was_changed_on_the_way_is_refused(memory: str, rig: Any) -> None:
    exchange = Exchange(memory)
    media = replace(rig.spec("fine").media, file_hash=hash_file(rig.media)[0])
    exchange.share_media(media)
    digest = str(media.file_hash).partition(":")[2]
    (rig.folder / "other").write_bytes(b"something else")
    exchange.put(rig.folder / "other", f"inputs/{digest}/tone.wav")
    with pytest.raises(MediahostError, match=r"tone\.wav has changed"):
        exchange.fetch_media(media, rig.folder / "copies")
    assert not list((rig.folder / "copies").rglob("*.wav"))


def test_a_scheduler_that_is_not_there_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediahost.executor.dask.CONNECT_S", 0.2)
    executor = DaskExecutor(DaskOptions("tcp://127.0.0.1:9", str(tmp_path)))
    with pytest.raises(MediahostError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        executor.start(lambda _event: None)


def test_a_client_that_found_no_scheduler_is_not_left_to_the_garbage_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would be closed in the middle of whatever runs then, the making of another one included.
    monkeypatch.setattr("mediahost.executor.dask.CONNECT_S", 0.2)
    before = len(_clients())
    gc.disable()
    try:
        with pytest.raises(MediahostError):
            DaskExecutor(DaskOptions("tcp://127.0.0.1:9", str(tmp_path))).start(print)
        assert len(_clients()) <= before
    finally:
        gc.enable()


def _clients() -> list[object]:
    return [one for one in gc.get_objects() if isinstance(one, Client)]


@pytest.mark.parametrize(
    ("scheduler", "options", "message"),
    [
        (None, {}, "needs the address"),
        ("tcp://h:1", {"exchnge": "/x"}, "did you mean exchange"),
    ],
)
def test_options_that_make_no_sense_are_errors(
    tmp_path: Path, scheduler: str | None, options: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        dask_options(scheduler, tmp_path, options)


def _write_pem(path: Path, *parts: bytes) -> str:
    path.write_bytes(b"".join(parts))
    return str(path)


def _certificates(folder: Path) -> dict[str, Any]:
    """An authority, and a certificate of it for 127.0.0.1, as PEM files."""
    now = dt.datetime.now(dt.UTC)
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The cluster's authority")])
    member = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A member of the cluster")])

    def certificate(name: x509.Name, public: Any, *, is_authority: bool) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
        )
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "ca_file": _write_pem(
            folder / "ca.pem", certificate(authority, authority_key.public_key(), is_authority=True)
        ),
        "cert": _write_pem(
            folder / "cert.pem", certificate(member, key.public_key(), is_authority=False)
        ),
        "key": _write_pem(folder / "key.pem", private),
    }


def test_with_mutual_tls_nobody_without_a_certificate_gets_in(
    rig: Any,
    own_dask_cluster: Any,
    faults: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = _certificates(tmp_path)
    own_dask_cluster.options = [
        *("--tls-ca-file", files["ca_file"]),
        *("--tls-cert", files["cert"]),
        *("--tls-key", files["key"]),
    ]
    own_dask_cluster.start(workers=1)
    address = own_dask_cluster.address
    assert address.startswith("tls://")
    rig.start(DaskExecutor(DaskOptions(address, str(rig.folder / "x"), **files), plugins=[faults]))
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK

    stranger = tmp_path / "stranger"
    stranger.mkdir()
    monkeypatch.setattr("mediahost.executor.dask.CONNECT_S", 1.0)
    strangers: list[dict[str, Any]] = [{}, _certificates(stranger)]
    for unwelcome in strangers:
        executor = DaskExecutor(DaskOptions(address, str(rig.folder / "y"), **unwelcome))
        with pytest.raises(MediahostError, match="No Dask scheduler answers"):
            executor.start(lambda _event: None)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_certificates_as_the_page_makes_them_let_a_host_in(
    rig: Any, own_dask_cluster: Any, faults: str, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "dask.md").read_text()
    commands = [line for line in page.splitlines() if line.startswith("openssl ")]
    assert len(commands) == 3
    for command in commands:
        subprocess.run(shlex.split(command), cwd=tmp_path, check=True, capture_output=True)
    files = {"ca_file": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
    files = {name: str(tmp_path / file) for name, file in files.items()}
    own_dask_cluster.options = [
        *("--tls-ca-file", files["ca_file"]),
        *("--tls-cert", files["cert"]),
        *("--tls-key", files["key"]),
    ]
    own_dask_cluster.start(workers=1)
    options = DaskOptions(own_dask_cluster.address, str(rig.folder / "x"), **files)  # type: ignore[arg-type]
    rig.start(DaskExecutor(options, plugins=[faults]))
    assert rig.end(rig.submit("fine")).outcome is Outcome.OK


def _forget_tasks(dask_scheduler: Any = None) -> None:
    """Lose all tasks without a word, as a scheduler does that has a fault."""
    dask_scheduler.tasks.clear()


def test_an_attempt_that_the_scheduler_has_forgotten_is_lost(
    rig: Any, own_dask_cluster: Any, faults: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediahost.executor.dask.WATCH_S", 0.2)
    own_dask_cluster.start(workers=1)
    options = DaskOptions(own_dask_cluster.address, str(rig.folder / "exchange"))
    rig.start(DaskExecutor(options, plugins=[faults], grace_s=0.2))
    spec = rig.submit("fault", fault="hold_the_lock")
    rig.wait_for_progress(spec)
    with Client(own_dask_cluster.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.run_on_scheduler(_forget_tasks)
    ended = rig.end(spec)
    assert ended.outcome is Outcome.LOST
    assert "has forgotten it" in ended.failure.message
