"""What the classes need of their inputs in compiled loops, for large circuits."""

from typing import NamedTuple

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compiled import kernel


class Quantities(NamedTuple):
    """Those of ``InputQuantities``, axes (d, b): ``X (p, p, 2|F|)`` are real and imaginary parts in turn."""

    X: FloatArray
    R: FloatArray
    position: IntArray
    cross: FloatArray
    res: FloatArray
    skip: FloatArray


class Largest(NamedTuple):
    """What is written for each cluster, shape (classes, clusters, …); see ``ClusterQuantities``."""

    size: IntArray
    Z: FloatArray
    E: FloatArray
    N: FloatArray
    own: FloatArray
    T: FloatArray
    crossed: FloatArray
    res: FloatArray
    skip: FloatArray


class Fixed(NamedTuple):
    """What ``res`` and ``skip`` are made of: those of ``Remainder`` and ``Retained``, ``widest`` the largest norm_U."""

    osc_a: FloatArray
    osc_b: FloatArray
    norm_a: FloatArray
    norm_b: FloatArray
    norm_U: FloatArray
    widest: float
    rest_a: FloatArray
    rest_b: FloatArray


@kernel()
def turn_inputs(
    C: FloatArray, R: FloatArray, cos: FloatArray, sin: FloatArray, fixed: Fixed, start: int, stop: int, out: Quantities
) -> None:
    """Write the quantities of the inputs ``(d + b, b)``, ``d = start … stop − 1``: ``X_z = C_z e^{iωz(d + 2b)}``, R,
    res and skip.

    ``C (|F|, p, 2p)`` has axes z, a, b, real and imaginary parts in turn, ``R (buckets, p, p)`` axes a, b;
    ``cos, sin (|F|, p)``.
    """
    p = R.shape[1]
    # a column of classes at a time: from b to b + 1 the rows that are read move by one
    for b in range(p):
        for d in range(start, stop):
            a = d + b - p if d + b >= p else d + b
            y = a + b - p if a + b >= p else a + b
            for z in range(cos.shape[0]):
                re, im, x, w = C[z, a, 2 * b], C[z, a, 2 * b + 1], cos[z, y], sin[z, y]
                out.X[d, b, 2 * z] = re * x - im * w
                out.X[d, b, 2 * z + 1] = re * w + im * x
            for bucket in range(R.shape[0]):
                out.R[bucket, d, b] = R[bucket, a, b]
            by_norms = (fixed.norm_a[a] + fixed.norm_b[b]) * (fixed.norm_U[y] + fixed.widest)
            out.res[d, b] = min(fixed.osc_a[a] + fixed.osc_b[b], by_norms)
            out.skip[d, b] = fixed.rest_a[a, y] + fixed.rest_b[b, y]


@kernel(reorder=True)
def largest_of_clusters(given: Quantities, label: IntArray, start: int, stop: int, out: Largest) -> None:
    """Write size, mean and maxima of the clusters of the classes ``d = start … stop − 1``, rows of ``out`` from 0."""
    p, kept = given.X.shape[1], given.X.shape[2] // 2
    own = np.empty(kept)
    for d in range(start, stop):
        row = d - start
        for b in range(p):
            q = label[d, b]
            out.size[row, q] += 1
            for part in range(2 * kept):
                out.Z[row, q, part] += given.X[d, b, part]
        for q in range(out.size.shape[1]):
            for part in range(2 * kept):
                out.Z[row, q, part] /= max(out.size[row, q], 1)
        for b in range(p):
            q = label[d, b]
            own[:] = 0.0
            crossed = 0.0
            for bucket in range(given.position.size):
                R = given.R[bucket, d, b]
                crossed += 2 * given.cross[bucket] * R
                if given.position[bucket] >= 0:
                    own[given.position[bucket]] += R
            squares = 0.0
            for z in range(kept):
                x = given.X[d, b, 2 * z] - out.Z[row, q, 2 * z]
                w = given.X[d, b, 2 * z + 1] - out.Z[row, q, 2 * z + 1]
                e = np.sqrt(x * x + w * w) + own[z]
                squares += e * e
                out.E[row, q, z] = max(out.E[row, q, z], e)
                out.own[row, q, z] = max(out.own[row, q, z], own[z])
            out.N[row, q] = max(out.N[row, q], squares)
            fixed = crossed + given.res[d, b] + given.skip[d, b]
            out.T[row, q] = max(out.T[row, q], fixed)
            out.crossed[row, q] = max(out.crossed[row, q], crossed)
            out.res[row, q] = max(out.res[row, q], given.res[d, b])
            out.skip[row, q] = max(out.skip[row, q], given.skip[d, b])
        for q in range(out.size.shape[1]):
            out.N[row, q] = np.sqrt(out.N[row, q])
