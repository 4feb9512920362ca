"""The host dies at each labelled point, and the next one does the rest: nothing lost or twice."""

import signal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from mediahost.host.crash import LABELS

if TYPE_CHECKING:
    from tests.integration.conftest import Home

FILES = 3
CUT = ("-a", "count.cut")
COMMITTED = ("committed", "publishing", "published")
# Each commit of a job, as the database itself sees it.
TRIGGER = """
CREATE TABLE commits (job TEXT, attempt INTEGER);
CREATE TRIGGER note_commits AFTER UPDATE OF status ON jobs WHEN NEW.status = 'completed'
BEGIN INSERT INTO commits VALUES (NEW.id, NEW.attempt); END;
"""


def published(home: "Home") -> dict[str, bytes]:
    folder = home.folder / "out"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("time", [1, 2])
def test_a_host_that_dies_here_loses_and_repeats_nothing(
    home: "Home", label: str, time: int
) -> None:
    home.tones(FILES)
    home.script(TRIGGER)
    crash = {"MEDIAHOST_CRASH_AT": f"{label}:{time}", "MEDIAHOST_WORKERS": "1"}
    died = home.call("run", "media", *CUT, "--output", "out", environ=crash)
    if died.code == 0 and time > 1:
        pytest.skip(f"{label} is reached once only")
    assert died.code == -signal.SIGKILL, died.err
    first = home.ran()
    committed = home.jobs().get("completed", 0)
    if label in COMMITTED:
        assert committed
    else:
        assert committed < FILES

    again = home.run(*CUT, "--output", "out")

    assert again.code == 0, again.err
    states = {"cached": committed, "done": FILES - committed}
    assert again.counts == {state: number for state, number in states.items() if number}
    # What was committed did not run again, and all else did, once.
    assert sum(home.ran().values()) == FILES - committed
    assert sum(first.values()) >= committed
    assert home.jobs() == {"completed": FILES}
    assert home.query("SELECT count(*), count(DISTINCT job) FROM commits") == [(FILES, FILES)]
    # A host that has something to run sweeps what dead ones left half-done.
    assert home.call("work", "--drain").code == 0
    home.assert_sound()
    # What an attempt kept that could not be committed any more is gone.
    kept = {path.name for path in (home.data / "artifacts").glob("*/*")}
    done = home.query("SELECT job, attempt FROM commits")
    assert kept == {f"{UUID(job)}.{attempt}" for job, attempt in done}
    files = published(home)
    assert len(files) == sum(len(row["artifacts"]) for row in again.json["rows"])
    assert not [name for name in files if name.startswith(".") or name.endswith(".part")]
