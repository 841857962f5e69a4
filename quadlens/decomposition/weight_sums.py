r"""The sums over neurons that an ideal's terms are made of: read off the weights, whatever the waveforms.

With ``v_{i,z} = 2 Û_{i,z}``, α the slope below the kink, φ the phases and p_k the neurons of key frequency k:

    T_{k,m,z}    = (1 − α)/2 Σ_{i in p_k} r_i e^{imφ_i} v_{i,z}
    D_{k,m,q,z}  = (1 − α)/2 Σ_{i in p_k} e^{imφ_i} Â_{q,i} v_{i,z},        and the same of B
    L_{q,z}      = (1 + α)/2 Σ_i Â_{q,i} v_{i,z},                            and the same of B
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.phase_modulation import HIGHEST_MULTIPLE, PhaseModulation
from quadlens.form.amplitude_phase import AmplitudePhaseForm

HIGHEST_ORDER = 12
"""M: the ideal's terms have |m| ≤ M."""

_ALL_ORDERS = HIGHEST_ORDER + HIGHEST_MULTIPLE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightSums:
    """``T (population, m, z)`` for |m| ≤ M + the highest multiple, ``D (population, side, m, q, z)`` for |m| ≤ M and
    ``L (side, q, z)`` at the output frequencies ``outputs``.
    """

    p: int
    outputs: IntArray
    T: ComplexArray
    D: ComplexArray
    L: ComplexArray

    @property
    def sums(self) -> ComplexArray:
        """``T`` for |m| ≤ M."""
        return np.asarray(self.T[:, HIGHEST_MULTIPLE:-HIGHEST_MULTIPLE])

    def first_order(self, population: int, waveform: PhaseModulation) -> ComplexArray:
        """Return the same as D of what the waveform leaves, shape (side, m, q, z).

        A constant belongs to neither side; the second holds all of it.
        """
        left: ComplexArray = self.D[population].copy()
        orders = np.arange(-HIGHEST_ORDER, HIGHEST_ORDER + 1)
        for (q, multiple), *pair in zip(waveform.waves.tolist(), waveform.A, waveform.B, strict=True):
            for side, coefficient in enumerate(pair):
                # Re(x e^{ilφ}) is half of it and half of its conjugate, which stands at −q
                for at, turn, value in ((q, multiple, coefficient), (-q % self.p, -multiple, coefficient.conj())):
                    left[side, :, at] -= value / 2 * self.T[population, orders + turn + _ALL_ORDERS]
        left[1, :, 0] += left[0, :, 0]
        left[0, :, 0] = 0
        return left


def weight_sums(
    circuit: Circuit,
    form: AmplitudePhaseForm,
    tables: tuple[ComplexArray, ComplexArray],
    populations: Sequence[IntArray],
    outputs: IntArray,
) -> WeightSums:
    """Return the sums. Cost O(pn) with 2M + 1 times the number of outputs as the constant."""
    p, slope = circuit.p, negative_slope(circuit.activation)
    v = 2 / p * circuit.U @ np.exp(-2j * np.pi / p * (np.outer(np.arange(p), outputs) % p))
    every, orders = np.arange(-_ALL_ORDERS, _ALL_ORDERS + 1), np.arange(-HIGHEST_ORDER, HIGHEST_ORDER + 1)
    T = np.empty((len(populations), every.size, outputs.size), dtype=np.complex128)
    D = np.empty((len(populations), 2, orders.size, p, outputs.size), dtype=np.complex128)
    for index, members in enumerate(populations):
        mine = (1 - slope) / 2 * v[members]
        T[index] = (np.exp(1j * np.outer(every, form.phi[members])) * form.r[members]) @ mine
        turned = np.exp(1j * np.outer(form.phi[members], orders))[:, :, None] * mine[:, None, :]
        for side, table in enumerate(tables):
            at_q = _two_sided(p, table[:, members], turned.reshape(members.size, -1))
            D[index, side] = at_q.reshape(p, orders.size, outputs.size).transpose(1, 0, 2)
    L = np.stack([_two_sided(p, table, (1 + slope) / 2 * v) for table in tables])
    return WeightSums(p=p, outputs=outputs, T=T, D=D, L=L)


def _two_sided(p: int, table: ComplexArray, columns: ComplexArray) -> ComplexArray:
    """Return ``Σ_i f̂_{q,i} columns_i`` for q = 0 … p − 1 from the coefficients at 0 … p//2, by real products."""
    flat = np.ascontiguousarray(columns).view(np.float64)
    real, imaginary = (_complex(part @ flat) for part in (table.real, table.imag))
    # the coefficient at −q is the conjugate of that at q
    below = np.arange(p // 2 + 1, p)
    return np.concatenate([real + 1j * imaginary, real[p - below] - 1j * imaginary[p - below]])


def _complex(pairs: FloatArray) -> ComplexArray:
    return np.ascontiguousarray(pairs).view(np.complex128)
