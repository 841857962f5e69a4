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

MOST_RESIDUES = 512
"""Of the frequencies up to p/2, those at which the neurons of one waveform may have first-order terms."""

_ALL_ORDERS = HIGHEST_ORDER + HIGHEST_MULTIPLE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightSums:
    """``T (population, m, z)`` for |m| ≤ M + the highest multiple, ``D (side, m, q, z)`` of each population for |m| ≤ M
    and ``L (side, q, z)`` at the output frequencies ``outputs``.

    ``residues``: the q of each D, ascending; those of L are 0 … p − 1.
    """

    p: int
    outputs: IntArray
    T: ComplexArray
    D: tuple[ComplexArray, ...]
    residues: tuple[IntArray, ...]
    L: ComplexArray

    @property
    def sums(self) -> ComplexArray:
        """``T`` for |m| ≤ M."""
        return np.asarray(self.T[:, HIGHEST_MULTIPLE:-HIGHEST_MULTIPLE])

    def first_order(self, population: int, waveform: PhaseModulation) -> ComplexArray:
        """Return the same as D of what the waveform leaves, shape (side, m, q, z).

        A constant belongs to neither side; the second holds all of it.
        """
        left, residues = self.D[population].copy(), self.residues[population]
        orders = np.arange(-HIGHEST_ORDER, HIGHEST_ORDER + 1)
        for (q, multiple), *pair in zip(waveform.waves.tolist(), waveform.A, waveform.B, strict=True):
            for side, coefficient in enumerate(pair):
                # Re(x e^{ilφ}) is half of it and half of its conjugate, which stands at −q
                for at, turn, value in ((q, multiple, coefficient), (-q % self.p, -multiple, coefficient.conj())):
                    here = residues == at
                    left[side][:, here] -= value / 2 * self.T[population, orders + turn + _ALL_ORDERS][:, None]
        still = residues == 0
        left[1][:, still] += left[0][:, still]
        left[0][:, still] = 0
        return left


def weight_sums(
    circuit: Circuit,
    form: AmplitudePhaseForm,
    tables: tuple[ComplexArray, ComplexArray],
    populations: Sequence[IntArray],
    outputs: IntArray,
) -> WeightSums:
    """Return the sums, those of D at the MOST_RESIDUES strongest q.

    Cost O(pn) with 2M + 1 times the outputs as the constant.
    """
    p, slope = circuit.p, negative_slope(circuit.activation)
    v = 2 / p * circuit.U @ np.exp(-2j * np.pi / p * (np.outer(np.arange(p), outputs) % p))
    every, orders = np.arange(-_ALL_ORDERS, _ALL_ORDERS + 1), np.arange(-HIGHEST_ORDER, HIGHEST_ORDER + 1)
    T = np.empty((len(populations), every.size, outputs.size), dtype=np.complex128)
    D, residues = [], []
    for index, members in enumerate(populations):
        mine = (1 - slope) / 2 * v[members]
        T[index] = (np.exp(1j * np.outer(every, form.phi[members])) * form.r[members]) @ mine
        turned = np.exp(1j * np.outer(form.phi[members], orders))[:, :, None] * mine[:, None, :]
        own = [table[:, members] for table in tables]
        strength = sum(np.square(np.abs(table)).sum(axis=1) for table in own)
        q = np.sort(np.argsort(-strength, kind="stable")[:MOST_RESIDUES])
        at_q = [_two_sided(p, q, table[q], turned.reshape(members.size, -1)) for table in own]
        shape = (2, -1, orders.size, outputs.size)
        D.append(np.stack([values for _, values in at_q]).reshape(shape).transpose(0, 2, 1, 3))
        residues.append(at_q[0][0])
    L = np.stack([_two_sided(p, np.arange(p // 2 + 1), table, (1 + slope) / 2 * v)[1] for table in tables])
    return WeightSums(p=p, outputs=outputs, T=T, D=tuple(D), residues=tuple(residues), L=L)


def _two_sided(p: int, q: IntArray, table: ComplexArray, columns: ComplexArray) -> tuple[IntArray, ComplexArray]:
    """Return all ±q mod p, ascending, and ``Σ_i f̂_{q,i} columns_i`` there, from the coefficients at q ≤ p/2."""
    flat = np.ascontiguousarray(columns).view(np.float64)
    real, imaginary = (_complex(part @ flat) for part in (table.real, table.imag))
    # the coefficient at −q is the conjugate of that at q
    pairs = np.flatnonzero(2 * q % p != 0)[::-1]
    below = real[pairs] - 1j * imaginary[pairs]
    return np.concatenate([q, p - q[pairs]]), np.concatenate([real + 1j * imaginary, below])


def _complex(pairs: FloatArray) -> ComplexArray:
    return np.ascontiguousarray(pairs).view(np.complex128)
