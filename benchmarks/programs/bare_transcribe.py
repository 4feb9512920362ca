"""Transcribe one file by faster-whisper's batched pipeline alone, and print the words.

`bare_transcribe.py FOLDER FILE LANGUAGE`, the folder that of the model.
"""

import sys

from faster_whisper import BatchedInferencePipeline, WhisperModel

folder, path, language = sys.argv[1:]
model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=2)
segments, _ = BatchedInferencePipeline(model).transcribe(
    path, language=language, batch_size=8, word_timestamps=True
)
print("".join(segment.text for segment in segments))
