"""``table_sums`` in compiled loops, for large circuits: the same sums, one residue at a time.

One residue's prefix sums stay in the cache while every class reads them. The rounding term holds for every order of
summation.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import blocks_of, cores, in_parallel
from quadlens.certificates.compute.compiled import kernel
from quadlens.certificates.inequality.arcs import Arcs
from quadlens.certificates.inequality.streams import LookedAt, Weights, lost_of_squares
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.circuits.circuit import Circuit

Places = npt.NDArray[np.int32]

TILE = 16
"""So many residues of one table are put together with all of the other: their inputs of a class lie side by side."""


class Members(NamedTuple):
    """A group's neurons in one table ``(p, n)``: ``r`` and ``cell`` of each, the ``curve`` twice round, each residue's
    ``shift``. ``factors (members, channels)`` are û (``kept``, real parts first), V where neurons
    are bounded, osc, 1."""

    table: FloatArray
    neuron: IntArray
    r: FloatArray
    cell: IntArray
    curve: FloatArray
    shift: IntArray
    factors: FloatArray
    bounded: FloatArray
    slope: float
    kept: int


class Reads(NamedTuple):
    """Where a row's prefix sums are read: for each threshold τ and end e of class rank c its ``cells[τ, e, c]`` (stops,
    then starts), ``filled[τ, e]`` classes, and whether the walk begins above τ."""

    first: bool
    classes: IntArray
    stops: IntArray
    starts: IntArray
    filled: IntArray
    thresholds: FloatArray
    last_A: FloatArray
    last_B: FloatArray
    position: Places
    shift: IntArray


@kernel()
def prefix_sums(members: Members, row: int, start: FloatArray, prefix: FloatArray) -> None:
    """Write a residue's ``start (channels,)`` and ``prefix (thresholds, members + 1, channels)``."""
    kept, slope, osc, squares = members.kept, members.slope, start.size - 2, start.size - 1
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
            start[osc] += a * size * factors[osc]
            start[squares] += a * a * square
        if several:
            above = max(delta, 0.0) * members.bounded[i]
            below = max(-delta, 0.0) * members.bounded[i]
            half, far, middle = kappa / 2 * above, -kappa / 2 * below, -kappa / 2 * (above - below)
            near, near_square = above, above * above
            gate += middle
            for c in range(kept + 1):
                prefix[0, i + 1, c] = prefix[0, i, c] + half * factors[c]
                prefix[2, i + 1, c] = prefix[2, i, c] + far * factors[c]
            prefix[0, i + 1, osc] = prefix[0, i, osc] + (1 - a) * near * factors[osc]
            prefix[0, i + 1, squares] = prefix[0, i, squares] + (1 - a * a) * near_square
            prefix[1, i + 1, kept] = prefix[1, i, kept] + middle * factors[kept]
        zero = 1 if several else 0
        for c in range(kept):
            prefix[zero, i + 1, c] = prefix[zero, i, c] + gate * factors[c]
        prefix[zero, i + 1, osc] = prefix[zero, i, osc] + (1 - a) * (size - near) * factors[osc]
        prefix[zero, i + 1, squares] = prefix[zero, i, squares] + (1 - a * a) * (square - near_square)


@kernel()
def read_row(reads: Reads, row: int, start: FloatArray, prefix: FloatArray, out: FloatArray) -> None:
    """Write a residue's sums for every residue of the other table to ``out (p, channels)``, four channels at a time."""
    (p, channels), (thresholds, width, _) = out.shape, prefix.shape
    cells, whole, near = reads.position.size // 3, channels // 4 * 4, channels - 2
    flat = prefix.reshape(prefix.size)
    # without a sign, so that compiled code need not look for a place counted from the end
    first, second, third = np.uint64(1), np.uint64(2), np.uint64(3)
    plus = np.zeros(thresholds * (reads.filled.shape[1] + 1), dtype=np.uint64)
    minus = np.zeros(plus.size, dtype=np.uint64)
    for rank in range(p):
        d = reads.classes[rank]
        b = (row - d if row >= d else row - d + p) if reads.first else row
        other = b if reads.first else (row + d if row + d < p else row + d - p)
        back = cells - reads.shift[b]
        H = reads.last_A[row if reads.first else other] + reads.last_B[b]
        count = below = 0
        for t in range(thresholds):
            if t == 2:
                # what is beyond the level changes the sums of û and V alone
                below = count
            if reads.thresholds[t] < H:
                plus[count], minus[count] = (t * width + width - 1) * channels, t * width * channels
                count += 1
            for end in range(reads.filled.shape[1]):
                if rank >= reads.filled[t, end]:
                    break
                plus[count] = (t * width + reads.position[reads.stops[t, end, rank] + back]) * channels
                minus[count] = (t * width + reads.position[reads.starts[t, end, rank] + back]) * channels
                count += 1
        if thresholds == 1:
            below = count
        for c in range(0, whole, 4):
            one, two, three, four = start[c], start[c + 1], start[c + 2], start[c + 3]
            for read in range(count if c < near else below):
                to, away = plus[read] + np.uint64(c), minus[read] + np.uint64(c)
                one += flat[to] - flat[away]
                two += flat[to + first] - flat[away + first]
                three += flat[to + second] - flat[away + second]
                four += flat[to + third] - flat[away + third]
            out[other, c], out[other, c + 1], out[other, c + 2], out[other, c + 3] = one, two, three, four
        for c in range(whole, channels):
            one = start[c]
            for read in range(count if c < near else below):
                one += flat[plus[read] + np.uint64(c)] - flat[minus[read] + np.uint64(c)]
            out[other, c] = one


class Result(NamedTuple):
    """What is added to: ``C (|F|, p, 2p)`` at the group's ``places``, ``R, res (p, p)``, axes d, b.

    ``left (p, p, 2)`` takes ``Σ η^A osc`` and ``‖η^A‖`` from the rows of A to those of B. ``norms (p,)`` are
    ``‖dU(Y)‖ + max_c ‖dU(c)‖``; ``x_osc, x_norm (p, p)`` belong to the gates that were looked at, or are empty.
    ``rounding`` times the whole of a sum of squares is what can be lost of a part of it.
    """

    C: FloatArray
    R: FloatArray
    res: FloatArray
    places: IntArray
    left: FloatArray
    norms: FloatArray
    rounding: float
    x_osc: FloatArray
    x_norm: FloatArray


@kernel()
def sums_of_row(members: Members, reads: Reads, row: int, rounding: float, prefix: FloatArray, out: FloatArray) -> None:
    """Write a residue's sums to ``out (p, channels)``, the last of them, of squares, from above and under its root."""
    last = out.shape[1] - 1
    start = np.zeros(out.shape[1])
    prefix_sums(members, row, start, prefix)
    read_row(reads, row, start, prefix, out)
    whole = start[last]
    for t in range(prefix.shape[0]):
        whole += prefix[t, prefix.shape[1] - 1, last]
    for other in range(out.shape[0]):
        out[other, last] = np.sqrt(max(out[other, last] + rounding * whole, 0.0))


@kernel()
def rows_of_A(begin: int, stop: int, members: Members, reads: Reads, result: Result) -> None:
    """Add the sums of residues ``begin … stop − 1`` of A to C and R, and write what is left to B's."""
    p, channels, half = reads.classes.size, members.factors.shape[1], result.places.size
    prefix = np.zeros((reads.thresholds.size, members.r.size + 1, channels))
    found = np.zeros((stop - begin, p, channels))
    for a in range(begin, stop):
        sums_of_row(members, reads, a, result.rounding, prefix, found[a - begin])
    for d in range(p):
        for a in range(begin, stop):
            b = a - d if a >= d else a - d + p
            sums = found[a - begin, b]
            for number in range(half):
                z = result.places[number]
                result.C[z, d, 2 * b] += sums[number]
                result.C[z, d, 2 * b + 1] += sums[half + number]
            if reads.thresholds.size > 1:
                result.R[d, b] += sums[2 * half]
            result.left[d, b, 0], result.left[d, b, 1] = sums[channels - 2], sums[channels - 1]


@kernel()
def rows_of_B(begin: int, stop: int, members: Members, reads: Reads, result: Result) -> None:
    """Add the sums of residues ``begin … stop − 1`` of B to C, R and, with what A left, to res."""
    p, channels, half = reads.classes.size, members.factors.shape[1], result.places.size
    prefix = np.zeros((reads.thresholds.size, members.r.size + 1, channels))
    found = np.zeros((stop - begin, p, channels))
    for b in range(begin, stop):
        sums_of_row(members, reads, b, result.rounding, prefix, found[b - begin])
    looked = result.x_osc.size > 0
    for d in range(p):
        for b in range(begin, stop):
            a = d + b if d + b < p else d + b - p
            sums = found[b - begin, a]
            for number in range(half):
                z = result.places[number]
                result.C[z, d, 2 * b] += sums[number]
                result.C[z, d, 2 * b + 1] += sums[half + number]
            if reads.thresholds.size > 1:
                result.R[d, b] += sums[2 * half]
            osc = result.left[d, b, 0] + sums[channels - 2]
            norm = result.left[d, b, 1] + sums[channels - 1]
            if looked:
                osc += result.x_osc[d, b]
                norm += result.x_norm[d, b]
            y = a + b if a + b < p else a + b - p
            result.res[d, b] += min(osc, norm * result.norms[y])


Rows = Callable[[int, int, Members, Reads, Result], None]


def add_compiled(circuit: Circuit, plan: Plan, group: Group, arcs: Arcs, weights: Weights, given: LookedAt) -> None:
    """Add a group's sums on every core this process may use; see ``table_sums.add_group``."""
    p, bounded = plan.p, weights.bounded
    columns = [weights.u_hat, weights.V[:, None], weights.osc[:, None], np.ones((group.members.size, 1))]
    factors = np.concatenate(columns[:1] + columns[2:] if bounded is None else columns, axis=1)
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
            kept=weights.u_hat.shape[1],
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
        last_A=arcs.last_A,
        last_B=arcs.last_B,
        position=arcs.position.astype(np.int32),
        shift=arcs.shift,
    )
    result = Result(
        C=given.C.view(np.float64),
        R=given.R,
        res=given.res,
        places=plan.positions(group),
        left=np.empty((p, p, 2)),
        norms=given.norms,
        rounding=lost_of_squares(arcs, group.members.size),
        x_osc=given.x_osc,
        x_norm=given.x_norm,
    )
    rows = min(TILE, -(-p // (2 * cores())))
    for rows_of, side, first in ((rows_of_A, sides[0], True), (rows_of_B, sides[1], False)):
        read = reads._replace(first=first)

        def work(block: slice, rows_of: Rows = rows_of, side: Members = side, read: Reads = read) -> None:
            rows_of(block.start, block.stop, side, read, result)

        in_parallel(work, blocks_of(p, rows))
