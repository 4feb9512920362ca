"""The least that a Python program can do to see whether files changed: list and stat them."""

import os
import sys

waiting = [sys.argv[1]]
sizes = 0
while waiting:
    with os.scandir(waiting.pop()) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                sizes += entry.stat(follow_symlinks=False).st_size
