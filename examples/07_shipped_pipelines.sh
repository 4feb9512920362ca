#!/bin/sh
# The pipelines that come with mediahost, by name and without settings: docs/pipelines.md.
#
#     sh examples/07_shipped_pipelines.sh
set -eu

mediahost pipelines

# What pictures say of themselves, small copies, and hashes that find near-duplicates.
mediahost run examples/media --pipeline photos --output photos

# With a speech model, mediahost plugins install 'mediahost-speech[base]', this writes down what is said, too:
#
#     mediahost run examples/media --pipeline film --output films
