"""watchdog as its documents show it: a line for each file that was closed, moved or made."""

import json
import sys
import time

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Lines(FileSystemEventHandler):
    """Says the paths."""

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Say the path, but for folders and for what only opens or reads."""
        if event.is_directory or event.event_type not in ("created", "closed", "moved"):
            return
        path = event.dest_path if event.event_type == "moved" else event.src_path
        print(json.dumps({"path": path}), flush=True)


observer = Observer()
observer.schedule(Lines(), sys.argv[1], recursive=True)
observer.start()
print(json.dumps({"path": "ready"}), flush=True)
try:
    while observer.is_alive():
        time.sleep(1)
except KeyboardInterrupt:
    observer.stop()
