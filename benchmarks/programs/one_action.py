"""Run one action on one file, and print the largest size that this process had."""

import json
import re
import sys
import tempfile
from pathlib import Path

from mediahost.testing import run_action
from mediahost.testing.run import installed_plugins

name, path = sys.argv[1:]
with tempfile.TemporaryDirectory() as workdir:
    run_action(installed_plugins().action(name).configured({}), path, workdir=workdir)
# Not getrusage's: that counts the program which started this one, too, before it became this one.
(kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(json.dumps({"largest_mb": int(kibibytes) / 1024}))
