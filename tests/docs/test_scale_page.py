"""docs/scale.md shows what the simulation gives, and the simulation keeps to what must be so."""

from dataclasses import replace
from pathlib import Path

from benchmarks.scale import DAY_S, Setup, setups, simulate, table

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()


def test_the_table_is_what_the_simulation_gives() -> None:
    title, setup = next(setups())
    assert table([(title, simulate(setup, seconds=60.0))]).splitlines()[-1] in PAGE
    assert all(f"| {title} |" in PAGE for title, _ in setups())


def test_with_nothing_in_the_way_only_the_cores_count() -> None:
    free = Setup(workers=8, job_s=1.0, mb=0.0, write_s=0.0, row_s=0.0, host_s=0.0)
    outcome = simulate(free, seconds=500.0)
    assert 0.95 < outcome.files_a_day / (8 * DAY_S) < 1.05
    assert outcome.bottleneck == "workers"


def test_no_part_gives_more_than_it_has() -> None:
    narrow = Setup(workers=256, network_mb_s=100.0)
    outcome = simulate(narrow)
    assert outcome.bottleneck == "network"
    assert outcome.files_a_day * narrow.mb / DAY_S < 1.05 * narrow.network_mb_s
    scheduled = replace(narrow, mb=0.0, job_s=0.01, schedulers=1)
    assert simulate(scheduled).files_a_day < 1.05 * DAY_S / scheduled.dispatch_s
