r"""The inequality (L): a bound for every class d and every wrong answer Y + δ, from quantities of each input.

The inputs of a class are put into a few clusters of similar retained sums, so that their errors count together and not
each at its own worst input.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.gate_sums import GateSums
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder
from quadlens.certificates.retained import Retained

TELLING = 6
"""Retained sums that clusters look at."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InputQuantities:
    """What (L) and (G) say of each input, axes (d, b): the input is a = d+b mod p, b.

    ``X (p, p, |F|)`` the turned retained sums; ``own (p, p, |F|)`` the sum of R over buckets with that own
    frequency; ``cross, res, skip (p, p)``.
    ``rest_a[a, c], rest_b[b, c]`` say how far the rest of a skip row lies below its maximum at c.
    """

    X: ComplexArray
    own: FloatArray
    cross: FloatArray
    res: FloatArray
    skip: FloatArray
    rest_a: FloatArray
    rest_b: FloatArray


def input_quantities(
    plan: Plan, retained: Retained, sums: GateSums, rest: Remainder, count: OperationCounter
) -> InputQuantities:
    """Turn sums over neurons into what the inequalities use, with axes (d, b)."""
    p = plan.p
    b = np.arange(p)
    a = (b[:, None] + b) % p
    Y = (a + b) % p
    C = sums.C[a, b]
    C *= retained.waves.T[Y]
    own = np.zeros((p, p, len(plan.retained)))
    cross = np.zeros((p, p))
    for bucket, R in zip(plan.buckets, sums.R, strict=True):
        by_class = R[a, b]
        position = plan.own(bucket)
        if position is not None:
            own[:, :, position] += by_class
        cross += 2 * bucket.cross * by_class
    count.add(p * p, 6 * len(plan.retained) + 4 * len(plan.buckets) + 2)
    return InputQuantities(
        X=C,
        own=own,
        cross=cross,
        res=rest.res_a[a] + rest.res_b[b],
        skip=retained.rest_a[a, Y] + retained.rest_b[b, Y],
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
    number = int(label.max()) + 1
    flat = (label + number * np.arange(p)[:, None]).ravel()
    order = np.argsort(flat, kind="stable")
    size = np.bincount(flat, minlength=number * p)
    filled = np.flatnonzero(size)
    first = (np.cumsum(size) - size)[filled]
    d = filled // number

    def largest(values: FloatArray) -> FloatArray:
        return np.asarray(np.maximum.reduceat(values[order], first, axis=0))

    X = inputs.X.reshape(-1, kept)
    Z = np.add.reduceat(X[order], first, axis=0) / size[filled, None]
    place = np.full(number * p, -1)
    place[filled] = np.arange(filled.size)
    apart = np.abs(X - Z[place[flat]])
    own = inputs.own.reshape(-1, kept)
    e = apart + own
    E_max, N, own_max = largest(e), np.sqrt(largest((e**2).sum(axis=1))), largest(own)
    fixed = inputs.cross + inputs.res + inputs.skip
    T = largest(fixed.ravel())
    count.add(p * p, kept * (2 + 4 + 1 + 3 + 1) + 4)

    turn = 1 - np.exp(2j * np.pi / p * (np.outer(plan.retained, np.arange(1, p)) % p))
    length = np.abs(turn)
    norm = np.sqrt((length**2).sum(axis=0))
    centre = np.concatenate([Z.real, -Z.imag], axis=1) @ np.concatenate([turn.real, turn.imag])
    spread = np.minimum(E_max @ length, np.outer(N, norm))
    by_cluster = centre - spread - T[:, None]
    count.add(filled.size * (p - 1), 4 * kept + 2 * kept + 4)
    start = np.searchsorted(d, np.arange(p))
    D = rest.D.sum(axis=0)[:, 1:]
    tail = rest.tail.sum(axis=0)
    bound = np.minimum.reduceat(by_cluster, start, axis=0) - D - tail[:, None]
    count.add(p * (p - 1), 3 + len(plan.groups))

    # the ledger, at the worst δ and cluster of each class
    delta = bound.argmin(axis=1)
    rows = np.arange(p)
    worst = np.array([start[x] + by_cluster[start[x] : _next(start, int(x), d.size), delta[x]].argmin() for x in rows])
    mean = np.add.reduceat(Z * size[filled, None], start, axis=0) / p
    ideal = (mean * turn[:, delta].T).real.sum(axis=1)
    own_cost = own_max[worst] * length[:, delta].T
    R = own_cost.sum(axis=1) + largest(inputs.cross.ravel())[worst]
    skip = largest(inputs.skip.ravel())[worst]
    res = largest(inputs.res.ravel())[worst]
    # what is not R, res or skip; the maxima of a cluster need not meet at one input, so this can be a little less
    # than E
    E = ideal - by_cluster[worst, delta] - R - res - skip
    return ClassBounds(
        bound=bound,
        ideal=ideal,
        E=E,
        R=R,
        D=D[rows, delta],
        tail=tail,
        res=res,
        skip=skip,
        delta=delta + 1,
        D_by_group=rest.D[:, rows, delta + 1].T,
        R_by_retained=own_cost,
        E_by_retained=(E_max - own_max)[worst] * length[:, delta].T,
    )


def _next(start: IntArray, x: int, end: int) -> int:
    return int(start[x + 1]) if x + 1 < start.size else end
