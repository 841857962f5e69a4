"""``table_sums`` in compiled loops, for large circuits: the same sums, one residue at a time.

One residue's prefix sums stay in the cache while every class reads them. The rounding term holds for every order of
summation.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import blocks_of, cores, in_parallel
from quadlens.certificates.compute.compiled import kernel
from quadlens.certificates.inequality.arcs import Arcs
from quadlens.certificates.inequality.table_sums import LookedAt, Weights, lost_of_squares
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.circuits.circuit import Circuit

Places = npt.NDArray[np.int32]

TILE = 16
"""So many residues of B are put together with all of A at a time: their inputs lie side by side."""


class Members(NamedTuple):
    """A group's neurons in one table ``(p, n)``: ``r`` and ``cell`` of each, the ``curve`` twice round, each residue's
    ``shift``. ``factors (members, channels)`` are û (real parts first), osc, 1 and, where neurons are bounded, V."""

    table: FloatArray
    neuron: IntArray
    r: FloatArray
    cell: IntArray
    curve: FloatArray
    shift: IntArray
    factors: FloatArray
    bounded: FloatArray
    slope: float


class Reads(NamedTuple):
    """Where a row's prefix sums are read: for each threshold τ and end e of class rank c its ``cells[τ, e, c]`` (stops,
    then starts), ``filled[τ, e]`` classes, and whether the walk begins above τ."""

    first: bool
    classes: IntArray
    stops: IntArray
    starts: IntArray
    filled: IntArray
    thresholds: FloatArray
    last: FloatArray
    position: Places
    shift: IntArray


@kernel()
def prefix_sums(members: Members, row: int, start: FloatArray, prefix: FloatArray) -> None:
    """Write a residue's ``start (channels,)`` and ``prefix (thresholds, members + 1, channels)``."""
    kept = 2 * (members.factors.shape[1] // 2) - 2
    slope = members.slope
    a, kappa = abs(slope), 1 - slope
    several = prefix.shape[0] > 1
    start[:] = 0.0
    for i in range(members.r.size):
        value = members.table[row, members.neuron[i]]
        delta = value - members.r[i] * members.curve[members.cell[i] + members.shift[row]]
        size, square = abs(delta), delta * delta
        factors = members.factors[i]
        gate, near, near_square = kappa * value, 0.0, 0.0
        if slope != 0.0:
            for c in range(kept):
                start[c] += slope * value * factors[c]
            start[kept] += a * size * factors[kept]
            start[kept + 1] += a * a * square
        if several:
            above = max(delta, 0.0) * members.bounded[i]
            below = max(-delta, 0.0) * members.bounded[i]
            half, far, middle = kappa / 2 * above, -kappa / 2 * below, -kappa / 2 * (above - below)
            near, near_square = above, above * above
            gate += middle
            for c in range(kept):
                prefix[0, i + 1, c] = prefix[0, i, c] + half * factors[c]
                prefix[2, i + 1, c] = prefix[2, i, c] + far * factors[c]
            prefix[0, i + 1, kept] = prefix[0, i, kept] + (1 - a) * near * factors[kept]
            prefix[0, i + 1, kept + 1] = prefix[0, i, kept + 1] + (1 - a * a) * near_square
            V = factors[kept + 2]
            prefix[0, i + 1, kept + 2] = prefix[0, i, kept + 2] + half * V
            prefix[1, i + 1, kept + 2] = prefix[1, i, kept + 2] + middle * V
            prefix[2, i + 1, kept + 2] = prefix[2, i, kept + 2] + far * V
        zero = 1 if several else 0
        for c in range(kept):
            prefix[zero, i + 1, c] = prefix[zero, i, c] + gate * factors[c]
        prefix[zero, i + 1, kept] = prefix[zero, i, kept] + (1 - a) * (size - near) * factors[kept]
        prefix[zero, i + 1, kept + 1] = prefix[zero, i, kept + 1] + (1 - a * a) * (square - near_square)


@kernel()
def read_row(reads: Reads, row: int, start: FloatArray, prefix: FloatArray, out: FloatArray) -> None:
    """Write a residue's sums for every residue of the other table to ``out (p, channels)``."""
    p, channels = out.shape
    cells, width = reads.position.size // 3, prefix.shape[1]
    for rank in range(p):
        d = reads.classes[rank]
        b = (row - d if row >= d else row - d + p) if reads.first else row
        other = b if reads.first else (row + d if row + d < p else row + d - p)
        for c in range(channels):
            out[other, c] = start[c]
        back = cells - reads.shift[b]
        for t in range(prefix.shape[0]):
            sums = prefix[t]
            if reads.last[rank, b] > reads.thresholds[t]:
                for c in range(channels):
                    out[other, c] += sums[width - 1, c]
            for end in range(reads.filled.shape[1]):
                if rank >= reads.filled[t, end]:
                    break
                behind = reads.position[reads.stops[t, end, rank] + back]
                begin = reads.position[reads.starts[t, end, rank] + back]
                for c in range(channels):
                    out[other, c] += sums[behind, c] - sums[begin, c]


@kernel()
def rows_of_A(begin: int, stop: int, members: Members, reads: Reads, out: FloatArray, squares: FloatArray) -> None:
    """Write the sums of residues ``begin … stop − 1`` of A to ``out (p, p, channels)``, axes a, b.

    ``squares (p,)`` are the whole sums of squares of these residues.
    """
    channels, count = out.shape[2], members.r.size
    prefix = np.zeros((reads.thresholds.size, count + 1, channels))
    start = np.zeros(channels)
    column = 2 * (channels // 2) - 1
    for row in range(begin, stop):
        prefix_sums(members, row, start, prefix)
        read_row(reads, row, start, prefix, out[row])
        squares[row] = start[column]
        for t in range(prefix.shape[0]):
            squares[row] += prefix[t, count, column]


class Result(NamedTuple):
    """What is added to: ``C (|F|, p, 2p)`` at the group's ``places``, ``R, res (p, p)``.

    ``norms (p,)`` are ``‖dU(Y)‖ + max_c ‖dU(c)‖``; ``x_osc, x_norm (p, p)`` belong to the gates that were looked at, or
    are empty. ``rounding`` times the whole of a sum of squares is what can be lost of a part of it.
    """

    C: FloatArray
    R: FloatArray
    res: FloatArray
    places: IntArray
    norms: FloatArray
    rounding: float
    x_osc: FloatArray
    x_norm: FloatArray


@kernel()
def rows_of_B(
    begin: int, stop: int, members: Members, reads: Reads, of_A: FloatArray, squares: FloatArray, result: Result
) -> None:
    """Add the sums of residues ``begin … stop − 1`` of B, with those of A and their ``squares``, to the result."""
    p, channels = of_A.shape[0], of_A.shape[2]
    thresholds, count = reads.thresholds.size, members.r.size
    prefix = np.zeros((thresholds, count + 1, channels))
    start = np.zeros(channels)
    found = np.zeros((stop - begin, p, channels))
    kept = 2 * result.places.size
    half = result.places.size
    mine = np.zeros(stop - begin)
    for row in range(begin, stop):
        prefix_sums(members, row, start, prefix)
        read_row(reads, row, start, prefix, found[row - begin])
        whole = start[kept + 1]
        for t in range(thresholds):
            whole += prefix[t, count, kept + 1]
        mine[row - begin] = result.rounding * whole
    looked = result.x_osc.size > 0
    for a in range(p):
        for b in range(begin, stop):
            first, second = of_A[a, b], found[b - begin, a]
            for number in range(half):
                z = result.places[number]
                result.C[z, a, 2 * b] += first[number] + second[number]
                result.C[z, a, 2 * b + 1] += first[half + number] + second[half + number]
            if channels > kept + 2:
                result.R[a, b] += first[kept + 2] + second[kept + 2]
            y = a + b if a + b < p else a + b - p
            osc = first[kept] + second[kept]
            norm = np.sqrt(max(first[kept + 1] + result.rounding * squares[a], 0.0)) + np.sqrt(
                max(second[kept + 1] + mine[b - begin], 0.0)
            )
            if looked:
                osc += result.x_osc[a, b]
                norm += result.x_norm[a, b]
            result.res[a, b] += min(osc, norm * result.norms[y])


def add_compiled(circuit: Circuit, plan: Plan, group: Group, arcs: Arcs, weights: Weights, given: LookedAt) -> None:
    """Add a group's sums on every core this process may use; see ``table_sums.add_group``."""
    p, bounded = plan.p, weights.bounded
    columns = [weights.u_hat, weights.osc[:, None], np.ones((group.members.size, 1))]
    factors = np.concatenate(columns if bounded is None else [*columns, weights.V[:, None]], axis=1)
    sides = [
        Members(
            table=table,
            neuron=group.members,
            r=plan.amplitude[group.members],
            cell=plan.cell[group.members],
            curve=np.concatenate([curve, curve]),
            shift=arcs.shift,
            factors=factors,
            bounded=np.zeros(1) if bounded is None else bounded,
            slope=weights.slope,
        )
        for table, curve in ((circuit.A, group.A), (circuit.B, group.B))
    ]
    rows = max(one.starts.shape[0] for one in arcs.ends)
    stops, starts = np.zeros((2, len(arcs.ends), rows, p), dtype=np.int64)
    filled = np.zeros((len(arcs.ends), rows), dtype=np.int64)
    for number, one in enumerate(arcs.ends):
        here = one.starts.shape[0]
        stops[number, :here], starts[number, :here], filled[number, :here] = one.stops, one.starts, one.filled
    reads = Reads(
        first=True,
        classes=arcs.classes,
        stops=stops,
        starts=starts,
        filled=filled,
        thresholds=arcs.thresholds,
        last=arcs.last,
        position=arcs.position.astype(np.int32),
        shift=arcs.shift,
    )
    of_A, squares = np.empty((p, p, factors.shape[1])), np.empty(p)
    result = Result(
        C=given.C.view(np.float64),
        R=given.R,
        res=given.res,
        places=plan.positions(group),
        norms=given.norms,
        rounding=lost_of_squares(arcs, group.members.size),
        x_osc=given.x_osc,
        x_norm=given.x_norm,
    )
    rows = min(TILE, -(-p // (2 * cores())))
    in_parallel(lambda block: rows_of_A(block.start, block.stop, sides[0], reads, of_A, squares), blocks_of(p, rows))
    turned = reads._replace(first=False)
    in_parallel(
        lambda block: rows_of_B(block.start, block.stop, sides[1], turned, of_A, squares, result), blocks_of(p, rows)
    )
