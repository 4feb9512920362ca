"""Benchmarks: ours beside floors and peers, measured in the same run."""
