r"""What the rest of U can cost: harmonics one by one, their tail, and what the waveforms leave out.

    D(d,δ) = Σ_γ Σ_m |P̂_{γ,d}[m]| O_{γ,m}(δ),    tail(d),    res(a,b)            docs/certificates.md, "The rest of U"
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.certificates.retained import Retained, transform_operations
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remainder:
    """``D (groups, p, p)`` at (γ, d, δ), column 0 being δ = 0; ``tail (groups, p)``; ``res_a, res_b (p,)``.

    ``P_hat (groups, p, M + 1)`` holds ``P̂_{γ,d}[m]``, twice it for m > 0, and ``Q (groups, M + 1, p)`` is
    ``Q_{γ,m}(c)``.
    """

    P_hat: ComplexArray
    Q: ComplexArray
    D: FloatArray
    tail: FloatArray
    res_a: FloatArray
    res_b: FloatArray


def remainder(circuit: Circuit, plan: Plan, retained: Retained, count: OperationCounter) -> Remainder:
    """Bound ``|Σ_i h_i (dU_i(Y) − dU_i(Y+δ))|`` for every input and δ: O(pn + p²) with constants from the plan."""
    p, groups = plan.p, len(plan.groups)
    D, tail = np.zeros((groups, p, p)), np.zeros((groups, p))
    P_hat = np.zeros((groups, p, plan.harmonics + 1), dtype=np.complex128)
    Q = np.zeros((groups, plan.harmonics + 1, p), dtype=np.complex128)
    res_a, res_b = np.zeros(p), np.zeros(p)
    for number, group in enumerate(plan.groups):
        members = group.members
        r, osc = plan.amplitude[members], retained.osc[members]
        P_hat[number], leftover = _curve_harmonics(plan, group, count)
        Q[number] = _weight_harmonics(plan, retained, group, count)
        D[number] = np.abs(P_hat[number]) @ _widest(Q[number], count)
        count.add(2 * (plan.harmonics + 1), p, p)
        tail[number] = leftover * float(r @ osc)
        at = (plan.cell[members] + plan.shifts(group.frequency)[:, None]) % plan.cells
        res_a += np.abs(circuit.A[:, members] - r * group.A[at]) @ osc
        res_b += np.abs(circuit.B[:, members] - r * group.B[at]) @ osc
        count.add(2 * 5 * p, members.size)
    return Remainder(P_hat=P_hat, Q=Q, D=D, tail=tail, res_a=res_a, res_b=res_b)


def _curve_harmonics(plan: Plan, group: Waveforms, count: OperationCounter) -> tuple[ComplexArray, FloatArray]:
    """Return the group's ``P̂_d[m]``, m = 0 … M, doubled for m > 0, and for each d the sum of all others' moduli."""
    p, cells, kept = plan.p, plan.cells, plan.harmonics + 1
    s = np.arange(cells)
    curve = np.maximum(group.A[(s + plan.shifts(group.frequency)[:, None]) % cells] + group.B, 0.0)
    hat = np.fft.rfft(curve, axis=1) / cells
    count.add(p, 2 * cells + transform_operations(cells) + 2 * cells)
    hat[:, 1 : (cells + 1) // 2] *= 2
    return hat[:, :kept], np.abs(hat[:, kept:]).sum(axis=1)


def _weight_harmonics(plan: Plan, retained: Retained, group: Waveforms, count: OperationCounter) -> ComplexArray:
    """Return the group's ``Q_m(c)``, shape (M + 1, p)."""
    cells, kept = plan.cells, plan.harmonics + 1
    r, cell = plan.amplitude[group.members], plan.cell[group.members]
    roots = np.exp(2j * np.pi / cells * np.arange(cells))
    turned = roots[np.arange(kept)[:, None] * cell % cells] * r
    parts = np.concatenate([turned.real, turned.imag]) @ retained.dU[group.members]
    count.add(2 * 2 * kept, plan.p, group.members.size)
    return np.asarray(parts[:kept] + 1j * parts[kept:])


def _widest(Q: ComplexArray, count: OperationCounter) -> FloatArray:
    """Return ``O_m(δ) = max_y |Q_m(y) − Q_m(y + δ)|``, shape (M + 1, p)."""
    kept, p = Q.shape
    widest = np.empty((kept, p))
    twice = np.concatenate([Q, Q], axis=1)
    for delta in range(p):
        apart = twice[:, delta : delta + p] - Q
        widest[:, delta] = np.sqrt((apart.real**2 + apart.imag**2).max(axis=1))
    count.add(6 * kept, p, p)
    return widest
