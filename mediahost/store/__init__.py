"""What remembers: jobs, cached results and hashes of files, in one database.

Each name loads on first use: a run that finds everything cached needs no database library at all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediahost.model.job import JobStatus
    from mediahost.model.schemas import (
        AnalysisResultCreate,
        AnalysisResultResponse,
        AssetType,
        JobCreate,
        JobResponse,
        JobType,
        MediaAssetCreate,
        MediaAssetResponse,
        TranscriptionCreate,
        TranscriptionResponse,
    )
    from mediahost.store.aio import (
        async_session_factory,
        close_db,
        get_session,
        init_db,
        test_connection,
    )
    from mediahost.store.children import AnalysisResult, MediaAsset, Transcription
    from mediahost.store.memory import MemoryStore
    from mediahost.store.repositories import (
        AnalysisResultRepository,
        JobRepository,
        MediaAssetRepository,
        TranscriptionRepository,
    )
    from mediahost.store.sessions import open_session
    from mediahost.store.storages import (
        MediaAnalysisRow,
        MediaAnalysisStorage,
        MediaProcessingRow,
        MediaProcessingStorage,
    )
    from mediahost.store.store import SqlStore, open_store
    from mediahost.store.tables import Job
    from mediahost.store.tables import Record as Base

_HOMES = {
    "AnalysisResult": "store.children",
    "AnalysisResultCreate": "model.schemas",
    "AnalysisResultRepository": "store.repositories",
    "AnalysisResultResponse": "model.schemas",
    "AssetType": "model.schemas",
    "Base": "store.tables",
    "Job": "store.tables",
    "JobCreate": "model.schemas",
    "JobRepository": "store.repositories",
    "JobResponse": "model.schemas",
    "JobStatus": "model.job",
    "JobType": "model.schemas",
    "MediaAnalysisRow": "store.storages",
    "MediaAnalysisStorage": "store.storages",
    "MediaAsset": "store.children",
    "MediaAssetCreate": "model.schemas",
    "MediaAssetRepository": "store.repositories",
    "MediaAssetResponse": "model.schemas",
    "MediaProcessingRow": "store.storages",
    "MediaProcessingStorage": "store.storages",
    "MemoryStore": "store.memory",
    "SqlStore": "store.store",
    "Transcription": "store.children",
    "TranscriptionCreate": "model.schemas",
    "TranscriptionRepository": "store.repositories",
    "TranscriptionResponse": "model.schemas",
    "async_session_factory": "store.aio",
    "close_db": "store.aio",
    "get_session": "store.aio",
    "init_db": "store.aio",
    "open_session": "store.sessions",
    "open_store": "store.store",
    "test_connection": "store.aio",
}

# The document's name for what all tables share.
_CALLED = {"Base": "Record"}

__all__ = [
    "AnalysisResult",
    "AnalysisResultCreate",
    "AnalysisResultRepository",
    "AnalysisResultResponse",
    "AssetType",
    "Base",
    "Job",
    "JobCreate",
    "JobRepository",
    "JobResponse",
    "JobStatus",
    "JobType",
    "MediaAnalysisRow",
    "MediaAnalysisStorage",
    "MediaAsset",
    "MediaAssetCreate",
    "MediaAssetRepository",
    "MediaAssetResponse",
    "MediaProcessingRow",
    "MediaProcessingStorage",
    "MemoryStore",
    "SqlStore",
    "Transcription",
    "TranscriptionCreate",
    "TranscriptionRepository",
    "TranscriptionResponse",
    "async_session_factory",
    "close_db",
    "get_session",
    "init_db",
    "open_session",
    "open_store",
    "test_connection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mediahost.store' has no attribute {name!r}")
    value = getattr(import_module(f"mediahost.{_HOMES[name]}"), _CALLED.get(name, name))
    globals()[name] = value
    return value
