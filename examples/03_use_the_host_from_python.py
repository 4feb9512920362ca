"""Use the host from Python: who speaks when in a folder, as lines of text.

    python examples/03_use_the_host_from_python.py [FOLDER]

Run it twice: the second time nothing is computed.
"""

import sys

from mediahost.model.pipeline import Pipeline, Step
from mediahost.settings import load_settings
from mediahost.wiring import make_host

SPEECH = Pipeline(name="speech", steps=(Step(action="speech.vad", config={"threshold": 0.6}),))


def main(folder: str) -> None:
    """Print a line for each stretch of speech."""
    with make_host(load_settings()) as host:
        summary = host.run([folder], host.recipe(SPEECH))
        found = host.store.load_results({row.key for row in summary.rows if row.key})
        for row in summary.rows:
            print(f"{row.media_url}: {row.state}")
            if row.error:
                print(f"  {row.error}")
            if row.key in found:
                for speech in found[row.key].result.ranges:
                    print(f"  {speech.start:.1f} s to {speech.end:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "examples/media")
