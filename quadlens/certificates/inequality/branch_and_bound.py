r"""Which pairs (d, δ) are worth (G′): those whose (L) is lowest, until no other can hold the smallest bound."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray

CHUNK = 32
"""Pairs refined at a time, at least: few enough to stop in time, enough for whole-array arithmetic."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refined:
    """``bound (p, p − 1)``: (L), or ``max((L), min_b (G′))`` where ``refined``."""

    bound: FloatArray
    refined: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``per_class`` pairs of one class and ``pairs`` in all may be refined."""

    per_class: int
    pairs: int


def branch_and_bound(
    bound: FloatArray, least_of_pairs: Callable[[IntArray, IntArray], FloatArray], zero: float, limits: Limits
) -> Refined:
    """Refine pairs in increasing order of (L), ``bound (p, p − 1)``, while one of them can matter.

    ``least_of_pairs(d, δ)`` returns ``min_b (G′)``. A pair matters while its (L) is below the smallest bound found, or
    not above ``zero``: first the smallest bound, then the classes that are not proved. Sound wherever it stops.
    """
    p = bound.shape[0]
    out, refined = bound.copy(), np.zeros(bound.shape, dtype=bool)
    order = _lowest(bound.ravel(), 4 * limits.pairs)
    lowest = bound.ravel()[order]
    left, todo = np.full(p, limits.per_class), limits.pairs
    best, at = np.inf, 0
    while at < order.size and todo > 0 and (lowest[at] < best or lowest[at] <= zero):
        stop = min(at + max(CHUNK, p // 2), int(np.searchsorted(lowest, max(best, zero), side="right")))
        d, column = np.divmod(order[at:stop], p - 1)
        allowed = _first_of_each(d, left)
        allowed &= np.cumsum(allowed) <= todo
        # a class that has used up its pairs keeps what it has
        best = min(best, float(lowest[at:stop][~allowed].min(initial=np.inf)))
        d, column, at = d[allowed], column[allowed], stop
        if d.size:
            todo -= d.size
            np.subtract.at(left, d, 1)
            out[d, column] = found = np.maximum(out[d, column], least_of_pairs(d, column + 1))
            refined[d, column] = True
            best = min(best, float(found.min()))
    return Refined(bound=out, refined=refined)


def _lowest(values: FloatArray, most: int) -> IntArray:
    """Return where the ``most`` lowest values are, in order; to sort all of p² takes longer than to refine a few."""
    some = np.argpartition(values, most)[:most] if most < values.size else np.arange(values.size)
    return np.asarray(some[np.argsort(values[some], kind="stable")])


def _first_of_each(d: IntArray, left: IntArray) -> BoolArray:
    """Say which entries are among the first ``left[d]`` of their class."""
    order = np.argsort(d, kind="stable")
    classes = d[order]
    rank = np.arange(d.size) - np.searchsorted(classes, classes)
    out = np.empty(d.size, dtype=bool)
    out[order] = rank < left[classes]
    return out
