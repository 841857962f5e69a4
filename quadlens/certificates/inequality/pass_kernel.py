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
from quadlens.certificates.inequality.streams import LookedAt, Weights, lost_of_squares
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.circuits.circuit import Circuit

Places = npt.NDArray[np.int32]

TILE = 16
"""So many residues of B are put together with all of A at a time: their inputs lie side by side."""


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
    p, thresholds, width = out.shape[0], prefix.shape[0], prefix.shape[1]
    cells, whole, near = reads.position.size // 3, out.shape[1] // 4 * 4, out.shape[1] - 2
    flat = prefix.reshape(thresholds * width, prefix.shape[2])
    # without a sign, so that compiled code need not look for a place counted from the end
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
                plus[count], minus[count] = t * width + width - 1, t * width
                count += 1
            for end in range(reads.filled.shape[1]):
                if rank >= reads.filled[t, end]:
                    break
                plus[count] = t * width + reads.position[reads.stops[t, end, rank] + back]
                minus[count] = t * width + reads.position[reads.starts[t, end, rank] + back]
                count += 1
        if thresholds == 1:
            below = count
        for c in range(0, whole, 4):
            one, two, three, four = start[c], start[c + 1], start[c + 2], start[c + 3]
            for read in range(count if c < near else below):
                to, away = flat[plus[read]], flat[minus[read]]
                one += to[c] - away[c]
                two += to[c + 1] - away[c + 1]
                three += to[c + 2] - away[c + 2]
                four += to[c + 3] - away[c + 3]
            out[other, c], out[other, c + 1], out[other, c + 2], out[other, c + 3] = one, two, three, four
        for c in range(whole, out.shape[1]):
            one = start[c]
            for read in range(count if c < near else below):
                one += flat[plus[read], c] - flat[minus[read], c]
            out[other, c] = one


@kernel()
def rows_of_A(begin: int, stop: int, members: Members, reads: Reads, out: FloatArray, squares: FloatArray) -> None:
    """Write the sums of residues ``begin … stop − 1`` of A to ``out (p, p, channels)``, axes a, b.

    ``squares (p,)`` are the whole sums of squares of these residues.
    """
    channels, count = out.shape[2], members.r.size
    prefix = np.zeros((reads.thresholds.size, count + 1, channels))
    start = np.zeros(channels)
    for row in range(begin, stop):
        prefix_sums(members, row, start, prefix)
        read_row(reads, row, start, prefix, out[row])
        squares[row] = start[channels - 1]
        for t in range(prefix.shape[0]):
            squares[row] += prefix[t, count, channels - 1]


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
        whole = start[channels - 1]
        for t in range(thresholds):
            whole += prefix[t, count, channels - 1]
        mine[row - begin] = result.rounding * whole
    looked = result.x_osc.size > 0
    for a in range(p):
        for b in range(begin, stop):
            first, second = of_A[a, b], found[b - begin, a]
            for number in range(half):
                z = result.places[number]
                result.C[z, a, 2 * b] += first[number] + second[number]
                result.C[z, a, 2 * b + 1] += first[half + number] + second[half + number]
            if thresholds > 1:
                result.R[a, b] += first[kept] + second[kept]
            y = a + b if a + b < p else a + b - p
            osc = first[channels - 2] + second[channels - 2]
            norm = np.sqrt(max(first[channels - 1] + result.rounding * squares[a], 0.0)) + np.sqrt(
                max(second[channels - 1] + mine[b - begin], 0.0)
            )
            if looked:
                osc += result.x_osc[a, b]
                norm += result.x_norm[a, b]
            result.res[a, b] += min(osc, norm * result.norms[y])


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
