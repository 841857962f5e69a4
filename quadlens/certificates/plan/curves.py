r"""The curves that the neurons of one frequency share: weighted means of their waveforms.

    A[a, i] = r_i Re Σ_m α_{i,m} e^{imθ} + …,   θ = ωka + φ_i,   α_{i,m} = ν_m Â_{mk} e^{−imφ_i} / r_i    (and B)

``m = 0 … HARMONICS``, at most half the order of k mod p. ``φ_i`` is the phase of the neuron's cell.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.plan.keys import harmonics_of
from quadlens.certificates.plan.plan import LIMIT, quantised
from quadlens.circuits.circuit import Circuit

SIGNIFICANT = 3.0
"""A harmonic enters a curve if its mean over the neurons is this many standard errors from zero."""

HARMONICS = 8
"""Highest harmonic of a curve."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """Some neurons: which (``members``), their cells of ``cells`` in all, amplitudes and weights, one each."""

    members: IntArray
    cell: IntArray
    cells: int
    amplitude: FloatArray
    weight: FloatArray


def mean_curves(circuit: Circuit, placed: Placed, k: int) -> tuple[FloatArray, FloatArray]:
    """Return the curves ``A, B`` (G,): the significant harmonics of the weighted mean over the neurons."""
    order = circuit.p // gcd(k, circuit.p)
    m = np.arange(min(order // 2, HARMONICS) + 1)
    factor = np.where((m == 0) | (2 * m == order), 1.0, 2.0)
    roots = np.exp(-2j * np.pi / placed.cells * np.arange(placed.cells))
    turn = roots[np.outer(m, placed.cell) % placed.cells]
    r = placed.amplitude
    scale = np.divide(1.0, r, out=np.zeros(r.size), where=r > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        both = [
            harmonics_of(table, placed.members, m * k % circuit.p) * turn * scale * factor[:, None]
            for table in (circuit.A, circuit.B)
        ]
    found = np.nan_to_num(np.array(both), nan=0.0, posinf=LIMIT, neginf=-LIMIT)
    share = placed.weight / placed.weight.sum()
    mean = found @ share
    variance = np.abs(found - mean[:, :, None]) ** 2 @ share
    significant = np.abs(mean) ** 2 > SIGNIFICANT**2 * variance * float((share**2).sum())
    half = np.zeros((2, placed.cells // 2 + 1), dtype=np.complex128)
    half[:, : m.size] = np.where(significant, mean, 0.0) * (placed.cells / 2)
    half[:, 0] *= 2
    A, B = np.fft.irfft(half, placed.cells, axis=1)
    return quantised(A), quantised(B)
