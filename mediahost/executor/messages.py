"""Messages: attempts and their ends as plain values, to cross a process."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from mediahost.model.job import Token
from mediahost.model.media import MediaFile
from mediahost.model.paths import path_to_url, url_to_path
from mediahost.model.result import result_to_text
from mediahost.ports import AttemptSpec, Ended


def spec_to_json(spec: AttemptSpec) -> dict[str, Any]:
    """Plain values."""
    return {
        "token": [spec.token.job_id.hex, spec.token.attempt],
        "action": spec.action,
        "config": dict(spec.config),
        "media": spec.media.to_json(),
        "inputs": dict(spec.inputs),
        "workdir": path_to_url(spec.workdir),
        "log_path": path_to_url(spec.log_path),
        "timeout_s": spec.timeout_s,
        "threads": spec.threads,
        "algorithm": spec.algorithm,
        "shared": spec.shared,
        "variables": spec.variables,
    }


def spec_from_json(data: dict[str, Any]) -> AttemptSpec:
    """What `spec_to_json` gave."""
    job_id, attempt = data["token"]
    return AttemptSpec(
        Token(UUID(job_id), attempt),
        data["action"],
        data["config"],
        MediaFile.from_json(data["media"]),
        url_to_path(data["workdir"]),
        url_to_path(data["log_path"]),
        data["inputs"],
        data["timeout_s"],
        data["threads"],
        data["algorithm"],
        shared=data["shared"],
        variables=tuple(data["variables"]),
    )


def ended_to_json(ended: Ended) -> dict[str, Any]:
    """Plain values."""
    return {
        "outcome": str(ended.outcome),
        # As text: it is read by what checks it, not by what reads the message.
        "result": ended.result and result_to_text(ended.result).decode(),
        "result_hash": ended.result_hash,
        "failure": ended.failure and asdict(ended.failure),
        "elapsed_ms": ended.elapsed_ms,
    }
