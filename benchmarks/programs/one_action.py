"""Run one action on one file, and print the largest size that this process had."""

import json
import resource
import sys
import tempfile

from mediahost.testing import run_action
from mediahost.testing.run import installed_plugins

name, path = sys.argv[1:]
with tempfile.TemporaryDirectory() as workdir:
    run_action(installed_plugins().action(name).configured({}), path, workdir=workdir)
kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"largest_mb": kibibytes / 1024}))
