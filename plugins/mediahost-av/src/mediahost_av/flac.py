"""The length in a FLAC file's header, which FFmpeg copies from the source with the packets."""

from pathlib import Path

# RFC 9639: `fLaC`, a block header of 4 bytes, then STREAMINFO. In it, 36 bits of the number of
# samples end at byte 18; 16 bytes of MD5 of all samples follow, zero if it is not known.
SAMPLES_AT = 4 + 4 + 13
MD5_BYTES = 16


def set_length(path: Path, samples: int) -> None:
    """Write the true number of samples per channel into the header; of their MD5 nothing is known.

    0 samples stands for an unknown number.
    """
    with path.open("r+b") as file:
        if file.read(4) != b"fLaC":
            return
        file.seek(SAMPLES_AT)
        # The upper 4 bits of the 5 bytes belong to the bits per sample.
        first = file.read(1)[0] & 0xF0
        length = samples if samples < 1 << 36 else 0
        file.seek(SAMPLES_AT)
        file.write(((first << 32) | length).to_bytes(5, "big") + bytes(MD5_BYTES))
