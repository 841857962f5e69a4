r"""Where gates change: the cells at which ``H`` crosses a threshold, for each turn ``t = k' d`` of one curve's partner.

A sum over the neurons with ``H > τ`` is a sum over arcs of the circle: prefix sums in order of cell, read at the arcs'
ends, which move by ``h·t`` with b (``plan.unsettled``: steps of h cells, ``order`` turns).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan.plan import SCALE, Group, Plan
from quadlens.certificates.plan.unsettled import Walk, walk


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arcs:
    """Where a group's ``H`` exceeds each threshold.

    ``starts[τ], stops[τ] (ends, order)`` are first cells of arcs and the cells just behind them, for every turn; where
    a turn has fewer arcs, the cell is ``2G``. ``position (3G + 1,)`` is how many members have a cell below c, twice
    round; then 0, where those ends find the empty sum. ``turn (p,)`` is each residue's turn, ``A, B`` are the curves.
    """

    way: Walk
    A: FloatArray
    B: FloatArray
    thresholds: FloatArray
    starts: list[IntArray]
    stops: list[IntArray]
    position: IntArray
    turn: IntArray

    @property
    def cells(self) -> int:
        """``G``."""
        return int(self.A.size)

    @property
    def ends(self) -> int:
        """The most arc ends of one class."""
        return sum(one.shape[0] for one in (*self.starts, *self.stops))

    def turns_of(self, mine: IntArray, first: bool) -> tuple[IntArray, IntArray]:
        """Return the turn of ``d`` and the shift of ``b`` in cells, for a table's residues and all of the other's.

        Shapes (mine, p), and (1, p) or (mine, 1).
        """
        own, other = self.turn[mine][:, None], self.turn[None, :]
        t = (own - other if first else other - own) % self.way.order
        return t, (other if first else own) * self.way.step

    def last(self, t: IntArray, shift: IntArray) -> FloatArray:
        """Return H of the last cell of all, where a walk round the circle begins, for each input."""
        s = (self.cells - 1 + shift) % self.cells
        return np.asarray(self.A[(s + self.way.step * t) % self.cells] + self.B[s])

    def places(self, one: IntArray, t: IntArray, shift: IntArray) -> IntArray:
        """Return the number of members before an arc end, for each input."""
        return np.asarray(self.position[one[t] + (self.cells - shift)])


def thresholds_of(group: Group, several: bool) -> FloatArray:
    """Return what ``H`` is compared with, by ``>``: 0 alone, or ``−λ`` (from which on a gate is near), 0 and ``λ``."""
    return np.array([-group.level - 1 / SCALE, 0.0, group.level]) if several else np.zeros(1)


def arcs_of(plan: Plan, group: Group) -> Arcs:
    """Return a group's arcs, with thresholds ``±λ`` where some of its neurons are bounded: O(pG)."""
    thresholds = thresholds_of(group, bool(plan.bounded[group.members].any()))
    way, cells = walk(plan, group.frequency), plan.cells
    windows = np.lib.stride_tricks.sliding_window_view(np.tile(group.A, 2), cells)[:: way.step]

    def work(block: slice) -> list[tuple[IntArray, npt.NDArray[np.bool_]]]:
        H, out = windows[block] + group.B, []
        for threshold in thresholds:
            above = threshold < H
            changed = np.empty(above.shape, dtype=np.bool_)
            np.not_equal(above[:, 1:], above[:, :-1], out=changed[:, 1:])
            np.not_equal(above[:, 0], above[:, -1], out=changed[:, 0])
            at = np.flatnonzero(changed)
            out.append((at + block.start * cells, above.ravel()[at]))
        return out

    starts, stops = [], []
    for found in zip(*in_parallel(work, blocks_of(way.order, BLOCK // cells)), strict=True):
        at, begins = (np.concatenate(parts) for parts in zip(*found, strict=True))
        starts.append(_ranked(at[begins], way.order, cells))
        stops.append(_ranked(at[~begins], way.order, cells))
    below = np.searchsorted(plan.cell[group.members], np.arange(cells))
    return Arcs(
        way=way,
        A=group.A,
        B=group.B,
        thresholds=thresholds,
        starts=starts,
        stops=stops,
        position=np.concatenate([below, below, np.zeros(cells + 1, dtype=below.dtype)]),
        turn=plan.shifts(group.frequency) // way.step,
    )


def _ranked(at: IntArray, order: int, cells: int) -> IntArray:
    """Return the cells of each turn, in order, padded: shape (most of a turn, order)."""
    turn, cell = np.divmod(at, cells)
    number = np.bincount(turn, minlength=order)
    first = np.cumsum(number) - number
    out = np.full((int(number.max(initial=0)), order), 2 * cells, dtype=np.int64)
    out[np.arange(at.size) - first[turn], turn] = cell
    return out
