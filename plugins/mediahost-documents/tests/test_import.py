"""Listing plugins must not load what only a worker needs."""

import subprocess
import sys


def test_importing_the_plugin_loads_no_pdfium_and_no_pillow() -> None:
    code = (
        "import mediahost_documents, sys; "
        "print([name for name in ('pypdfium2', 'pypdfium2_raw', 'PIL') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
