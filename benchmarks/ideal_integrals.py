"""Time the ideal integrals of one frequency group at p = 1009, closed form against the scipy loop, in one run.

Run ``python benchmarks/ideal_integrals.py``. The closed form computes all d and m = 0 … 32; the scipy loop, one
integral at a time, is timed on a sample of d and scaled to the same number of integrals. Both are checked against each
other on the sample.
"""

import time

import numpy as np

from quadlens.quadrature.adaptive import adaptive_harmonics
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.waveform import group_waveform

P, HIGHEST, SAMPLE = 1009, 32, 4


def main() -> None:
    """Print the two times, their ratio and the largest difference on the sample."""
    coefficients = group_waveform(P, 17, 0.98, 1.02, -0.10, -0.125, 0.2)
    harmonics = np.arange(HIGHEST + 1)
    waveform_harmonics(coefficients[:2], harmonics)
    start = time.perf_counter()
    closed = waveform_harmonics(coefficients, harmonics)
    closed_seconds = time.perf_counter() - start

    rows = np.linspace(0, P - 1, SAMPLE).astype(int)
    adaptive_harmonics(coefficients[:1], [0])
    start = time.perf_counter()
    adaptive = adaptive_harmonics(coefficients[rows], harmonics)
    adaptive_seconds = (time.perf_counter() - start) * P / SAMPLE

    print(f"p = {P}, every d, m = 0 … {HIGHEST}: {closed.size} integrals")
    print(f"closed form   {closed_seconds:9.3f} s")
    print(f"scipy loop    {adaptive_seconds:9.1f} s  (scaled from {adaptive.size} integrals)")
    print(f"ratio         {adaptive_seconds / closed_seconds:9.0f}")
    print(f"largest difference on the sample {np.abs(adaptive - closed[rows]).max():.1e}")


if __name__ == "__main__":
    main()
