r"""The curves ``P_{γ,d}(s) = h(V^A(s + g·kd) + V^B(s))`` over the cells, their harmonics, and what these leave."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.rounding import gamma

IN_CACHE = 2**16
"""Numbers of a block of curves that a core's cache holds beside what it is multiplied with."""


def cell_roots(plan: Plan) -> FloatArray:
    """Return ``cos`` and then ``sin`` of ``2πms/G`` for ``m = 0 … M`` and every cell s, shape (2 (M + 1), G)."""
    cells = plan.cells
    angles = np.exp(2j * np.pi / cells * np.arange(cells))
    turned = angles[np.outer(np.arange(plan.harmonics + 1), np.arange(cells)) % cells]
    return np.concatenate([turned.real, turned.imag])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveHarmonics:
    """``head (p, M + 1)``: ``P̂_d[m]``, doubled for m > 0; ``beyond (p,)``: the norm over the cells of what is left,
    ``error`` how much more it may be.

    By Parseval its square is ``Σ_s P² − G Σ_{|m|≤M} |P̂|²``. The sums are off by at most γ_K ‖P‖² and, since
    ``Σ_{|m|≤M} |P̂| <= √(2M + 1) ‖P‖/√G``, by ``(2 √(2M + 1) + 1) γ_K ‖P‖²``, together less than ``8 (M + 1) γ_K ‖P‖²``;
    the root of a sum is at most the sum of the roots.
    """

    head: ComplexArray
    beyond: FloatArray
    error: float


def curve_harmonics(
    plan: Plan, group: Waveforms, slope: float, roots: FloatArray, compiled: bool, count: OperationCounter
) -> CurveHarmonics:
    """Return the harmonics of a group's ``P_d``; ``slope`` is α, ``roots`` are `cell_roots`."""
    p, cells, kept = plan.p, plan.cells, plan.harmonics + 1
    head = np.empty((p, kept), dtype=np.complex128)
    square, beyond = np.empty(p), np.empty(p)
    factor = np.where(np.arange(kept) == 0, 1.0, 2.0) / cells
    share = np.where(np.arange(kept) == 0, 1.0, 0.5)

    def by_arrays(block: slice) -> FloatArray:
        curve = plan.turned(group.A, group.frequency, block) + group.B
        curve = np.maximum(curve, slope * curve)
        square[block] = np.einsum("ds,ds->d", curve, curve)
        return np.asarray(curve)

    curves, rows = by_arrays, BLOCK // cells
    if compiled:
        from quadlens.certificates.remainder_kernel import gated_curves

        twice, turn = np.concatenate([group.A, group.A]), plan.shifts(group.frequency)
        rows = IN_CACHE // cells

        def by_loops(block: slice) -> FloatArray:
            curve = np.empty((block.stop - block.start, cells))
            gated_curves(twice, group.B, turn, slope, block.start, block.stop, curve, square)
            return curve

        curves = by_loops

    def work(block: slice) -> None:
        curve = curves(block)
        parts = curve @ roots.T
        head[block] = factor * (parts[:, :kept] - 1j * parts[:, kept:])
        held = cells * (np.abs(head[block]) ** 2 @ share)
        beyond[block] = np.sqrt(np.maximum(square[block] - held, 0.0))

    in_parallel(work, blocks_of(p, rows))
    count.add(p, cells, 2 + 4 * kept + 2)
    return CurveHarmonics(head=head, beyond=beyond, error=curve_error(plan, float(square.max())))


def curve_error(plan: Plan, square: float) -> float:
    """Return what rounding can take from the norm that harmonics leave of a curve; ``square`` is at least ``‖P‖²``."""
    kept = plan.harmonics + 1
    # a sum over the cells, roots of unity that are off by 40 u, a sum over harmonics
    relative = 8 * kept * gamma(plan.cells + kept + 100)
    return float(np.sqrt(relative * square) * (1 + 2.0**-40))
