r"""The inequality (L): a bound for every class d and every wrong answer Y + δ, from quantities of each input.

The inputs of a class are put into a few clusters of similar retained sums, so that their errors count together and not
each at its own worst input.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.clusters import cluster_quantities
from quadlens.certificates.input_quantities import InputQuantities
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of, in_parallel
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder

BLOCK = 2**18
"""Numbers for each retained frequency or cluster in one block of classes, at most, unless one class has more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassBounds:
    """``bound (p, p−1)`` at (d, δ−1), without the rounding term; and the ledger's terms at each class's worst δ, (p,).

    ``ideal`` is the retained margin at the mean of the class; ``E, R`` cost together what the cluster's spread and
    gates do.
    """

    bound: FloatArray
    ideal: FloatArray
    E: FloatArray
    R: FloatArray
    D: FloatArray
    tail: FloatArray
    res: FloatArray
    skip: FloatArray
    delta: IntArray
    D_by_group: FloatArray
    R_by_retained: FloatArray
    E_by_retained: FloatArray


def class_bounds(
    plan: Plan, inputs: InputQuantities, rest: Remainder, label: IntArray, count: OperationCounter
) -> ClassBounds:
    """Evaluate (L) without its rounding term for every class and δ."""
    p, kept = plan.p, len(plan.retained)
    turn = 1 - np.exp(2j * np.pi / p * (np.outer(plan.retained, np.arange(1, p)) % p))
    turns = _Turns(
        turn=turn,
        parts=np.concatenate([turn.real, turn.imag]),
        length=np.abs(turn),
        norm=np.sqrt((np.abs(turn) ** 2).sum(axis=0)),
    )
    rows = max(1, BLOCK // (p * max(kept, int(label.max()) + 1)))
    found = in_parallel(
        lambda block: _some_classes(inputs, rest, label, turns, block), blocks_of(p, rows)
    )
    clusters_in_use = sum(part.clusters for part in found)
    count.add(p * p, kept * (2 + 4 + 1 + 3 + 1) + 4 + 2 * len(plan.buckets))
    count.add(clusters_in_use * (p - 1), 4 * kept + 2 * kept + 4)
    count.add(p * p, 2 * len(plan.groups) * (plan.harmonics + 1) + 3)
    joined = {
        name: np.concatenate([getattr(part, name) for part in found])
        for name in ("bound", "ideal", "E", "R", "D", "res", "skip", "delta", "R_by_retained", "E_by_retained")
    }
    return ClassBounds(
        **joined,
        tail=rest.tail.sum(axis=0),
        D_by_group=rest.D_by_group(np.arange(p), joined["delta"]).T,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Turns:
    """``turn (|F|, p−1)``: ``1 − e^{iωzδ}``; ``parts``: real above imaginary parts; ``length, norm`` over z."""

    turn: ComplexArray
    parts: FloatArray
    length: FloatArray
    norm: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SomeClasses:
    """The fields of ``ClassBounds`` for a few classes, and how many clusters they have."""

    bound: FloatArray
    ideal: FloatArray
    E: FloatArray
    R: FloatArray
    D: FloatArray
    res: FloatArray
    skip: FloatArray
    delta: IntArray
    R_by_retained: FloatArray
    E_by_retained: FloatArray
    clusters: int


def _some_classes(
    inputs: InputQuantities, rest: Remainder, label: IntArray, turns: _Turns, block: slice
) -> _SomeClasses:
    p = label.shape[0]
    classes = np.arange(block.stop - block.start)
    of = cluster_quantities(inputs, label, int(label.max()) + 1, block)
    centre = np.concatenate([of.Z.real, -of.Z.imag], axis=1) @ turns.parts
    spread = np.minimum(of.E @ turns.length, np.outer(of.N, turns.norm))
    by_cluster = centre - spread - of.T[:, None]
    start = np.searchsorted(of.row, classes)
    D = rest.D(block)[:, 1:]
    tail = rest.tail[:, block].sum(axis=0)
    bound = np.minimum.reduceat(by_cluster, start, axis=0) - D - tail[:, None]

    # the ledger, at the worst δ and cluster of each class
    delta = bound.argmin(axis=1)
    worst = np.array(
        [start[x] + by_cluster[start[x] : _next(start, int(x), of.row.size), delta[x]].argmin() for x in classes]
    )
    mean = np.add.reduceat(of.Z * of.size[:, None], start, axis=0) / p
    ideal = (mean * turns.turn[:, delta].T).real.sum(axis=1)
    own_cost = of.own[worst] * turns.length[:, delta].T
    R, res, skip = own_cost.sum(axis=1) + of.crossed[worst], of.res[worst], of.skip[worst]
    # what is not R, res or skip; the maxima of a cluster need not meet at one input, so this can be a little less
    # than E
    E = ideal - by_cluster[worst, delta] - R - res - skip
    return _SomeClasses(
        bound=bound,
        ideal=ideal,
        E=E,
        R=R,
        D=D[classes, delta],
        res=res,
        skip=skip,
        delta=delta + 1,
        R_by_retained=own_cost,
        E_by_retained=(of.E - of.own)[worst] * turns.length[:, delta].T,
        clusters=of.row.size,
    )


def _next(start: IntArray, x: int, end: int) -> int:
    return int(start[x + 1]) if x + 1 < start.size else end
