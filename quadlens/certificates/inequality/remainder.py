r"""The rest of U: harmonics of the curves one by one, and the tail of those beyond (docs/certificates.md).

    P_{γ,d}[s] = h(W^A[s + g·kd] + W^B[s])       Q_{γ,m}(c) = Σ_{i∈γ} r_i e^{2πi m c_i/G} dU_i(c)
    O_{γ,m}(δ) = max_y |Q_{γ,m}(y) − Q_{γ,m}(y+δ)|

Complex numbers are kept as real arrays, the real parts first: one text for every namespace, one matrix product each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.rounding import gamma


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remainder:
    """What the rest of U is bounded by, as arrays of one namespace.

    ``P_hat (groups, p, M + 1)`` holds ``μ_m P̂_{γ,d}[m]``, ``Q (groups, M + 1, p)`` is ``Q_{γ,m}(c)`` and ``widest`` of
    that shape ``O_{γ,m}(δ)``; ``tail (groups, p)`` each group's part of ``tail(d)``, and ``tail_error`` what rounding
    can take from the tail of any class.
    """

    P_hat: Any
    Q: Any
    widest: Any
    tail: Any
    tail_error: float


def remainder(at: Namespace, U: Any, plan: Plan, split: Split, act: Callable[[Any], Any]) -> Remainder:
    """Return the harmonics, their widest changes and the tails of every group; O(pn + p²) with constants of the plan.

    ``U (n, p)`` and the arrays of ``split`` live in the namespace ``at``, where ``act`` is evaluated; ``r_i = 1`` where
    it is not homogeneous.
    """
    roots, kept = cell_roots(plan), plan.harmonics + 1
    P_hat, Q, widest, tail, error = [], [], [], [], 0.0
    for number, group in enumerate(plan.groups):
        sums = by_cell(at, U, plan, split, number)
        parts = at.array(roots[:, np.unique(plan.cell[group.members])]) @ sums
        norm = float(at.xp.max(at.xp.sum(sums * sums, axis=0))) ** 0.5
        head, beyond, square = curve_harmonics(at, plan, group, at.array(roots), act)
        P_hat.append(head)
        Q.append(parts[:kept] + 1j * parts[kept:])
        widest.append(_widest(at, parts[:kept], parts[kept:]))
        # the difference of two outputs is at most twice the larger
        tail.append(2 * norm * beyond)
        error += 2 * norm * beyond_error(plan, square)
    stack = at.xp.stack
    return Remainder(P_hat=stack(P_hat), Q=stack(Q), widest=stack(widest), tail=stack(tail), tail_error=error)


def cell_roots(plan: Plan) -> FloatArray:
    """Return ``cos`` and then ``sin`` of ``2πms/G`` for ``m = 0 … M`` and every cell s, shape (2 (M + 1), G)."""
    cells = plan.cells
    circle = np.exp(2j * np.pi / cells * np.arange(cells))
    turned = circle[np.outer(np.arange(plan.harmonics + 1), np.arange(cells)) % cells]
    return np.concatenate([turned.real, turned.imag])


def by_cell(at: Namespace, U: Any, plan: Plan, split: Split, number: int) -> Any:
    """Return ``q_s(c) = Σ_{i∈γ, c_i=s} r_i dU_i(c)`` of the group's cells in use, shape (cells, p).

    Sums of ``r_i U_i`` less sums of ``r_i û_{i,z}`` turned to waves: dU itself is never made.
    """
    group = plan.groups[number]
    i, r = group.members, plan.amplitude[group.members]
    cells, cell = np.unique(plan.cell[i], return_inverse=True)
    first = np.searchsorted(cell, np.arange(cells.size + 1))
    u, wave = split.of_group(at, plan, number)
    return at.segment_sums(U, i, r, first) - at.segment_sums(u, np.arange(i.size), r, first) @ wave


def curve_harmonics(
    at: Namespace, plan: Plan, group: Group, roots: Any, act: Callable[[Any], Any]
) -> tuple[Any, Any, float]:
    """Return ``μ_m P̂_d[m]`` (p, M + 1), the norm over the cells of what they leave of each curve, and the largest
    ``Σ_s P²``.

    By Parseval ``G Σ_{|m|>M} |P̂|² = Σ_s P² − G Σ_{|m|≤M} |P̂|²``.
    """
    p, cells, kept, xp = plan.p, plan.cells, plan.harmonics + 1, at.xp
    mu = at.array(np.where(np.arange(kept) == 0, 1.0, 2.0))
    twice, B = at.array(np.concatenate([group.A, group.A])), at.array(group.B)
    turn = plan.shifts(group.frequency)

    def work(block: slice) -> tuple[Any, Any, Any]:
        curve = xp.stack([twice[t : t + cells] for t in turn[block].tolist()]) + B
        curve = act(curve)
        square = xp.sum(curve * curve, axis=1)
        parts = curve @ roots.T
        re, im = parts[:, :kept] * (mu / cells), -parts[:, kept:] * (mu / cells)
        left = square - cells * xp.sum((re * re + im * im) / mu, axis=1)
        return re + 1j * im, xp.sqrt(xp.where(left > 0, left, 0 * left)), xp.max(square)

    heads, beyond, squares = zip(*at.over(work, p, 4 * cells), strict=True)
    return xp.concat(heads, axis=0), xp.concat(beyond, axis=0), max(map(float, squares))


def beyond_error(plan: Plan, square: float) -> float:
    """Return what rounding can take from the norm that harmonics leave of a curve with ``Σ_s P² <= square``.

    The sums are off by at most γ_K ‖P‖² and, since ``Σ_{|m|≤M} |P̂| <= √(2M + 1) ‖P‖/√G``, by
    ``(2 √(2M + 1) + 1) γ_K ‖P‖²``, together less than ``8 (M + 1) γ_K ‖P‖²``; the root of a sum is at most the
    sum of the roots.
    """
    kept = plan.harmonics + 1
    return float(np.sqrt(8 * kept * gamma(plan.cells + kept + 100) * square) * (1 + 2.0**-40))


def _widest(at: Namespace, re: Any, im: Any) -> Any:
    """Return ``O_m(δ)`` of parts of shape (M + 1, p); the pairs of ``p − δ`` are those of δ."""
    xp, p = at.xp, re.shape[1]
    two_re, two_im = xp.concat([re, re], axis=1), xp.concat([im, im], axis=1)

    def work(block: slice) -> Any:
        shifts = range(block.start, block.stop)
        size = xp.stack([two_re[:, delta : delta + p] for delta in shifts]) - re
        other = xp.stack([two_im[:, delta : delta + p] for delta in shifts]) - im
        size *= size
        other *= other
        size += other
        return xp.max(size, axis=2)

    half = xp.concat(at.over(work, p // 2 + 1, 16 * re.shape[0] * p), axis=0).T
    return xp.sqrt(xp.concat([half, xp.flip(half[:, 1 : p - p // 2], axis=1)], axis=1))
