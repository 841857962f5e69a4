r"""Where gates change: the cells at which ``H`` crosses a threshold, for each class d.

A sum over the neurons with ``H > τ`` is a sum over arcs of the circle: prefix sums in order of cell, read at the arcs'
ends, which move by ``g·kb`` with b.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan.plan import SCALE, Group, Plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """Ends of arcs where ``H`` exceeds one threshold: cells ``(ranks, classes)``, first cells of arcs (``starts``) and
    the cells just behind them (``stops``), each class's in order.

    Classes with many ends come first: row e speaks of the first ``filled[e]`` of them, and of few that have no such
    end and stand at ``2G`` there.
    """

    starts: IntArray
    stops: IntArray
    filled: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arcs:
    """A group's arcs. ``classes (p,)`` are all d in the order of ``Ends``, neighbours on the circle together.

    ``last_A[a] + last_B[b]`` is H of the last cell of all, where a walk round the circle begins.
    ``position (3G + 1,)`` is how many members have a cell below c, twice round; then 0, where ends that are none find
    the empty sum. ``shift (p,)`` is ``g·kb``; ``most`` arc ends has one class, all of them ``total``.
    """

    thresholds: FloatArray
    ends: tuple[Ends, ...]
    classes: IntArray
    last_A: FloatArray
    last_B: FloatArray
    position: IntArray
    shift: IntArray
    most: int
    total: int

    def places(self, cell: IntArray) -> IntArray:
        """Return the number of members before an arc end of each class, at every b: shape (classes, p)."""
        return np.asarray(self.position[cell[:, None] + (self.position.size // 3 - self.shift)])


def thresholds_of(group: Group, several: bool) -> FloatArray:
    """Return what ``H`` is compared with, by ``>``: 0 alone, or ``−λ`` (from which on a gate is near), 0 and ``λ``."""
    return np.array([-group.level - 1 / SCALE, 0.0, group.level]) if several else np.zeros(1)


def arcs_of(plan: Plan, group: Group) -> Arcs:
    """Return a group's arcs, with thresholds ``±λ`` where some of its neurons are bounded: O(pG)."""
    p, cells, shift = plan.p, plan.cells, plan.shifts(group.frequency)
    thresholds = thresholds_of(group, bool(plan.bounded[group.members].any()))

    def work(block: slice) -> list[IntArray]:
        H, out = plan.turned(group.A, group.frequency, block) + group.B, []
        for threshold in thresholds:
            above = threshold < H
            changed = np.empty(above.shape, dtype=np.bool_)
            np.not_equal(above[:, 1:], above[:, :-1], out=changed[:, 1:])
            np.not_equal(above[:, 0], above[:, -1], out=changed[:, 0])
            at = np.flatnonzero(changed)
            begins = above.ravel()[at]
            out += [at[begins] + block.start * cells, at[~begins] + block.start * cells]
        return out

    blocks = in_parallel(work, blocks_of(p, BLOCK // cells))
    found = [np.divmod(np.concatenate(parts), cells) for parts in zip(*blocks, strict=True)]
    number = np.array([np.bincount(d, minlength=p) for d, _ in found])
    classes = np.lexsort((shift, -number.sum(axis=0)))
    rows = [_ranked(*one, count, cells)[:, classes] for one, count in zip(found, number, strict=True)]
    below = np.searchsorted(plan.cell[group.members], np.arange(cells))
    before = (cells - 1 + shift) % cells
    return Arcs(
        thresholds=thresholds,
        ends=tuple(_ends(rows[at], rows[at + 1], cells) for at in range(0, len(rows), 2)),
        classes=classes,
        last_A=group.A[before],
        last_B=group.B[before],
        position=np.concatenate([below, below, np.zeros(cells + 1, dtype=below.dtype)]),
        shift=shift,
        most=int(number.sum(axis=0).max()),
        total=int(number.sum()),
    )


def _ranked(d: IntArray, cell: IntArray, number: IntArray, cells: int) -> IntArray:
    """Return the cells of each class, in order, padded: shape (most of a class, p)."""
    first = np.cumsum(number) - number
    out = np.full((int(number.max(initial=0)), number.size), 2 * cells, dtype=np.int64)
    out[np.arange(d.size) - first[d], d] = cell
    return out


def _ends(starts: IntArray, stops: IntArray, cells: int) -> Ends:
    # round the circle an arc begins as often as one ends
    there = starts < 2 * cells
    filled = starts.shape[1] - np.argmax(there[:, ::-1], axis=1)
    return Ends(starts=starts, stops=stops, filled=filled)
