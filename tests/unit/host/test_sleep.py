"""That a host notices when it slept, by clocks that are set."""

from dataclasses import dataclass

import pytest

from mediahost.host.sleep import Sleep


@dataclass
class Clocks:
    """Two clocks."""

    monotonic_s: float = 100.0
    wall_s: float = 1e9


@pytest.mark.parametrize(
    ("monotonic_s", "wall_s", "slept"),
    [
        (0.5, 0.5, False),
        (60.0, 60.0, True),  # it was stopped
        (0.5, 3600.0, True),  # the machine was suspended, or the clock set forward
        (0.5, -3600.0, False),  # set back: leases hold all the longer
    ],
)
def test_a_sleep_is_noticed_once(monotonic_s: float, wall_s: float, slept: bool) -> None:
    clocks = Clocks()
    sleep = Sleep(30.0, lambda: clocks.monotonic_s, lambda: clocks.wall_s)
    assert not sleep.is_over()
    clocks.monotonic_s += monotonic_s
    clocks.wall_s += wall_s
    assert sleep.is_over() is slept
    assert not sleep.is_over()
