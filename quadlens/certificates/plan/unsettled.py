r"""How far a gate's curve must be from 0 to settle it: ``Δ_i``, and what it costs to look at the others.

    r_i |H_i| ≥ Δ_i  ⇒  ρ_i = 0,    Δ_i = max( max_a(−δA_i)₊ + max_b(−δB_i)₊ , max_a(δA_i)₊ + max_b(δB_i)₊ )

The curve is met at ``s = c_i + g·kb`` and its partner at ``s + g·kd``. With ``e = gcd(k, p)`` and ``o = p/e`` these
are ``s + h·t``, ``h = g e``, ``t = 0 … o − 1``: k need not have an inverse mod p, and a neuron meets the cells of its
own residue mod h only.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, cores, in_parallel
from quadlens.certificates.compute.compiled import compiled_is_worth_it
from quadlens.certificates.plan.plan import LIMIT, SCALE, Group, Plan
from quadlens.circuits.circuit import Circuit

SLACK = 1 + 2.0**-40
"""Relative slack of Δ and of Δ/r: their few roundings are far smaller."""

BINS = 256
"""So many sizes of ``|H|`` are told apart: a neuron's list of cells is at most one of them too long."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Needs:
    """``delta (n,)`` is ``Δ_i``, no smaller; ``square (n,)`` the mean over inputs of ``δA_i² + δB_i²``, about."""

    delta: FloatArray
    square: FloatArray


def deviations(plan: Plan, group: Group, table: FloatArray, first: bool, block: slice) -> FloatArray:
    """Return ``δA`` (``first``) or ``δB`` of the group's members for a block of residues, shape (block, members)."""
    curve = group.A if first else group.B
    at = plan.cell[group.members] + plan.shifts(group.frequency)[block, None]
    return np.asarray(table[block, group.members] - plan.amplitude[group.members] * np.tile(curve, 2)[at])


def needs(circuit: Circuit, plan: Plan) -> Needs:
    """Return what the neurons' curves leave of their tables: O(pn)."""
    extremes = _extremes_compiled if compiled_is_worth_it(circuit.A.size + circuit.B.size) else _extremes
    of_A, of_B = (extremes(plan, table, first) for table, first in ((circuit.A, True), (circuit.B, False)))
    above, below, square = of_A[0] + of_B[0], of_A[1] + of_B[1], (of_A[2] + of_B[2]) / plan.p
    # tables made from weights elsewhere may differ by twice their radius, and must still be settled there
    room = 2 * (circuit.radius["A"] + circuit.radius["B"])
    return Needs(delta=(np.maximum(above, below) + room) * SLACK, square=square)


def _extremes(plan: Plan, table: FloatArray, first: bool) -> FloatArray:
    """Return each neuron's largest ``δ₊`` and ``δ₋`` in a table and the sum of ``δ²``, shape (3, n)."""

    def work(block: slice) -> FloatArray:
        out = np.empty((3, plan.cell.size))
        for group in plan.groups:
            part = deviations(plan, group, table, first, block)
            out[:, group.members] = part.max(axis=0), -part.min(axis=0), np.einsum("ai,ai->i", part, part)
        return out

    return _together(in_parallel(work, blocks_of(plan.p, BLOCK // plan.cell.size)))


def _extremes_compiled(plan: Plan, table: FloatArray, first: bool) -> FloatArray:
    from quadlens.certificates.plan.deviation_kernel import curves_of, extremes

    curves = curves_of(plan, first)

    def work(block: slice) -> FloatArray:
        out = np.zeros((3, plan.cell.size))
        extremes(table[block], block.start, curves, out)
        return out

    return _together(in_parallel(work, blocks_of(plan.p, -(-plan.p // cores()))))


def _together(found: list[FloatArray]) -> FloatArray:
    blocks = np.stack(found)
    return np.concatenate([np.maximum(blocks[:, :2].max(axis=0), 0.0), blocks[:, 2:].sum(axis=0)])


def levels_needed(plan: Plan, group: Group, delta: FloatArray) -> FloatArray:
    """Return a level of ``|H|`` from which each member's gate is settled, ``Δ_i / r_i`` or more, shape (members,).

    At ``max|W^A| + max|W^B|`` no ``|H|`` is above it, whatever the amplitude.
    """
    r, need = plan.amplitude[group.members], delta[group.members]
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = np.where(need > 0, need / r * SLACK, 0.0)
    return np.minimum(ratio, group.highest)


def level_of(levels: FloatArray) -> float:
    """Return the least multiple of ``1/SCALE`` that is at least each of the levels."""
    return min(float(np.ceil(levels.max(initial=0.0) * SLACK * SCALE)) / SCALE, 2.0 * LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """How a group's neurons walk round the circle: ``h`` cells a step, ``order`` steps, ``copies`` residues at each.

    Residue a stands at step ``k' a mod order``; ``inverse`` is that of ``k' = k/copies``.
    """

    step: int
    order: int
    copies: int
    inverse: int


def walk(plan: Plan, frequency: int) -> Walk:
    """Return how neurons of this frequency walk round the circle."""
    copies = gcd(frequency, plan.p)
    order = plan.p // copies
    inverse = pow(frequency // copies, -1, order) if order > 1 else 0
    return Walk(step=plan.grid * copies, order=order, copies=copies, inverse=inverse)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearCells:
    """The cells ``s`` of each turn ``t`` with ``|W^A[s + h t] + W^B[s]|`` up to the largest level needed.

    They are in order of residue mod h, then of bin of ``|H|``; ``first (h · BINS + 1,)`` is where each bin begins.
    ``H`` stands beside each, ``most`` is the largest level.
    """

    turn: IntArray
    cell: IntArray
    H: FloatArray
    first: IntArray
    most: float

    def lists(self, residue: IntArray, level: FloatArray) -> tuple[IntArray, IntArray]:
        """Return start and length of the list of cells of a residue with ``|H| ≤ level``, and a few more."""
        start = self.first[residue * BINS]
        return start, self.first[residue * BINS + _bins(level, self.most) + 1] - start


def near_cells(plan: Plan, group: Group, most: float) -> NearCells:
    """List the cells with ``|H| ≤ most`` for every turn: O(pG)."""
    way = walk(plan, group.frequency)
    at, H = _near(plan, group, way, most)
    turn, cell = np.divmod(at, plan.cells)
    bins = cell % way.step * BINS + _bins(np.abs(H), most)
    # sorting 16-bit integers takes linear time
    order = np.argsort(bins.astype(np.min_scalar_type(way.step * BINS)), kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=way.step * BINS))])
    return NearCells(turn=turn[order], cell=cell[order], H=H[order], first=first, most=most)


def _near(plan: Plan, group: Group, way: Walk, most: float) -> tuple[IntArray, FloatArray]:
    """Return where ``|H| ≤ most``, as ``t G + s``, and H."""
    windows = np.lib.stride_tricks.sliding_window_view(np.tile(group.A, 2), plan.cells)[:: way.step]

    def work(block: slice) -> tuple[IntArray, FloatArray]:
        H = windows[block] + group.B
        near = np.flatnonzero(np.abs(H) <= most)
        return near + block.start * plan.cells, H.ravel()[near]

    found = in_parallel(work, blocks_of(way.order, BLOCK // plan.cells))
    at, H = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return at, H


def _bins(size: FloatArray, most: float) -> IntArray:
    """Return the bin of each size up to ``most``; a larger size has no smaller bin."""
    if not most > 0:
        return np.zeros(np.shape(size), dtype=np.int64)
    # divided first: the inverse of a subnormal number overflows
    with np.errstate(over="ignore"):
        return np.minimum(np.asarray(size) / most * (BINS - 1), BINS - 1).astype(np.int64)


def candidates_of(plan: Plan, group: Group, levels: FloatArray) -> IntArray:
    """Return on how many inputs each member's gate must be looked at, shape (members,)."""
    way, most = walk(plan, group.frequency), float(levels.max(initial=0.0))
    at, H = _near(plan, group, way, most)
    # what NearCells.lists counts, without making the lists
    bins = np.bincount(at % way.step * BINS + _bins(np.abs(H), most), minlength=way.step * BINS)
    sizes = np.cumsum(bins.reshape(way.step, BINS), axis=1)
    return np.asarray(sizes[plan.cell[group.members] % way.step, _bins(levels, most)] * way.copies**2)


def evaluated_within(levels: FloatArray, candidates: IntArray, most: int) -> BoolArray:
    """Say which neurons are evaluated: those with the largest levels, ``most`` candidates in all."""
    order = np.argsort(-levels, kind="stable")
    out = np.zeros(levels.size, dtype=np.bool_)
    out[order] = np.cumsum(candidates[order]) <= most
    return out
