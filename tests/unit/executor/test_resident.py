import os
import subprocess

import pytest

from mediahost.executor.resident import Resident, by_ps


def test_memory_is_counted_in_bytes() -> None:
    resident = Resident(os.getpid())
    before = resident.read()
    held = b"\1" * 50_000_000
    assert 40_000_000 < resident.read() - before < 60_000_000
    assert len(held) == 50_000_000
    resident.close()


@pytest.mark.skipif(not os.path.exists("/bin/ps"), reason="needs ps")  # noqa: PTH110 - short
def test_without_proc_it_is_asked_of_ps() -> None:
    resident = Resident(os.getpid())
    assert by_ps(os.getpid()) == pytest.approx(resident.read(), rel=0.5)
    resident.close()


def test_a_process_that_is_gone_holds_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        resident = Resident(process.pid)
    assert resident.read() == 0
    resident.close()
