r"""What the rest of U can cost, as ``certificates.remainder`` bounds it, evaluated on a device.

Of each group and harmonic, O(p) numbers come back. Complex numbers are a first axis of two: real, imaginary.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.curve_harmonics import cell_roots, curve_error
from quadlens.certificates.on_torch.device import Tables, block_of, placed
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.certificates.remainder import Remainder
from quadlens.certificates.retained import Retained


def remainder(tables: Tables, plan: Plan, retained: Retained, slope: float, count: OperationCounter) -> Remainder:
    """Bound ``|Σ_i h_i (dU_i(Y) − dU_i(Y+δ))|`` for every input and δ, as ``certificates.remainder.remainder``."""
    p, kept, device, block = plan.p, plan.harmonics + 1, tables.device, block_of(tables.device)
    osc, square_U = torch.zeros_like(tables.U[:, 0]), torch.zeros_like(tables.U[0])
    roots = placed(cell_roots(plan), device)
    u_hat = placed(retained.u_hat, device)
    # Re û e^{iωzc} is a product of the pair (Re û, Im û) with these rows
    wave = np.stack([retained.waves.real, -retained.waves.imag], axis=1).reshape(-1, p)
    placed_wave = placed(wave, device)
    found, tail_error = [], 0.0
    for group in plan.groups:
        by_cell, cells = _by_cell(tables, plan, group, u_hat, placed_wave, osc, square_U)
        Q = (roots[:, placed(cells, device)] @ by_cell).view(2, kept, p)
        norm = by_cell.square().sum(dim=0).max().sqrt()
        count.add(group.members.size * p, 4 * len(retained.frequencies) + 1 + 2 + 2 + 1 + 1)
        count.add(cells.size * p, 4 * kept + 2)
        A, B, shift = (placed(x, device) for x in (group.A, group.B, plan.shifts(group.frequency)))
        harmonics = curve_harmonics(A, B, shift, slope, roots, block)
        count.add(p, plan.cells, 2 + 4 * kept + 2)
        wide = widest(Q, block)
        count.add(6 * kept, p // 2, p)
        # the difference of two outputs is at most twice the larger
        tail = 2 * harmonics.beyond * norm
        tail_error += 2 * curve_error(plan, float(harmonics.largest_square)) * float(norm)
        found.append((_complex(harmonics.head), _complex(Q), _array(wide), _array(tail)))
    osc_a, norm_a = _residuals(tables.A, plan, "A", osc, count)
    osc_b, norm_b = _residuals(tables.B, plan, "B", osc, count)
    P_hat, all_Q, all_wide, tails = zip(*found, strict=True)
    return Remainder(
        P_hat=np.stack(P_hat),
        Q=np.stack(all_Q),
        widest=np.stack(all_wide),
        tail=np.stack(tails),
        tail_error=tail_error,
        osc_a=osc_a,
        osc_b=osc_b,
        norm_a=norm_a,
        norm_b=norm_b,
        norm_U=_array(square_U.sqrt()),
    )


def _array(values: Tensor) -> FloatArray:
    return np.asarray(values.cpu().numpy())


def _complex(parts: Tensor) -> ComplexArray:
    real, imaginary = _array(parts)
    return np.asarray(real + 1j * imaginary)


def _by_cell(
    tables: Tables, plan: Plan, group: Waveforms, u_hat: Tensor, wave: Tensor, osc: Tensor, square_U: Tensor
) -> tuple[Tensor, IntArray]:
    """Return ``q_s(c)`` of the cells that have a neuron, and the cells; write ``osc``, add squares to ``square_U``."""
    members, device = group.members, tables.device
    cells, first = np.unique(plan.cell[members], return_index=True)
    first = np.append(first, members.size)
    by_cell = torch.empty((cells.size, plan.p), dtype=torch.float64, device=device)
    amplitude = placed(plan.amplitude[members], device)
    rows = max(1, block_of(device) * cells.size // max(1, members.size * plan.p))
    for block in blocks_of(cells.size, rows):
        mine = slice(int(first[block.start]), int(first[block.stop]))
        i = placed(members[mine], device)
        rest = tables.U[i] - u_hat[i] @ wave
        osc[i] = rest.amax(dim=1) - rest.amin(dim=1)
        square_U += rest.square().sum(dim=0)
        rest *= amplitude[mine, None]
        by_cell[block] = sums_of_runs(rest, first[block.start : block.stop + 1] - mine.start)
    return by_cell, cells


def sums_of_runs(rows: Tensor, first: IntArray) -> Tensor:
    """Return the sums of consecutive rows ``first[s] … first[s + 1] − 1``, at least one each, in their order.

    Scattered additions would come in another order each time on a GPU, and a certificate is the same each time.
    """
    size = np.diff(first)
    out = rows[placed(first[:-1], rows.device)]
    for number in range(1, int(size.max())):
        longer = np.flatnonzero(size > number)
        out[placed(longer, rows.device)] += rows[placed(first[longer] + number, rows.device)]
    return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveHarmonics:
    """``head (2, p, M + 1)``: ``P̂_d[m]``, doubled for m > 0; ``beyond (p,)``: the norm of what is left over the cells;
    ``largest_square``: the largest ``‖P_d‖²``.
    """

    head: Tensor
    beyond: Tensor
    largest_square: Tensor


def curve_harmonics(A: Tensor, B: Tensor, shift: Tensor, slope: float, roots: Tensor, block: int) -> CurveHarmonics:
    """Return the harmonics of ``P_d(s) = h(A[s + shift_d] + B[s])``; ``roots`` as in ``cell_roots``, ``slope`` is α."""
    p, cells, kept = shift.numel(), A.numel(), roots.shape[0] // 2
    cell = torch.arange(cells, device=A.device)
    head = torch.empty((2, p, kept), dtype=torch.float64, device=A.device)
    square, beyond = torch.empty_like(head[0, :, 0]), torch.empty_like(head[0, :, 0])
    for some in blocks_of(p, block // cells):
        curve = A[(cell + shift[some, None]) % cells] + B
        curve = torch.maximum(curve, slope * curve)
        parts = curve @ roots.T / cells
        parts[:, 1:kept] *= 2
        # that of m = 0 is a sum of zeros
        parts[:, kept + 1 :] *= -2
        head[0, some], head[1, some] = parts[:, :kept], parts[:, kept:]
        square[some] = curve.square().sum(dim=1)
        moduli = parts[:, :kept].square() + parts[:, kept:].square()
        # harmonics m > 0 are doubled, and stand for −m too
        held = cells * (moduli[:, 0] + 0.5 * moduli[:, 1:].sum(dim=1))
        beyond[some] = (square[some] - held).clamp_min(0.0).sqrt()
    return CurveHarmonics(head=head, beyond=beyond, largest_square=square.max())


def widest(Q: Tensor, block: int) -> Tensor:
    """Return ``O_m(δ) = max_y |Q_m(y) − Q_m(y + δ)|``, shape (M + 1, p) from (2, M + 1, p)."""
    _, kept, p = Q.shape
    out = torch.zeros_like(Q[0])
    shifted = torch.cat([Q, Q], dim=2).unfold(2, p, 1)
    for some in blocks_of(p // 2, block // (2 * kept * p)):
        delta = torch.arange(some.start + 1, some.stop + 1, device=Q.device)
        apart = shifted[:, :, some.start + 1 : some.stop + 1] - Q[:, :, None]
        # the pairs of −δ are those of δ
        out[:, delta] = out[:, p - delta] = apart.square().sum(dim=0).amax(dim=2).sqrt()
    return out


def _residuals(
    table: Tensor, plan: Plan, name: str, osc: Tensor, count: OperationCounter
) -> tuple[FloatArray, FloatArray]:
    """Return, for each input of a table, ``Σ_i |ε_i| osc_i`` and the norm of ``ε``."""
    device, p = table.device, plan.p
    total, square = torch.zeros_like(table[:, 0]), torch.zeros_like(table[:, 0])
    for group in plan.groups:
        i, r = placed(group.members, device), placed(plan.amplitude[group.members], device)
        cell, curve = placed(plan.cell[group.members], device), placed(getattr(group, name), device)
        shift = placed(plan.shifts(group.frequency), device)
        for block in blocks_of(p, block_of(device) // max(1, group.members.size)):
            apart = table[block][:, i] - r * curve[(cell + shift[block, None]) % plan.cells]
            square[block] += apart.square().sum(dim=1)
            total[block] += apart.abs() @ osc[i]
    count.add(p * plan.cell.size, 3 + 2 + 3)
    return _array(total), _array(square.sqrt())
