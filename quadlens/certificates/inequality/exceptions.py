r"""The gates that a curve does not settle, looked at one by one: ``ρ_i = |y_i|`` where y and H have different signs.

Neuron i meets cell s at ``b ≡ k'⁻¹ (s − c_i)/h``, ``a ≡ b + d`` modulo ``order`` (``plan.unsettled``).
The sign of ``fl(A + B)`` is exact.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.certificates.plan.unsettled import Walk, near_cells, walk

LOOKED_AT = 32
"""One look counts as this many numbers of a block: its few arrays then stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exceptions:
    """Where gates are not as their curve says, one entry each, in order of neuron: the ``input`` is ``d p + b``,
    ``member`` the neuron's place in its group, ``y`` the preactivation. ``candidates`` gates were looked at."""

    input: Any
    member: Any
    y: Any
    candidates: int

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.y.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lists:
    """What is looked at: places of each near cell in a row of A and of B twice round, and whether ``H > 0`` there; for
    each neuron the start and the length of its list, and how far its rows are turned back."""

    in_A: IntArray
    in_B: IntArray
    on: BoolArray
    start: IntArray
    length: IntArray
    back: IntArray


def exceptions(
    at: Namespace, plan: Plan, group: Group, levels: FloatArray, tables: tuple[FloatArray, FloatArray]
) -> Exceptions:
    """Return the exceptions of a group's evaluated neurons; ``tables`` are A and B.

    Beyond its ``level`` of ``|H|`` a neuron's gate is settled.
    """
    xp, way = at.xp, walk(plan, group.frequency)
    mine = np.flatnonzero(~plan.bounded[group.members])
    lists = _lists(plan, group, way, mine, levels[mine])
    in_A, in_B, on = (at.array(part) for part in (lists.in_A, lists.in_B, lists.on))
    rows = [_twice(at, table[:, group.members[mine]], way) for table in tables]
    total = int(lists.length.sum())
    # neuron by neuron, every cell of its list
    runs = [
        slice(start, start + length) for start, length in zip(lists.start.tolist(), lists.length.tolist(), strict=True)
    ]

    def work(block: slice) -> list[Any]:
        turned = np.arange(block.start, block.stop) * 2 * plan.p - lists.back[block]
        row = xp.repeat(at.array(turned), at.array(lists.length[block]))
        here, there, said = (xp.concat([part[run] for run in runs[block]]) for part in (in_A, in_B, on))
        here, there = here + row, there + row
        y = xp.take(rows[0], here) + xp.take(rows[1], there)
        found = xp.nonzero((y > 0) != said)[0]
        return [xp.take(part, found) for part in (here, there, y)]

    average = total // max(1, mine.size)
    found = at.over(work, mine.size, LOOKED_AT * average) or [[at.array(np.zeros(0, dtype=np.int64))] * 3]
    here, there, y = (xp.concat(parts, axis=0) for parts in zip(*found, strict=True))
    residue = at.array(_residues(way))
    a, b = (xp.take(residue, part % (2 * plan.p)) for part in (here, there))
    member = xp.take(at.array(mine), here // (2 * plan.p)) if mine.size else here
    return Exceptions(input=(a - b) % plan.p * plan.p + b, member=member, y=y, candidates=total)


def _lists(plan: Plan, group: Group, way: Walk, mine: IntArray, levels: FloatArray) -> _Lists:
    near = near_cells(plan, group, float(levels.max(initial=0.0)))
    cell = plan.cell[group.members[mine]]
    start, length = near.lists(cell % way.step, levels)
    step = near.cell // way.step
    of_A, of_B = ((way.inverse * part) % way.order + way.order for part in (step + near.turn, step))
    # residues that differ by a multiple of the order meet the same cells
    copy = 2 * way.order * np.arange(way.copies)
    return _Lists(
        in_A=(of_A[:, None, None] + copy[:, None] + 0 * copy).reshape(-1),
        in_B=(of_B[:, None, None] + copy + 0 * copy[:, None]).reshape(-1),
        on=np.repeat(near.H > 0, way.copies**2),
        start=start * way.copies**2,
        length=length * way.copies**2,
        back=way.inverse * (cell // way.step) % way.order,
    )


def _twice(at: Namespace, columns: FloatArray, way: Walk) -> Any:
    """Return the columns one behind the other, each run of ``order`` residues twice: (columns · 2p,)."""
    runs = at.array(columns.T.reshape(-1, way.copies, way.order))
    return at.xp.reshape(at.xp.concat([runs, runs], axis=2), (-1,))


def _residues(way: Walk) -> IntArray:
    """Return which residue stands at each place of such a row."""
    runs = np.arange(way.order * way.copies).reshape(way.copies, way.order)
    return np.tile(runs, 2).reshape(-1)


def scattered(at: Namespace, found: Exceptions, weights: Any, factor: Any, inputs: int) -> Any:
    """Return ``Σ factor · weights[member]`` over the exceptions of each input, shape (inputs, channels)."""
    if at.device is not None:
        out = at.xp.zeros((inputs, weights.shape[1]), dtype=weights.dtype, device=at.device)
        rows = max(1, at.block // max(1, weights.shape[1]))
        for start in range(0, found.count, rows):
            part = slice(start, start + rows)
            out.index_add_(0, found.input[part], factor[part, None] * at.xp.take(weights, found.member[part], axis=0))
        return out
    from scipy.sparse import csc_array

    first = np.searchsorted(found.member, np.arange(weights.shape[0] + 1))
    # repeated inputs of one neuron there are none, and their order does not matter
    return csc_array((factor, found.input, first), shape=(inputs, weights.shape[0])) @ weights
