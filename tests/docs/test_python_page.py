"""docs/python.md: every program on the page runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_programs_on_the_page_run(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    programs = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in programs] == ["caches.py", "repositories.py", "awaited.py"]
    shutil.copytree(ROOT / "examples" / "media", tmp_path / "examples" / "media")
    script = "\n".join(code for _, code in programs)
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout == "['completed']\n"
