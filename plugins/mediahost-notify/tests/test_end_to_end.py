"""The program itself tells a webhook what became of its jobs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mediahost.testing import write_wav

PATIENCE_S = 120
PLUGIN = '''
from mediahost import Analyzer, InvalidMedia, MediaAnalysisResult, hookimpl


class Judge(Analyzer, name="judge.name", version=1):
    """Damaged is what is called so."""

    def analyze(self, media, context):
        if "damaged" in media.path.name:
            raise InvalidMedia("It is damaged")
        return MediaAnalysisResult()


@hookimpl
def mediahost_register_actions():
    return [Judge]
'''


def test_a_run_tells_a_webhook_what_failed_and_that_it_has_finished(
    tmp_path: Path, hook: Any
) -> None:
    plugin = tmp_path / "judge.py"
    plugin.write_text(PLUGIN)
    media = tmp_path / "media"
    media.mkdir()
    for number, name in enumerate(("fine.wav", "damaged.wav", "also fine.wav")):
        write_wav(media / name, (0.1, 300 + number))
    (tmp_path / "notify.toml").write_text(
        f"""
        [[plugins.notify.rules]]
        to = "json://127.0.0.1:{hook.port}/${{HOOK_PATH}}"
        every_s = 3600
        """
    )
    answer = subprocess.run(
        [
            *(Path(sys.executable).with_name("mediahost"), "--settings", "notify.toml"),
            *("run", "media", "-a", "judge.name"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "MEDIAHOST_DATA_DIR": str(tmp_path / "data"),
            "MEDIAHOST_PLUGINS": str(plugin),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "HOOK_PATH": "hook",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert answer.returncode == 1, answer.stderr
    path, message = hook.messages.get(timeout=PATIENCE_S)
    assert path == "/hook"
    assert message["type"] == "failure"
    lines = message["message"].splitlines()
    assert lines[0].startswith("A run has finished: 2 done, 1 failed in ")
    assert lines[1:] == ["✖ judge.name damaged.wav: It is damaged"]
    assert hook.is_empty()
