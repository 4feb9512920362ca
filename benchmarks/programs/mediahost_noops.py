"""Durable no-ops by mediahost: `submit NUMBER`, `work` until none is left, or `done`: which are.

Run with the settings of the environment. Each job notes its number in the file RAN.
"""

import sys
from pathlib import Path

from benchmarks.corpus import recordings
from mediahost.hashing import config_hash, hash_file
from mediahost.model.job import JobRequest, JobStatus
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.settings import load_settings
from mediahost.wiring import make_host

ACTION = "bench.note"


def main() -> None:
    """Do what was asked."""
    with make_host(load_settings()) as host:
        if sys.argv[1] == "work":
            host.work(forever=False)
            return
        if sys.argv[1] == "done":
            jobs = host.store.jobs(statuses=[JobStatus.COMPLETED], limit=1 << 31)
            print(*(job.parameters["config"]["number"] for job in jobs))
            return
        media = _media(next(recordings(1).rglob("*.wav")))
        host.store.submit([_request(media, number) for number in range(int(sys.argv[2]))])


def _media(path: Path) -> MediaFile:
    return MediaFile(path, MediaKind.AUDIO, hash_file(path)[0])


def _request(media: MediaFile, number: int) -> JobRequest:
    config = {"number": number}
    return JobRequest(ACTION, 1, config, media, config_hash(ACTION, 1, config, {}, "blake3"))


if __name__ == "__main__":
    main()
