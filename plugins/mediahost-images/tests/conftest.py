"""Real pictures, free to use: see media/ATTRIBUTION.md."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent / "media"
SHARED = Path(__file__).parents[3] / "examples" / "media"


@pytest.fixture(scope="session")
def railway() -> Path:
    """A photograph, 1280x960, progressive JPEG with EXIF and a colour profile."""
    return SHARED / "railway.jpg"


@pytest.fixture(scope="session")
def upside_down() -> Path:
    """A photograph, 640x480, of a phone held upside down, with the place where it was taken."""
    return HERE / "upside_down.jpg"


@pytest.fixture(scope="session")
def drawing() -> Path:
    """A PNG with transparency, 800x600."""
    return HERE / "debian.png"


@pytest.fixture(scope="session")
def logo() -> Path:
    """A PNG with a palette, 100x123."""
    return HERE / "logo.png"
