r"""The inputs of a class in a few clusters of similar retained sums, and what a bound needs of each cluster."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.compiled import compiled_is_worth_it
from quadlens.certificates.input_quantities import LOOPS_PAY, InputQuantities
from quadlens.certificates.operations import OperationCounter

TELLING = 6
"""Retained sums that clusters look at."""


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
class ClusterQuantities:
    """What (L) needs of each cluster of some classes, one row for each cluster that has inputs, classes in order.

    ``row (clusters,)`` is its class, counted from the first; ``size`` its inputs; ``Z (clusters, |F|)`` the mean of X;
    ``E, own (clusters, |F|)`` the largest ``e_z(b)`` and its part from the gates; ``N, T, crossed, res, skip``
    ``(clusters,)``
    the largest of their inputs, ``T`` that of the sum of the last three.
    """

    row: IntArray
    size: IntArray
    Z: ComplexArray
    E: FloatArray
    own: FloatArray
    N: FloatArray
    T: FloatArray
    crossed: FloatArray
    res: FloatArray
    skip: FloatArray


def cluster_quantities(inputs: InputQuantities, label: IntArray, number: int, block: slice) -> ClusterQuantities:
    """Return what (L) needs of the clusters ``label (p, p)``, 0 … number − 1, of a block of classes."""
    if compiled_is_worth_it(LOOPS_PAY * label.size):
        return _by_loops(inputs, label, number, block)
    return _by_arrays(inputs, label, number, block)


def _by_arrays(inputs: InputQuantities, label: IntArray, number: int, block: slice) -> ClusterQuantities:
    p, kept = label.shape[0], inputs.X.shape[2]
    classes = np.arange(block.stop - block.start)
    flat = (label[block] + number * classes[:, None]).ravel()
    # one cluster is in order as it is
    order = np.argsort(flat, kind="stable") if number > 1 else slice(None)
    size = np.bincount(flat, minlength=number * classes.size)
    filled = np.flatnonzero(size)
    first = (np.cumsum(size) - size)[filled]

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
    return ClusterQuantities(
        row=filled // number,
        size=size[filled],
        Z=np.asarray(Z, dtype=np.complex128),
        E=largest(e),
        own=largest(own),
        N=np.sqrt(largest((e**2).sum(axis=1))),
        T=largest(inputs.fixed(block).ravel()),
        crossed=largest(inputs.crossed(block).ravel()),
        res=largest(inputs.res[block].ravel()),
        skip=largest(inputs.skip[block].ravel()),
    )


def _by_loops(inputs: InputQuantities, label: IntArray, number: int, block: slice) -> ClusterQuantities:
    from quadlens.certificates.input_kernel import Largest, largest_of_clusters

    classes, kept = block.stop - block.start, inputs.X.shape[2]
    shapes = {"Z": (2 * kept,), "E": (kept,), "own": (kept,)}
    out = Largest(
        size=np.zeros((classes, number), dtype=np.int64),
        **{
            name: np.zeros((classes, number, *shapes.get(name, ())))
            for name in ("Z", "E", "N", "own", "T", "crossed", "res", "skip")
        },
    )
    largest_of_clusters(inputs.for_loops(), label, block.start, block.stop, out)
    row, _ = filled = np.nonzero(out.size)
    Z: ComplexArray = out.Z[filled].view(np.complex128)
    return ClusterQuantities(
        row=row,
        size=out.size[filled],
        Z=Z,
        **{name: getattr(out, name)[filled] for name in ("E", "own", "N", "T", "crossed", "res", "skip")},
    )
