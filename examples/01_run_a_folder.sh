#!/bin/sh
# Analyse and convert a folder; the second time everything is cached.
#
#     sh examples/01_run_a_folder.sh [FOLDER]
set -eu

folder=${1:-examples/media}

mediahost run "$folder" --action av.probe --action speech.vad
mediahost run "$folder" --action av.convert:format=mp3 --output converted

# Nothing is left to do. The files could have been renamed or moved meanwhile.
mediahost run "$folder" --action av.probe --action speech.vad --action av.convert:format=mp3
