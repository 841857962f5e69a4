"""Measurements of speed and memory: ``python -m benchmarks``. Ratios are against a baseline named in the same run."""
