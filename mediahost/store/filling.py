"""A job's children, filled in from its result in the transaction that completes it.

All rows of a batch go in by one statement a table, however many jobs completed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from mediahost.model.job import new_job_ids
from mediahost.model.kinds import mime_type_of
from mediahost.ports import Completion
from mediahost.store.children import analysis_results, media_assets, transcriptions
from mediahost.store.dialect import plain_text, write_rows

_INSERT_ASSET = media_assets.insert()
_INSERT_TRANSCRIPTION = transcriptions.insert()
_INSERT_ANALYSIS = analysis_results.insert()

Rows = list[dict[str, Any]]


def fill_children(
    connection: Connection,
    completions: Sequence[Completion],
    documents: Sequence[Mapping[str, Any]],
) -> None:
    """Write the children of completed jobs, whose results `document_of` turned into these."""
    write_children(
        connection,
        (
            (each.job.token.job_id, original_of(each), document)
            for each, document in zip(completions, documents, strict=True)
        ),
    )


def original_of(completion: Completion) -> dict[str, Any]:
    """The media file that the job was about, as an asset."""
    media = completion.job.request.media
    return {
        "file_path": media.source,
        "file_size_bytes": completion.media_size,
        "mime_type": mime_type_of(media.path if media.url else media.source),
        "metadata": {"file_hash": media.file_hash},
    }


def write_children(
    connection: Connection,
    jobs: Iterable[tuple[UUID, Mapping[str, Any], Mapping[str, Any]]],
) -> None:
    """Write the children of jobs, each given by id, its original's row, and its result."""
    assets: Rows = []
    transcripts: Rows = []
    analyses: Rows = []
    for job_id, original, document in jobs:
        assets.append({"job_id": job_id, "asset_type": "original", **original})
        assets += _made(job_id, document.get("artifacts") or ())
        if said := document.get("transcription"):
            transcripts.append(_transcription(job_id, said))
        if thought := document.get("analysis"):
            analyses.append(_analysis(job_id, thought))
    for insert, rows in (
        (_INSERT_ASSET, assets),
        (_INSERT_TRANSCRIPTION, transcripts),
        (_INSERT_ANALYSIS, analyses),
    ):
        if rows:
            for row, child_id in zip(rows, new_job_ids(len(rows)), strict=True):
                row["id"] = child_id
            write_rows(connection, insert, rows)


def _made(job_id: UUID, artifacts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for artifact in artifacts:
        yield {
            "job_id": job_id,
            "asset_type": plain_text(artifact["asset_type"]),
            "file_path": artifact["path"],
            "file_size_bytes": artifact["size"],
            "mime_type": _plain(artifact["mime_type"]),
            "metadata": {**artifact["metadata"], "file_hash": artifact["file_hash"]},
        }


def _transcription(job_id: UUID, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "provider": plain_text(said["provider"]),
        "text_content": plain_text(said["text"]),
        "language": _plain(said["language"]),
        "confidence_score": said["confidence"],
        "word_timestamps": [
            {
                "word": word["text"],
                "start": word["start"],
                "end": word["end"],
                "probability": word["probability"],
            }
            for word in said["words"]
        ],
        "metadata": said["metadata"],
    }


def _analysis(job_id: UUID, thought: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "analysis_type": plain_text(thought["analysis_type"]),
        "summary": _plain(thought["summary"]),
        "detailed_analysis": thought["detailed"],
        "confidence_score": thought["confidence"],
        "model_used": _plain(thought["model"]),
        "prompt_used": _plain(thought["prompt"]),
        "input_tokens": thought["input_tokens"],
        "output_tokens": thought["output_tokens"],
    }


def _plain(words: str | None) -> str | None:
    return None if words is None else plain_text(words)
