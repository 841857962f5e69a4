r"""The inequality (L): a bound for every class d and every wrong answer Y + δ, from quantities of each input.

The inputs of a class are put into a few clusters of similar retained sums, so that their errors count together and not
each at its own worst input.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.gate_sums import GateSums
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of, in_parallel
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder
from quadlens.certificates.retained import Retained

BLOCK = 2**20
"""Numbers for each retained frequency or cluster in one block of classes, at most, unless one class has more."""

TELLING = 6
"""Retained sums that clusters look at."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputQuantities:
    """What (L) and (G) say of each input, axes (d, b): the input is a = d+b mod p, b.

    ``X (p, p, |F|)`` the turned retained sums; ``R (buckets, p, p)`` with the ``position`` of each bucket's own
    frequency in ``F`` (−1 for none) and its ``cross`` ratio; ``res, skip (p, p)``.
    ``rest_a[a, c], rest_b[b, c]`` say how far the rest of a skip row lies below its maximum at c.
    """

    X: ComplexArray
    R: FloatArray
    position: IntArray
    cross: FloatArray
    res: FloatArray
    skip: FloatArray
    rest_a: FloatArray
    rest_b: FloatArray

    def own(self, d: int | slice) -> FloatArray:
        """Return the sum of R over the buckets with own frequency z, for one class or several: shape (…, p, |F|)."""
        R = self.R[:, d]
        out = np.zeros((*R.shape[1:], self.X.shape[2]))
        for position, mine in zip(self.position, R, strict=True):
            if position >= 0:
                out[..., position] += mine
        return out

    def crossed(self, d: int | slice) -> FloatArray:
        """Return ``Σ_β 2 v_β R_β`` for one class or several, shape (…, p)."""
        return np.asarray(np.tensordot(2 * self.cross, self.R[:, d], axes=1))

    def fixed(self, d: int | slice) -> FloatArray:
        """Return ``Σ_β 2 v_β R_β + res + skip`` for one class or several, shape (…, p)."""
        return self.crossed(d) + self.res[d] + self.skip[d]


def input_quantities(
    plan: Plan, retained: Retained, sums: GateSums, rest: Remainder, count: OperationCounter
) -> InputQuantities:
    """Turn sums over neurons into what the inequalities use, with axes (d, b)."""
    p, kept = plan.p, len(plan.retained)
    X = np.empty((p, p, kept), dtype=np.complex128)
    R = np.empty((len(plan.buckets), p, p))
    res, skip = np.empty((p, p)), np.empty((p, p))
    b = np.arange(p)
    waves = retained.waves

    def work(block: slice) -> None:
        a = (np.arange(block.start, block.stop)[:, None] + b) % p
        Y = (a + b) % p
        for z, C in enumerate(sums.by_output):
            np.multiply(C[a, b], waves[z, Y], out=X[block, :, z])
        R[:, block] = sums.R[:, a, b]
        res[block] = rest.res(a, b, Y)
        skip[block] = retained.rest_a[a, Y] + retained.rest_b[b, Y]

    in_parallel(work, blocks_of(p, BLOCK // (p * kept)))
    count.add(p * p, 6 * kept + 6)
    return InputQuantities(
        X=X,
        R=R,
        position=np.array([-1 if (at := plan.own(bucket)) is None else at for bucket in plan.buckets], dtype=np.int64),
        cross=np.array([bucket.cross for bucket in plan.buckets]),
        res=res,
        skip=skip,
        rest_a=retained.rest_a,
        rest_b=retained.rest_b,
    )


def clusters(X: ComplexArray, most: int, count: OperationCounter) -> IntArray:
    """Put the inputs of each class into ``most`` clusters at most: halves of halves, cut across the widest
    direction."""
    p = X.shape[0]
    # the retained sums that vary most within the classes are enough to tell inputs apart
    varying = np.argsort(-(np.abs(X - X.mean(axis=1, keepdims=True)) ** 2).sum(axis=(0, 1)))[:TELLING]
    count.add(8 * p * p, X.shape[2])
    points = np.ascontiguousarray(X[:, :, varying]).view(np.float64)
    # clusters do not depend on the unit, and squares of large numbers overflow
    points = points / max(float(np.abs(points).max(initial=0.0)), np.finfo(np.float64).tiny)
    kept = varying.size
    label = np.zeros(points.shape[:2], dtype=np.int64)
    number = 1
    row = np.arange(p)[:, None]
    while 2 * number <= most:
        flat = (label + number * row).ravel()
        size = np.maximum(np.bincount(flat, minlength=number * p), 1)
        flat_points = points.reshape(-1, 2 * kept)
        centred = flat_points - (_sums(flat_points, flat, number * p) / size[:, None])[flat]
        spread = _sums(centred**2, flat, number * p)
        direction = np.zeros_like(spread)
        direction[np.arange(direction.shape[0]), spread.argmax(axis=1)] = 1.0
        for _ in range(2):
            along = np.einsum("ij,ij->i", centred, direction[flat])
            direction = _sums(centred * along[:, None], flat, number * p)
            length = np.sqrt((direction**2).sum(axis=1, keepdims=True))
            direction = np.divide(direction, length, out=np.zeros_like(direction), where=length > 0)
        along = np.einsum("ij,ij->i", centred, direction[flat])
        label = 2 * label + (along > 0).reshape(label.shape)
        number *= 2
        count.add(p * p, 2 * kept * (1 + 1 + 2 + 2 * 4 + 2))
    return label


def _sums(values: FloatArray, label: IntArray, number: int) -> FloatArray:
    """Return the sums of rows with equal label, shape (number, columns)."""
    return np.stack([np.bincount(label, column, number) for column in values.T], axis=1)


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
    p, kept = label.shape[0], inputs.X.shape[2]
    classes = np.arange(block.stop - block.start)
    number = int(label.max()) + 1
    flat = (label[block] + number * classes[:, None]).ravel()
    # one cluster is in order as it is
    order = np.argsort(flat, kind="stable") if number > 1 else slice(None)
    size = np.bincount(flat, minlength=number * classes.size)
    filled = np.flatnonzero(size)
    first = (np.cumsum(size) - size)[filled]
    d = filled // number

    def largest(values: FloatArray) -> FloatArray:
        if number == 1:
            return np.asarray(values.reshape(classes.size, p, *values.shape[1:]).max(axis=1))
        return np.asarray(np.maximum.reduceat(values[order], first, axis=0))

    X = inputs.X[block].reshape(-1, kept)
    Z = np.add.reduceat(X[order], first, axis=0) / size[filled, None]
    place = np.full(number * classes.size, -1)
    place[filled] = np.arange(filled.size)
    own = inputs.own(block).reshape(-1, kept)
    e = np.abs(X - np.repeat(Z, size[filled], axis=0) if number == 1 else X - Z[place[flat]]) + own
    E_max, N, own_max = largest(e), np.sqrt(largest((e**2).sum(axis=1))), largest(own)
    T = largest(inputs.fixed(block).ravel())

    centre = np.concatenate([Z.real, -Z.imag], axis=1) @ turns.parts
    spread = np.minimum(E_max @ turns.length, np.outer(N, turns.norm))
    by_cluster = centre - spread - T[:, None]
    start = np.searchsorted(d, classes)
    D = rest.D(block)[:, 1:]
    tail = rest.tail[:, block].sum(axis=0)
    bound = np.minimum.reduceat(by_cluster, start, axis=0) - D - tail[:, None]

    # the ledger, at the worst δ and cluster of each class
    delta = bound.argmin(axis=1)
    worst = np.array(
        [start[x] + by_cluster[start[x] : _next(start, int(x), d.size), delta[x]].argmin() for x in classes]
    )
    mean = np.add.reduceat(Z * size[filled, None], start, axis=0) / p
    ideal = (mean * turns.turn[:, delta].T).real.sum(axis=1)
    own_cost = own_max[worst] * turns.length[:, delta].T
    R = own_cost.sum(axis=1) + largest(inputs.crossed(block).ravel())[worst]
    skip = largest(inputs.skip[block].ravel())[worst]
    res = largest(inputs.res[block].ravel())[worst]
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
        E_by_retained=(E_max - own_max)[worst] * turns.length[:, delta].T,
        clusters=filled.size,
    )


def _next(start: IntArray, x: int, end: int) -> int:
    return int(start[x + 1]) if x + 1 < start.size else end
