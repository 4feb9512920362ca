"""Draw the screenshots of the TUI from real runs: `make screenshots`.

The example media are run through the installed plugins into a store of their own, and the TUI is
opened on it without a terminal.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mediahost.plugin.registry import Registry
from mediahost.settings import Settings
from mediahost.tui.app import MediahostApp
from mediahost.tui.session import Session
from mediahost.wiring import make_store

HERE = Path(__file__).parent
MEDIA = HERE.parent.parent / "examples" / "media"
PROGRAM = Path(sys.executable).with_name("mediahost")
ACTIONS = (
    "av.probe",
    "av.contact_sheet",
    "images.thumbnail",
    "documents.text",
    "audio.loudness",
    "hello.halves",
    "speech.vad",
)
SIZE = (110, 32)
# By the file's name: the theme, and what is pressed.
SHOTS = {
    "jobs": ("dark", ("slash", *"-plugin:hello", "enter", "enter")),
    "loudness": ("light", ("slash", *"plugin:audio", "enter", "enter")),
    "picture": ("dark", ("slash", *"action:av.contact_sheet", "enter", "enter")),
    "plugins": ("dark", ("3", *["down"] * 8)),
}
# A picture in a page must not fetch a font from elsewhere.
FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    """Run the actions, then draw each screen."""
    with tempfile.TemporaryDirectory() as folder:
        media = Path(folder) / "Recordings"
        shutil.copytree(MEDIA, media)
        settings = Settings(data_dir=Path(folder) / "data")
        asked = [part for action in ACTIONS for part in ("--action", action)]
        subprocess.run(
            [PROGRAM, "run", media, *asked],
            env={**os.environ, "MEDIAHOST_DATA_DIR": str(settings.data_dir)},
            check=True,
        )
        for name, (theme, keys) in SHOTS.items():
            drawn = asyncio.run(draw(settings, theme, keys))
            (HERE / f"{name}.svg").write_text(FONT.sub("", drawn), "utf-8")


async def draw(settings: Settings, theme: str, keys: tuple[str, ...]) -> str:
    """One screen as SVG, after these keys."""
    session = Session(settings, make_store(settings), Registry.load())
    app = MediahostApp(session, theme=theme)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(1.0)
            for key in keys:
                await pilot.press(key)
                if key == "enter":
                    await pilot.pause(0.5)
            await pilot.pause(1.0)
            return app.export_screenshot()
    finally:
        session.close()


if __name__ == "__main__":
    main()
