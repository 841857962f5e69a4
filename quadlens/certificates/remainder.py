r"""What the rest of U can cost: harmonics one by one, their tail, and what the waveforms leave out.

    D(d,δ) = Σ_γ Σ_m |P̂_{γ,d}[m]| O_{γ,m}(δ),    tail(d),    res(a,b)            docs/certificates.md, "The rest of U"
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.certificates.retained import Retained
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remainder:
    """``D (groups, p, p)`` at (γ, d, δ), column 0 being δ = 0; ``tail (groups, p)``; ``res_a, res_b (p,)``."""

    D: FloatArray
    tail: FloatArray
    res_a: FloatArray
    res_b: FloatArray


def remainder(circuit: Circuit, plan: Plan, retained: Retained, count: OperationCounter) -> Remainder:
    """Bound ``|Σ_i h_i (dU_i(Y) − dU_i(Y+δ))|`` for every input and δ: O(pn + p²) with constants from the plan."""
    p, groups = plan.p, len(plan.groups)
    D, tail = np.zeros((groups, p, p)), np.zeros((groups, p))
    res_a, res_b = np.zeros(p), np.zeros(p)
    for number, group in enumerate(plan.groups):
        members = group.members
        r, osc = plan.amplitude[members], retained.osc[members]
        D[number], leftover = _harmonics(plan, retained, group, count)
        tail[number] = leftover * float(r @ osc)
        at = (plan.cell[members] + plan.shifts(group.frequency)[:, None]) % plan.cells
        res_a += np.abs(circuit.A[:, members] - r * group.A[at]) @ osc
        res_b += np.abs(circuit.B[:, members] - r * group.B[at]) @ osc
        count.add(2 * 5 * p, members.size)
    return Remainder(D=D, tail=tail, res_a=res_a, res_b=res_b)


def _harmonics(
    plan: Plan, retained: Retained, group: Waveforms, count: OperationCounter
) -> tuple[FloatArray, FloatArray]:
    """Return the group's D and, for each d, the sum of ``|P̂[m]|`` over the harmonics that D leaves out."""
    p, cells, kept = plan.p, plan.cells, plan.harmonics + 1
    s = np.arange(cells)
    curve = np.maximum(group.A[(s + plan.shifts(group.frequency)[:, None]) % cells] + group.B, 0.0)
    size = np.abs(np.fft.rfft(curve, axis=1)) / cells
    count.add(p, 2 * cells + int(np.ceil(2.5 * cells * np.log2(cells))) + 2 * cells)
    multiple = np.full(size.shape[1], 2.0)
    multiple[0] = 1.0
    if cells % 2 == 0:
        multiple[-1] = 1.0
    size *= multiple
    r, cell = plan.amplitude[group.members], plan.cell[group.members]
    roots = np.exp(2j * np.pi / cells * s)
    turned = roots[np.arange(kept)[:, None] * cell % cells] * r
    parts = np.concatenate([turned.real, turned.imag]) @ retained.dU[group.members]
    count.add(2 * 2 * kept, p, group.members.size)
    Q = parts[:kept] + 1j * parts[kept:]
    widest = np.empty((kept, p))
    twice = np.concatenate([Q, Q], axis=1)
    for delta in range(p):
        apart = twice[:, delta : delta + p] - Q
        widest[:, delta] = np.sqrt((apart.real**2 + apart.imag**2).max(axis=1))
    count.add(6 * kept, p, p)
    count.add(2 * kept, p, p)
    return size[:, :kept] @ widest, size[:, kept:].sum(axis=1)
