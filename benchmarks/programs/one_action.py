"""Run one action on one file, and print the largest size that this process had.

`one_action.py ACTION FILE [CONFIG]`, the config in JSON.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

from mediahost import Context, MediaFile
from mediahost.hashing import DEFAULT_ALGORITHM
from mediahost.plugin.attempt import run_attempt
from mediahost.testing.run import installed_plugins

name, path, *configs = sys.argv[1:]
registry = installed_plugins()
with tempfile.TemporaryDirectory() as workdir:
    # Not `run_action`, which keeps all that the action says: 40 MB of an hour's progress.
    context = Context(staging=workdir)
    action = registry.action(name).configured(json.loads(configs[0]) if configs else {})
    run_attempt(registry, action, MediaFile.at(Path(path)), context, DEFAULT_ALGORITHM)
# Not getrusage's: that counts the program which started this one, too, before it became this one.
(kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({"largest_mb": int(kibibytes) / 1024}))
