r"""Which output frequencies are retained: those that would cost the bound most if they were not.

Left to the rest of U, a frequency z of a group's neurons costs at most about

    2 Σ_m μ_m max_d |P̂_{γ,d}[m]| |Q̂_{γ,m}[z]|  +  2 ‖η‖_γ (‖dU‖_γ with z − ‖dU‖_γ without)

its coherent part and its share of the residual. All of this is an estimate: any choice is sound.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, FloatArray
from quadlens.certificates.plan.keys import Keys
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.circuits.circuit import Circuit

CLASSES = 64
"""So many classes, evenly spread, stand for all."""

LOUD = 0.01
"""What costs more than this part of the margin, about, is always worth a sum of its own."""

FAINT = 0.004
"""What costs less never is: noise, spread over many frequencies, would cost and gain nothing."""

LEFT = 0.2
"""What lies between is retained until what is left of it costs less than this part of the margin."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputNeeds:
    """``by_group (groups, p//2 + 1)``: what leaving z to the rest would cost each group; ``skip (p//2 + 1,)`` the same
    of the skip path. ``margin`` is about what the strongest frequencies give the margin."""

    by_group: FloatArray
    skip: FloatArray
    margin: float


def output_needs(circuit: Circuit, found: Keys, plan: Plan, square: FloatArray, slope: float) -> OutputNeeds:
    """Estimate what each output frequency is needed for, from the sample of neurons; ``square`` is that of ``Needs``.

    ``slope`` is α. O(pn) with a constant from the sample, and O(pG) with one from ``CLASSES``.
    """
    p, sample, kept = circuit.p, found.sample, plan.harmonics + 1
    whole = circuit.neurons / sample.size
    hats = np.fft.rfft(circuit.U[sample], axis=1) / p
    factor = np.where((np.arange(kept) == 0), 1.0, 2.0)
    phases = 2j * np.pi / plan.cells * (np.outer(np.arange(kept), plan.cell[sample]) % plan.cells)
    r = found.amplitude[sample]
    group_of = plan.group_of[sample]
    out = np.zeros((len(plan.groups), p // 2 + 1))
    for number, group in enumerate(plan.groups):
        mine = group_of == number
        waves, mine_hats = np.exp(phases[:, mine]) * r[mine], hats[mine]
        sums = waves.real @ mine_hats, waves.imag @ mine_hats
        # z and −z: Û_{−z} is the conjugate of Û_z
        turned = np.abs(sums[0] + 1j * sums[1]) + np.abs(sums[0] - 1j * sums[1])
        coherent = whole * (factor * _largest_harmonics(plan, group, slope)) @ turned
        energy = 2 * whole * (np.abs(mine_hats) ** 2).sum(axis=0)
        # about half of the inputs find a neuron on
        eta = np.sqrt(square[group.members].sum() * (1 + slope**2) / 2)
        total = float(energy[1:].sum())
        incoherent = eta * (np.sqrt(total) - np.sqrt(np.maximum(total - energy, 0.0)))
        out[number] = 2 * (coherent + incoherent)
    skip = sum(np.abs(np.fft.rfft(table, axis=1)).max(axis=0) for table in (circuit.S_a, circuit.S_b) if table.any())
    out[:, 0] = 0.0
    margin = float(out.max(axis=1).sum()) / 2
    return OutputNeeds(by_group=out, skip=4 / p * (np.zeros(p // 2 + 1) + skip), margin=margin)


def _largest_harmonics(plan: Plan, group: Group, slope: float) -> FloatArray:
    """Return ``max_d |P̂_{γ,d}[m]|`` over some classes, shape (M + 1,)."""
    some = np.arange(0, plan.p, max(1, plan.p // CLASSES))
    windows = np.lib.stride_tricks.sliding_window_view(np.tile(group.A, 2), plan.cells)
    H = windows[plan.grid * some] + group.B
    hats = np.fft.rfft(np.maximum(H, slope * H), axis=1)[:, : plan.harmonics + 1]
    return np.asarray(np.abs(hats).max(axis=0) / plan.cells)


def retained_outputs(needs: OutputNeeds, most: int, most_by_group: int) -> tuple[tuple[int, ...], BoolArray]:
    """Return the frequencies to retain, ``most`` at most, and which each group retains, shape (groups, p//2 + 1).

    The neediest pair of group and frequency comes first. A frequency that only the skip path needs costs no sums over
    neurons; it is retained where there is room.
    """
    table = np.concatenate([needs.by_group, needs.skip[None]])
    groups = table.shape[0] - 1
    table[:, 0] = 0.0
    chosen = np.zeros(table.shape, dtype=np.bool_)
    order = np.argsort(-table, axis=None, kind="stable")
    cost = table.ravel()[order]
    left = np.cumsum(np.where(cost > FAINT * needs.margin, cost, 0.0)[::-1])[::-1]
    worth = (cost > LOUD * needs.margin) | (left > LEFT * needs.margin)
    for at in order[: int(np.argmin(worth))]:
        row, z = divmod(int(at), table.shape[1])
        room = row == groups or chosen[row].sum() < most_by_group
        if room and (chosen[:, z].any() or chosen.any(axis=0).sum() < most):
            chosen[row, z] = True
    if not chosen.any():
        # nothing needs one; there is always one, so that no sum is over no frequency
        chosen[groups, 1] = True
    return tuple(int(z) for z in np.flatnonzero(chosen.any(axis=0))), chosen[:groups]
