"""File hashes, config hashes, and the rule for when a remembered hash still holds."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from mediahost import hashing
from mediahost.hashing import (
    BUFFER_BYTES,
    MMAP_FROM_BYTES,
    RACY_NS,
    ChangedWhileHashing,
    FileStat,
    algorithm_of,
    canonical,
    config_hash,
    hash_bytes,
    hash_file,
    verify_file,
)

SIZES = [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, MMAP_FROM_BYTES, 3_000_001]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
plain_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(scalars, inner, max_size=4)
)


def _tagged(value: Any) -> Any:
    """A value that equals another only where type and value do, whatever Python's == says."""
    if isinstance(value, dict):
        return ("dict", frozenset((_tagged(key), _tagged(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", tuple(_tagged(item) for item in value))
    return (type(value).__name__, repr(value))


# --- config hashes


@given(plain_values, plain_values)
def test_two_values_share_a_spelling_only_if_they_are_the_same(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (_tagged(one) == _tagged(other))


def test_values_that_python_or_json_take_for_equal_are_told_apart() -> None:
    configs: list[dict[Any, Any]] = [
        {"a": 1},
        {"a": "1"},
        {"a": 1.0},
        {"a": True},
        {"a": None},
        {"a": [1]},
        {"a": {}},
        {"a": []},
        {"a": ""},
        {"a": 0},
        {"a": 0.0},
        {"a": -0.0},
        {"a": False},
        {"b": 1},
        {1: "a"},
        {},
    ]
    assert len({config_hash("x.y", 1, config) for config in configs}) == len(configs)


@given(st.dictionaries(scalars, scalars, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(config: dict[Any, Any], random: Any) -> None:
    items = list(config.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(config)


def test_a_tuple_is_spelt_as_a_list() -> None:
    assert canonical((1, 2)) == canonical([1, 2])


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_never_equal_or_overflow_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="no place in a config"):
        config_hash("x.y", 1, {"deep": [{"down": number}]})


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), bytearray(b"x"), 1j])
def test_what_is_no_plain_value_is_refused_by_its_type(value: object) -> None:
    with pytest.raises(TypeError, match=f"{type(value).__name__} is no plain value"):
        canonical([value])


def test_every_part_of_the_key_counts() -> None:
    hashes = {
        config_hash("x.y", 1, {}),
        config_hash("x.z", 1, {}),
        config_hash("x.y", 2, {}),
        config_hash("x.y", 1, {"a": 1}),
        config_hash("x.y", 1, {}, {"step": "blake3:1"}),
        config_hash("x.y", 1, {}, {"step": "blake3:2"}),
        config_hash("x.y", 1, {}, {"other": "blake3:1"}),
        config_hash("x.y", 1, {}, algorithm="sha256"),
    }
    assert len(hashes) == 8


def test_a_config_hash_is_the_same_in_every_version_of_the_program() -> None:
    # Written down once: a change here throws away everybody's cache, so raise CONFIG_FORMAT too.
    assert config_hash("hello.halves", 1, {"at": 0.5}, algorithm="sha256") == (
        "sha256:919d859c2fc6aa07035ab1fba1d9e96456d6f056b18b3850b80918ffd5f71005"
    )


# --- file hashes


@pytest.mark.parametrize("size", SIZES)
def test_file_hashes_are_those_of_the_reference_implementations(tmp_path: Path, size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    path = tmp_path / "file"
    path.write_bytes(data)
    expected = f"blake3:{blake3(data).hexdigest()}"
    assert hash_file(path, "sha256")[0] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert hash_file(path, "sha256", settled=True)[0] == hash_bytes(data, "sha256")
    assert hash_file(path)[0] == expected
    assert hash_file(path, settled=True)[0] == expected
    assert hash_bytes(data) == expected


def test_a_hash_comes_with_the_stat_that_it_belongs_to(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    _, stat = hash_file(path)
    assert stat == FileStat.of(path.stat())
    assert stat.size == 3


def test_symbolic_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert hash_file(tmp_path / "link") == hash_file(tmp_path / "file")


@pytest.mark.parametrize("settled", [False, True])
def test_a_file_that_changes_while_it_is_hashed_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, settled: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2 * MMAP_FROM_BYTES))
    real_fstat = os.fstat
    calls: list[int] = []

    def fstat_after_a_write(descriptor: int) -> os.stat_result:
        # The second look comes after the last byte was read: write just before it.
        calls.append(descriptor)
        if len(calls) == 2:
            with path.open("ab") as file:
                file.write(b"more")
        return real_fstat(descriptor)

    monkeypatch.setattr(os, "fstat", fstat_after_a_write)
    with pytest.raises(ChangedWhileHashing, match="changed while it was hashed"):
        hash_file(path, settled=settled)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        hash_file(tmp_path)


def _in_time(work: Callable[[], Any]) -> Any:
    """What it returned or raised; it fails the test if it hangs."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert outcome, "it hangs"
    return outcome[0]


def test_a_pipe_that_nobody_writes_to_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    error = _in_time(lambda: hash_file(pipe))
    assert isinstance(error, OSError)
    assert "Not a regular file" in str(error)


def test_an_endless_device_is_refused() -> None:
    assert isinstance(_in_time(lambda: hash_file("/dev/zero")), OSError)


def test_no_descriptor_is_left_open_by_a_refusal(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - counting, not walking
    for _ in range(20):
        with pytest.raises(IsADirectoryError):
            hash_file(tmp_path)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208 - as above


def test_a_file_can_be_verified_against_a_hash_of_either_algorithm(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    for algorithm in hashing.ALGORITHMS:
        assert verify_file(path, hash_bytes(b"abc", algorithm))
        assert not verify_file(path, hash_bytes(b"abd", algorithm))
        assert not verify_file(tmp_path / "gone", hash_bytes(b"abc", algorithm))


def test_a_hash_names_its_algorithm() -> None:
    assert algorithm_of("blake3:" + "0" * 64) == "blake3"
    assert algorithm_of("sha256:" + "f" * 64) == "sha256"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0" * 64,
        "md5:" + "0" * 64,
        "blake3:",
        "blake3:" + "0" * 63,
        "blake3:" + "0" * 65,
        "blake3:" + "F" * 64,
        "blake3:" + "g" * 64,
        "BLAKE3:" + "0" * 64,
        " blake3:" + "0" * 64,
    ],
)
def test_what_is_no_hash_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is not a hash such as"):
        algorithm_of(value)


# --- when a remembered hash still holds

NOW = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("mtime", "ctime", "trusted"),
    [
        (NOW - RACY_NS - 1, NOW - RACY_NS - 1, True),
        (NOW - RACY_NS, 0, False),
        (0, NOW - RACY_NS, False),
        (NOW, NOW, False),
        (NOW + 10 * RACY_NS, 0, False),
        (0, NOW + 10 * RACY_NS, False),
        (0, 0, True),
    ],
)
def test_a_timestamp_near_the_hashing_or_after_it_proves_nothing(
    mtime: int, ctime: int, *, trusted: bool
) -> None:
    stat = FileStat(size=1, mtime_ns=mtime, ctime_ns=ctime, dev=1, inode=1)
    assert stat.trusted_since(NOW) is trusted


def test_device_and_inode_fit_a_signed_64_bit_column(tmp_path: Path) -> None:
    parts = list(tmp_path.stat())
    parts[1], parts[2] = (1 << 64) - 2, 1 << 63
    stat = FileStat.of(os.stat_result(parts, {"st_mtime_ns": 1, "st_ctime_ns": 1}))
    assert (stat.inode, stat.dev) == (-2, -(1 << 63))
