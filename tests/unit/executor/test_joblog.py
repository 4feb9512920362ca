from pathlib import Path

import pytest

from mediahost.executor import joblog
from mediahost.executor.joblog import JobLog


def test_a_log_is_made_with_its_folder_when_there_is_something_to_write(tmp_path: Path) -> None:
    log = JobLog(str(tmp_path / "logs" / "job.log"))
    assert not (tmp_path / "logs").exists()
    log.write(b"one\n")
    log.write(b"two\n")
    log.close()
    assert (tmp_path / "logs" / "job.log").read_text() == "one\ntwo\n"


def test_a_later_attempt_appends(tmp_path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        log = JobLog(str(tmp_path / "job.log"))
        log.write(line)
        log.close()
    assert (tmp_path / "job.log").read_text() == "one\ntwo\n"


def test_a_flood_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblog, "MAX_BYTES", 100)
    log = JobLog(str(tmp_path / "job.log"))
    for _ in range(50):
        log.write(b"x" * 10)
    log.close()
    assert (tmp_path / "job.log").read_text().endswith("... and more, which was not kept\n")
    assert (tmp_path / "job.log").stat().st_size < 200


def test_a_log_that_can_not_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = JobLog(str(tmp_path / "file" / "job.log"))
    log.write(b"the last words\n")
    log.close()
    assert log.last_words == "the last words"


def test_the_last_words_come_before_the_traceback_of_a_crash() -> None:
    log = JobLog()
    log.write(b"reading\nmoov atom not found\nFatal Python error: Aborted\n  File x.py\n")
    assert log.last_words == "moov atom not found"
    assert JobLog().last_words == ""
