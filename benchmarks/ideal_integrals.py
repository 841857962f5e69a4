"""Time the ideal integrals of one frequency group at p = 1009: closed form against scipy and mpmath, in one run.

Run ``python benchmarks/ideal_integrals.py``. The closed form computes all d and m = 0 … 32; scipy (QUADPACK between the
zeros of H) and mpmath (30 digits, piece by piece) do one waveform at a time, are timed on a sample and scaled to the
same number of integrals. All are checked against each other on the sample.
"""

import time
from typing import Any

import numpy as np

from quadlens.quadrature.adaptive import adaptive_harmonics
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.high_precision import harmonics_to_digits
from quadlens.quadrature.waveform import group_waveform

P, HIGHEST, SAMPLE = 1009, 32, 4


def ideal_integrals() -> dict[str, Any]:
    """Return seconds for all d by each way and the largest difference between them on the sample."""
    coefficients = group_waveform(P, 17, 0.98, 1.02, -0.10, -0.125, 0.2)
    harmonics = np.arange(HIGHEST + 1)
    waveform_harmonics(coefficients[:2], harmonics)
    start = time.perf_counter()
    closed = waveform_harmonics(coefficients, harmonics)
    out: dict[str, Any] = {"integrals": closed.size, "seconds": time.perf_counter() - start}
    rows = np.linspace(0, P - 1, SAMPLE).astype(int)
    for name, way in (("scipy", adaptive_harmonics), ("mpmath", harmonics_to_digits)):
        way(coefficients[:1], [0])
        start = time.perf_counter()
        found = way(coefficients[rows], harmonics)
        out[f"{name}_seconds"] = (time.perf_counter() - start) * P / SAMPLE
        out[f"{name}_difference"] = float(np.abs(found.astype(np.complex128) - closed[rows]).max())
    return out


def main() -> None:
    """Print the times, their ratios and the largest differences on the sample."""
    found = ideal_integrals()
    print(f"p = {P}, every d, m = 0 … {HIGHEST}: {found['integrals']} integrals")
    print(f"closed form   {found['seconds']:9.3f} s")
    for name in ("scipy", "mpmath"):
        seconds, apart = found[f"{name}_seconds"], found[f"{name}_difference"]
        print(f"{name:<13} {seconds:9.1f} s  {seconds / found['seconds']:9.0f} times; differs by {apart:.1e} at most")


if __name__ == "__main__":
    main()
