r"""A group's neurons round the circle, in tiers: for each class d, arcs where gates are on, arcs to look at.

Neuron i meets ``H_d`` at ``θ = ωkb + φ_i``. With ``G = g p`` cells it lies in cell ``c_i + g·(kb mod p)``, an exact
integer, so that neurons whose θ lies on an arc are neighbours in order of cell. A gate is as ``H_d`` at the middle of
its cell says, unless ``|H_d| < level + max|H_d′| π/G`` there: ``level`` is at least ``Δ_i/r_i``, how far the neuron's
own preactivation strays from the waveform. Those gates are looked at one by one.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from quadlens.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of

CELLS = 512
"""The circle has this many cells at least."""

PARTS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97, 1.0)
"""Where tiers may be cut, neurons in order of level."""

CLASSES = 64
"""So many classes, evenly spread, stand for all where costs are estimated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Arcs of every class, one behind the other: class d has ``first[d]`` to ``first[d + 1]``; each begins at a cell
    and has a length in cells. ``on`` says whether gates there are on.
    """

    first: IntArray
    begin: IntArray
    length: IntArray
    on: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tier:
    """Neurons looked at alike: ``members`` are places in the group, in order of cell; ``position (2G + 1,)`` is how
    many of them have a smaller cell, twice round. ``arcs`` are where gates are on, ``near`` where each is looked at.
    """

    members: IntArray
    position: IntArray
    shift: IntArray
    arcs: Runs
    near: Runs


def tiers(coefficients: ComplexArray, frequency: int, phi: FloatArray, levels: FloatArray, channels: int) -> list[Tier]:
    """Return a group's neurons in tiers whose estimated cost is least; ``channels`` real sums are taken of each.

    ``coefficients (p, 3)`` are those of ``H_d``, ``levels`` of |H| are where gates settle, ∞ where they never do.
    """
    p = coefficients.shape[0]
    cells = -(-CELLS // p) * p
    some = _values(coefficients[:: max(1, p // CLASSES)], cells)
    sizes = np.sort(np.abs(some), axis=None)
    order = np.argsort(levels, kind="stable")
    cuts = np.unique([round(part * order.size) for part in PARTS])

    def cost(start: int, stop: int) -> float:
        near = np.searchsorted(sizes, levels[order[stop - 1]]) / sizes.size
        return 10 + 3 * channels + (stop - start) * float(near) * (1 + channels / 8)

    best: list[tuple[float, list[int]]] = [(0.0, [0])]
    for stop in cuts[1:]:
        options = [(before + cost(ends[-1], int(stop)), [*ends, int(stop)]) for before, ends in best]
        best.append(min(options))
    ends = best[-1][1]
    cell = np.floor(phi / (2 * np.pi) * cells).astype(np.int64) % cells
    return [
        _tier(coefficients, frequency, order[start:stop], cell, float(levels[order[stop - 1]]))
        for start, stop in pairwise(ends)
    ]


def _tier(coefficients: ComplexArray, frequency: int, members: IntArray, cell: IntArray, level: float) -> Tier:
    p = coefficients.shape[0]
    cells = -(-CELLS // p) * p
    members = members[np.argsort(cell[members], kind="stable")]
    below = np.searchsorted(cell[members], np.arange(cells + 1))
    size = np.abs(coefficients)
    # a cell reaches half of its width from its middle; the last part is for rounding
    room = level + (size[:, 1] + 2 * size[:, 2]) * (np.pi / cells * (1 + 1e-9)) + 1e-12 * size.sum(axis=1)
    arcs, near = [], []
    for block in blocks_of(p, BLOCK // cells):
        H = _values(coefficients[block], cells)
        above, close = H > 0, np.abs(H) <= room[block, None]
        arcs.append(_runs(above, block.start))
        near += [(*_runs(close & above, block.start), True), (*_runs(close & ~above, block.start), False)]
    return Tier(
        members=members,
        position=np.concatenate([below[:-1], below + members.size]),
        shift=cells // p * (frequency * np.arange(p) % p),
        arcs=_joined([(*part, True) for part in arcs], p),
        near=_joined(near, p),
    )


def _values(coefficients: ComplexArray, cells: int) -> FloatArray:
    """Return ``H_d`` at the middle of every cell, shape (classes, cells)."""
    wave = np.exp(2j * np.pi / cells * np.outer(np.arange(coefficients.shape[1]), np.arange(cells) + 0.5))
    return np.asarray(coefficients.real @ wave.real - coefficients.imag @ wave.imag)


def _runs(mask: BoolArray, first: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return the class, the first cell and the length of each run of True round the circle."""
    cells = mask.shape[1]
    before = np.roll(mask, 1, axis=1)
    row, begin = np.nonzero(mask & ~before)
    at, end = np.nonzero(~mask & before)
    # where the last cell is in a run, the row's first end belongs to its last beginning
    wraps = mask[:, -1] & ~mask.all(axis=1)
    leading = np.concatenate([[True], at[1:] != at[:-1]])[: at.size] & wraps[at]
    end = end + cells * leading
    end = end[np.lexsort((end, at))]
    full = np.flatnonzero(mask.all(axis=1))
    return (
        np.concatenate([row, full]) + first,
        np.concatenate([begin, 0 * full]),
        np.concatenate([end - begin, 0 * full + cells]),
    )


def _joined(parts: list[tuple[IntArray, IntArray, IntArray, bool]], p: int) -> Runs:
    classes, begin, length = (np.concatenate([part[index] for part in parts]) for index in range(3))
    on = np.concatenate([np.full(part[0].size, part[3]) for part in parts])
    order = np.argsort(classes, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(classes, minlength=p))])
    return Runs(first=first, begin=begin[order], length=length[order], on=on[order])
