r"""Each group's share of what one input loses, evaluated neuron by neuron: who is to blame where a class fails.

    residual   min( Σ_{i∈γ} (η^A_i + η^B_i + x_i) osc_i , (‖η^A‖_γ + ‖η^B‖_γ + ‖x‖_γ) (‖dU(Y)‖_γ + max_c ‖dU(c)‖_γ) )
    gates      ½κ Σ_{i∈γ bounded} ρ̄_i V_i
    retained   Re Σ_{z∈F_γ} Σ_{i∈γ} h_i û_{i,z} e^{iωzY} (1 − e^{iωzδ})
               h_i = h(y_i) evaluated, (g_i + α(1−g_i)) y_i + ½κ ρ̄_i bounded

Symbols as in docs/certificates.md. O(n|F|) an input: for a few of them.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.certificates.inequality.evaluate import Inequality
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Questions:
    """Inputs b of classes d, each against the wrong answer ``Y + δ``; shape (questions,)."""

    d: IntArray
    b: IntArray
    delta: IntArray

    def some(self, block: slice) -> "Questions":
        """Return a block of them."""
        return Questions(d=self.d[block], b=self.b[block], delta=self.delta[block])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Each group's share of three terms, shape (groups, questions)."""

    residual: FloatArray
    gates: FloatArray
    retained: FloatArray


def group_shares(circuit: Circuit, found: Inequality, asked: Questions) -> Shares:
    """Return each group's share of the residual, of R and of the retained part of the margin."""

    def work(block: slice) -> list[list[FloatArray]]:
        return [_of_group(circuit, found, number, asked.some(block)) for number in range(len(found.plan.groups))]

    parts = np.concatenate(in_parallel(work, blocks_of(asked.d.size, BLOCK // circuit.neurons)), axis=2)
    return Shares(residual=parts[:, 0], gates=parts[:, 1], retained=parts[:, 2])


def _of_group(circuit: Circuit, found: Inequality, number: int, asked: Questions) -> list[FloatArray]:
    plan, slope = found.plan, negative_slope(circuit.activation)
    group, p, steep = plan.groups[number], plan.p, abs(slope)
    a, i, bounded = (asked.d + asked.b) % p, group.members, plan.bounded[group.members]
    split = found.split
    parts = (split.u_hat[number], split.osc[number], split.V[number], split.norm_U[number])
    u_hat, osc, V, norms = map(found.pairs.at.numpy, parts)
    shift = plan.shifts(group.frequency)
    H, y, deviations = 0.0, 0.0, []
    for table, curve, row in ((circuit.A, group.A, a), (circuit.B, group.B, asked.b)):
        W, T = np.tile(curve, 2)[plan.cell[i] + shift[row, None]], table[row[:, None], i]
        H, y = H + W, y + T
        deviations.append(T - plan.amplitude[i] * W)
    on, near = H > 0, (np.abs(H) <= group.level) & bounded
    half = near * sum(np.where(on, np.maximum(-delta, 0), np.maximum(delta, 0)) for delta in deviations)
    h = np.where(bounded, np.where(on, y, slope * y) + (1 - slope) / 2 * half, np.maximum(y, slope * y))
    eta = [
        np.where(on, np.abs(delta), steep * np.abs(delta) + (1 - steep) * near * np.maximum(delta, 0))
        for delta in deviations
    ]
    left = [*eta, (1 - steep) * np.where(~bounded & ~on, np.maximum(y, 0), 0)]
    Y = (a + asked.b) % p
    by_norms = sum(np.linalg.norm(part, axis=1) for part in left) * (norms[Y] + norms.max())
    z = np.array(group.retained, dtype=np.int64)[:, None]
    turn = np.exp(2j * np.pi / p * (z * Y % p)) - np.exp(2j * np.pi / p * (z * (Y + asked.delta) % p))
    effect = np.concatenate([turn.real, -turn.imag])
    return [
        np.minimum(sum(left) @ osc, by_norms),
        (1 - slope) / 2 * half @ V,
        np.einsum("qz,zq->q", h @ u_hat, effect),
    ]
