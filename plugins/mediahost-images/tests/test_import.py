"""Listing plugins must not load what only a worker needs."""

import subprocess
import sys


def test_importing_the_plugin_loads_no_pillow() -> None:
    code = (
        "import mediahost_images, sys; "
        "print([name for name in ('PIL', 'numpy', 'pillow_heif') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
