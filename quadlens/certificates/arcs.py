"""Where gates change: the cells at which ``H`` crosses a threshold, for each residue ``s = k d mod p``."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan import Bucket, Plan

Zones = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arcs:
    """Where ``H`` is above a threshold, for each residue: ``starts`` (arcs, p) are the first cells of its arcs,
    ``stops`` the cells just behind them; where a residue has fewer arcs, the cell is ``2G``.
    """

    starts: IntArray
    stops: IntArray


def thresholds_of(bucket: Bucket) -> FloatArray:
    """Return ``−l_J, …, −l_1, 0, l_1, …, l_J``."""
    return np.concatenate([-bucket.levels[::-1], [0.0], bucket.levels])


def zones(H: FloatArray, thresholds: FloatArray) -> Zones:
    """Return how many of the thresholds lie below each H."""
    out = np.zeros(H.shape, dtype=np.int8)
    for threshold in thresholds:
        out += threshold < H
    return out


def arcs_of(plan: Plan, bucket: Bucket, compiled: bool, count: OperationCounter) -> list[Arcs]:
    """Return the arcs of ``W^A[c + g s] + W^B[c]`` above each threshold, for every residue s."""
    thresholds = thresholds_of(bucket)
    zone = np.empty((plan.p, plan.cells), dtype=np.int8)

    def by_arrays(block: slice) -> None:
        zone[block] = zones(plan.turned(bucket.A, 1, block) + bucket.B, thresholds)

    if compiled:
        from quadlens.certificates.zone_kernel import zones_of_curves

        twice = np.concatenate([bucket.A, bucket.A])
        in_parallel(
            lambda block: zones_of_curves(twice, bucket.B, plan.grid, thresholds, block.start, block.stop, zone),
            blocks_of(plan.p, 64),
        )
    else:
        in_parallel(by_arrays, blocks_of(plan.p, BLOCK // plan.cells))
    count.add(plan.p, plan.cells, 1 + thresholds.size + 1)
    return arcs(zone, thresholds.size)


def arcs(zone: Zones, thresholds: int) -> list[Arcs]:
    """Find, for each threshold, the arcs of each row where the zone is above it."""
    changed = np.empty(zone.shape, dtype=np.bool_)
    np.not_equal(zone[:, 1:], zone[:, :-1], out=changed[:, 1:])
    np.not_equal(zone[:, 0], zone[:, -1], out=changed[:, 0])
    rows, columns = np.divmod(np.flatnonzero(changed), zone.shape[1])
    old, new = zone[rows, columns - 1], zone[rows, columns]
    out = []
    for number in range(thresholds):
        up, down = (old <= number) & (number < new), (new <= number) & (number < old)
        out.append(Arcs(starts=_ranked(rows[up], columns[up], zone), stops=_ranked(rows[down], columns[down], zone)))
    return out


def _ranked(rows: IntArray, columns: IntArray, zone: Zones) -> IntArray:
    """Return the columns of each row, in order, padded: shape (most in a row, rows)."""
    number = np.bincount(rows, minlength=zone.shape[0])
    first = np.cumsum(number) - number
    out = np.full((int(number.max(initial=0)), zone.shape[0]), 2 * zone.shape[1], dtype=np.int64)
    out[np.arange(rows.size) - first[rows], rows] = columns
    return out
