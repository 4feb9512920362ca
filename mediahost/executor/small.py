"""A small mediahost: the part of it that workers need, as a wheel for other environments."""

import base64
import hashlib
from importlib.metadata import requires
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import mediahost

# What a worker imports; the rest of mediahost needs a database, a terminal and more.
PARTS = ("executor", "model", "plugin")
# Of mediahost's own requirements these are a worker's.
NEEDED = ("blake3", "platformdirs", "pluggy", "pydantic")

_ENTRY_POINTS = """\
[mediahost]
builtin = mediahost.plugin.builtin
"""
_WHEEL = """\
Wheel-Version: 1.0
Generator: mediahost
Root-Is-Purelib: true
Tag: py3-none-any
"""


def write_wheel(folder: Path) -> Path:
    """Write the wheel, with the version and the very files of this mediahost.

    To an environment it is mediahost itself: a plugin that requires mediahost is content with it.
    """
    name = f"mediahost-{mediahost.__version__}"
    path = folder / f"{name}-py3-none-any.whl"
    info = f"{name}.dist-info"
    files = _sources() | {
        f"{info}/METADATA": _metadata().encode(),
        f"{info}/WHEEL": _WHEEL.encode(),
        f"{info}/entry_points.txt": _ENTRY_POINTS.encode(),
    }
    record = "".join(f"{name},{_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with ZipFile(path, "w", ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    return path


def _sources() -> dict[str, bytes]:
    package = Path(mediahost.__file__).parent
    paths = [*package.glob("*.py"), package / "py.typed"]
    for part in PARTS:
        paths += (package / part).rglob("*.py")
    return {f"mediahost/{path.relative_to(package)}": path.read_bytes() for path in sorted(paths)}


def _metadata() -> str:
    lines = ["Metadata-Version: 2.1", "Name: mediahost", f"Version: {mediahost.__version__}"]
    lines += [
        f"Requires-Dist: {one}"
        for one in requires("mediahost") or ()
        if one.startswith(NEEDED) and "extra ==" not in one
    ]
    return "\n".join([*lines, ""])


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"
