"""Results as plain JSON documents, for a column and back.

The tables of cached results have the documented columns, and none for what a result lacks: it is
the first member of their column `metadata`, where SQLite finds it without reading the rest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mediahost.cached import MISSING
from mediahost.model.completeness import COMPLETE, Completeness
from mediahost.model.paths import path_to_url, url_to_path
from mediahost.model.result import Artifact, MediaProcessingResult, Result, result_from_json
from mediahost.store.spelling import Spelled

_NO_MEMBERS, _NO_ITEMS = Spelled({}), Spelled([])


def spelled_document_of(result: Result) -> tuple[Spelled, dict[str, Spelled | None]]:
    """The result as JSON, and each member of it for a column of its own: None is NULL there.

    What is large is spelled once, however many columns it goes to.
    """
    members = document_of(result)
    columns: dict[str, Spelled | None] = {}
    told = f'{{"kind":"{result.kind}"'
    for name, value in members.items():
        if name != "kind":
            columns[name] = each = _spelled(value)
            told += f',"{name}":{each.text if each else "null"}'
    if not result.completeness.complete:
        columns["metadata"] = Spelled({MISSING: members["completeness"], **members["metadata"]})
    return Spelled(members, told + "}"), columns


def _spelled(value: Any) -> Spelled | None:
    if value is None:
        return None
    # Most members are empty.
    if value == {}:
        return _NO_MEMBERS
    return _NO_ITEMS if value == [] else Spelled(value)


def document_of(result: Result) -> dict[str, Any]:
    """The result as plain JSON; paths are in the form of `path_to_url`."""
    if isinstance(result, MediaProcessingResult):
        artifacts = [_artifact_document(artifact) for artifact in result.artifacts]
        document = result.model_dump(mode="json", exclude={"artifacts"})
        return {**document, "artifacts": artifacts}
    # What `model_dump` calls, a third of the time.
    plain: dict[str, Any] = result.__pydantic_serializer__.to_python(result, mode="json")
    return plain


def _artifact_document(artifact: Artifact) -> dict[str, Any]:
    # By itself: pydantic can't write a path whose bytes aren't UTF-8.
    document = artifact.model_dump(mode="json", exclude={"path"})
    return {"path": path_to_url(artifact.path), **document}


def metadata_apart(column: Mapping[str, Any] | None) -> tuple[dict[str, Any], Completeness]:
    """Of a column `metadata`, the result's own metadata, and how whole the result is."""
    if not column or MISSING not in column:
        return dict(column or {}), COMPLETE
    own = {name: value for name, value in column.items() if name != MISSING}
    return own, _completeness(column[MISSING])


def metadata_together(column: Mapping[str, Any]) -> dict[str, Any]:
    """A column `metadata` in the order that it is written in, whatever has reordered it."""
    own = {name: value for name, value in column.items() if name != MISSING}
    return {MISSING: column[MISSING], **own} if MISSING in column else own


def _completeness(document: Any) -> Completeness:
    try:
        return Completeness.model_validate(document)
    except ValidationError:  # of another program, or of a later version
        return Completeness(note="what is missing is not known")


def missing_of(document: Any) -> str:
    """What a result lacks, in one line, of the JSON under `MISSING`; empty for None."""
    return _completeness(document).describe() if document else ""


def result_of(document: Mapping[str, Any]) -> Result:
    """The result that `document_of` made this of."""
    artifacts = document.get("artifacts")
    if artifacts is None:
        return result_from_json(document)
    return result_from_json({**document, "artifacts": [_with_path(each) for each in artifacts]})


def _with_path(artifact: Mapping[str, Any]) -> dict[str, Any]:
    return {**artifact, "path": Path(url_to_path(artifact["path"]))}
