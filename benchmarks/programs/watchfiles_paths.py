"""watchfiles as its documents show it: a line for each file that was added or modified."""

import json
import sys

from watchfiles import Change, watch

ready = False
for changes in watch(sys.argv[1], yield_on_timeout=True, rust_timeout=500, raise_interrupt=False):
    if not ready:
        print(json.dumps({"path": "ready"}), flush=True)
        ready = True
    for change, path in changes:
        if change is not Change.deleted:
            print(json.dumps({"path": path}), flush=True)
