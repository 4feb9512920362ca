"""Pipelines: what one step made is what the next one gets."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.integration.conftest import Home, Starts

CHAIN = """
[pipelines.chain]
steps = [
    {{ action = "count.look", config = {{ depth = {depth}, flavour = "{flavour}" }} }},
    {{ action = "count.follow", after = "count.look" }},
]
"""
FAN_OUT = """
[pipelines.parts]
steps = [
    { action = "count.cut", config = { parts = 3 } },
    { action = "count.look", media = "count.cut" },
]
"""
JOIN = """
[pipelines.join]
steps = [
    { action = "count.look", name = "one" },
    { action = "count.look", name = "two", config = { depth = 2 } },
    { action = "count.follow", after = ["one", "two"] },
]
"""
BROKEN = """
[pipelines.broken]
steps = [
    { action = "faulty.raise" },
    { action = "count.follow", after = "faulty.raise" },
    { action = "count.look" },
]
"""
SLOW = """
[pipelines.slow]
steps = [
    { action = "count.wait" },
    { action = "count.look", name = "other" },
    { action = "count.follow", after = ["count.wait", "other"] },
]
"""


def chain(home: "Home", depth: int = 1, flavour: str = "plain") -> None:
    home.settings(CHAIN.format(depth=depth, flavour=flavour))


def test_a_step_gets_the_results_of_the_steps_it_follows(home: "Home") -> None:
    path = home.tone("a.wav")
    home.settings(JOIN)

    summary = home.run("-p", "join")

    assert summary.counts == {"done": 3}
    results = home.call("results", path, "-a", "count.follow", "--json").json
    depths = {name: given["depth"] for name, given in results[0]["result"]["metadata"].items()}
    assert depths == {"one": 1, "two": 2}


def test_each_artifact_is_a_media_file_of_the_next_step(home: "Home") -> None:
    home.tone("below/a.wav")
    home.settings(FAN_OUT)

    summary = home.run("-p", "parts", "-o", "out")

    assert summary.counts == {"done": 4}
    looked = sorted(Path(row["media"]).name for row in summary.rows(step="count.look"))
    assert looked == ["part0.wav", "part1.wav", "part2.wav"]
    assert home.run("-p", "parts").counts == {"cached": 4}
    assert sorted(path.name for path in (home.folder / "out" / "below").iterdir()) == [
        "a.part0.wav",
        "a.part1.wav",
        "a.part2.wav",
    ]


def test_a_changed_step_runs_again_with_only_what_follows_it(home: "Home") -> None:
    home.tone("a.wav")
    chain(home)
    home.run("-p", "chain")
    home.ran()

    chain(home, depth=2)
    assert home.run("-p", "chain").counts == {"done": 2}
    home.ran()

    # Another config, but the same result: what follows has got nothing new.
    chain(home, depth=2, flavour="fancy")
    assert home.run("-p", "chain").counts == {"done": 1, "cached": 1}
    assert home.ran() == {"look a.wav": 1}


def test_a_failed_step_blocks_only_what_follows_it(home: "Home") -> None:
    home.tone("a.wav")
    home.settings(BROKEN)

    summary = home.run("-p", "broken")

    assert summary.code == 1
    assert {row["step"]: row["state"] for row in summary.json["rows"]} == {
        "faulty.raise": "failed",
        "count.follow": "blocked",
        "count.look": "done",
    }
    (blocked,) = summary.rows(state="blocked")
    assert blocked["error"] == "It needs faulty.raise, which gave no result"


def test_a_killed_pipeline_is_finished_by_the_next_run(
    home: "Home", starts: "Starts", kill: "Callable[[subprocess.Popen[str]], None]"
) -> None:
    home.tone("a.wav")
    home.settings(SLOW)
    first = home.start("run", "media", "-p", "slow")
    wait_for_starts(starts, 2)
    kill(first)

    (home.folder / "open").touch()
    assert home.run("-p", "slow").code == 0

    assert home.ran()["follow a.wav"] == 1
    assert home.run("-p", "slow").counts == {"cached": 3}
    home.assert_sound()


def test_a_worker_finishes_pipelines_of_the_settings(
    home: "Home", starts: "Starts", kill: "Callable[[subprocess.Popen[str]], None]"
) -> None:
    home.tone("a.wav")
    home.settings(SLOW)
    first = home.start("run", "media", "-p", "slow")
    wait_for_starts(starts, 2)
    kill(first)

    (home.folder / "open").touch()
    drained = home.call("work", "--drain")

    # A step that follows two others comes too, though both may have ended in one commit.
    assert drained.code == 0, drained.err
    assert set(home.jobs()) == {"completed"}
    assert home.ran()["follow a.wav"] == 1
    assert home.run("-p", "slow").counts == {"cached": 3}


def test_two_runs_of_one_folder_compute_each_key_once(home: "Home", starts: "Starts") -> None:
    home.tones(12)
    first = home.start("run", "media", "-a", "count.wait", "--json")
    wait_for_starts(starts, 2)
    second = home.start("run", "media", "-a", "count.wait", "--json")
    # The second one takes over some of the first one's jobs, for it has workers of its own.
    wait_for_starts(starts, 2)
    (home.folder / "open").touch()

    summaries = [home.finish(process) for process in (first, second)]

    for summary in summaries:
        assert summary.code == 0, summary.err
        assert sum(summary.counts.values()) == summary.counts["done"] == 12
    assert home.ran() == {f"wait {index:03}.wav": 1 for index in range(12)}
    assert home.jobs() == {"completed": 12}
    home.assert_sound()


def test_jobs_are_cancelled_from_another_process(home: "Home", starts: "Starts") -> None:
    home.tones(3)
    run = home.start("run", "media", "-a", "count.wait", "-j", "1", "--json")
    wait_for_starts(starts, 1)
    home.ran()
    listed = home.call("jobs", "list", "--json").json
    running = next(job for job in listed if job["status"] == "processing")
    # With one worker and one job that takes long, the others wait.
    pending = next(job for job in listed if job["status"] == "pending")

    cancelled = home.call("jobs", "cancel", str(running["number"]), str(pending["number"]))
    wait_for_starts(starts, 1)
    (home.folder / "open").touch()
    summary = home.finish(run)

    assert cancelled.code == 0
    assert summary.code == 1
    assert summary.counts == {"done": 1, "cancelled": 2}
    assert home.jobs() == {"completed": 1, "cancelled": 2}
    home.assert_sound()

    both = [str(job["number"]) for job in (running, pending)]
    assert home.call("jobs", "retry", *both).code == 0
    home.ran()
    assert home.call("work", "--drain").code == 0
    assert home.jobs() == {"completed": 3}
    assert sum(home.ran().values()) == 2
    assert home.call("jobs", "retry", *both).code == 2


def test_a_plugin_that_fails_to_plan_is_named_and_costs_nobody_else(
    home: "Home", tmp_path: Path
) -> None:
    home.tone("a.wav")
    plugin = tmp_path / "planning.py"
    plugin.write_text(
        "from mediahost import hookimpl\n"
        "@hookimpl\n"
        "def mediahost_plan_jobs(media, proposed):\n"
        "    raise RuntimeError('no idea')\n"
    )
    plugins = f"{home.environ['MEDIAHOST_PLUGINS']}{os.pathsep}{plugin}"

    answer = home.run("-a", "count.look", environ={"MEDIAHOST_PLUGINS": plugins})

    assert answer.counts == {"done": 1}
    failed = f"The plugin {plugin} failed in mediahost_plan_jobs: RuntimeError: no idea"
    assert answer.err.count(failed) == 1


def wait_for_starts(starts: "Starts", number: int) -> None:
    for _ in range(number):
        starts.wait()
