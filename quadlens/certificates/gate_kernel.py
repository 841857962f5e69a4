"""The prefix sums of ``gate_sums`` in compiled loops, for large circuits: the same sums, row by row.

One residue's prefix sums stay in the cache while every residue of the other table reads them. These are read in the
order of ``s = k d mod p``: from one s to the next an arc's end moves by a few cells, so what it finds is at hand.
The verdicts are those of the numpy path: the rounding term holds for every order of summation.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.arcs import thresholds_of
from quadlens.certificates.compiled import kernel
from quadlens.certificates.gate_sums import TableSums
from quadlens.certificates.parallel import blocks_of, cores, in_parallel

Positions = npt.NDArray[np.uint32]
"""Without a sign, so that compiled code need not look for a place counted from the end."""


class Neurons(NamedTuple):
    """One table ``(p, n)`` and a bucket's members: amplitude ``r``, cell ``at``, the table's ``curve (G,)``.

    ``turn (p,)`` is ``g·(k a mod p)``; ``halves`` are half of 0 and the levels, ``shut`` is that of ``BucketWeights``;
    ``outputs (members, 2K)`` are real and imaginary parts of the coefficients at the K retained frequencies.
    """

    table: FloatArray
    members: IntArray
    r: FloatArray
    at: IntArray
    curve: FloatArray
    turn: IntArray
    halves: FloatArray
    shut: float
    half_weights: FloatArray
    outputs: FloatArray


class Ends(NamedTuple):
    """Every arc end: end e lies in ``cell``, before the turn by this table's residue, for the ``residue`` s beside it;
    both are listed from ``first[e]`` to ``first[e + 1]``.

    An end of ``sign`` +1 closes an arc of its ``threshold``. ``position`` is as in ``BucketWeights``.
    """

    first: IntArray
    residue: Positions
    cell: Positions
    threshold: IntArray
    sign: FloatArray
    position: Positions


class Inputs(NamedTuple):
    """How the other table's residues are met: ``s = direction (residue[mine] − residue[other])``, ``residue`` k a mod
    p; the zone of the last cell from ``last_mine + last_other``.
    """

    direction: int
    residue: IntArray
    last_mine: FloatArray
    last_other: FloatArray
    thresholds: FloatArray


@kernel()
def midpoint_prefix(
    neurons: Neurons, mine: int, value: FloatArray, before: FloatArray, prefix: FloatArray, everywhere: FloatArray
) -> None:
    """Write a residue's ``value``s, and for its part of ½ρ̄ (times w, û°) the ``prefix (zones, members + 1, channels)``
    of its change from one zone to the next, and ``everywhere (zones, channels)``: its sum with all neurons in one zone.

    Below the lowest zone stands nothing: its prefix sums are its own, and nobody reads them.
    """
    r, weights, zero = neurons.r, neurons.half_weights, neurons.halves.size - 1
    cells, turn, three = neurons.curve.size, neurons.turn[mine], weights.shape[1] == 3
    delta = np.empty(value.size)
    for i in range(value.size):
        cell = neurons.at[i] + turn
        cell = cell - cells if cell >= cells else cell
        value[i] = neurons.table[mine, neurons.members[i]]
        delta[i] = value[i] - r[i] * neurons.curve[cell]
        before[i] = 0.0
    # zones come in pairs, −l_j and −l_{j−1} or l_j and l_{j+1}: one sum's addition fills the time that another's takes
    for zone in range(0, prefix.shape[0], 2):
        below = zone <= zero
        side = 1.0 if below else -1.0
        first = neurons.halves[zero - zone] if below else neurons.halves[zone - zero - 1]
        # with an even number of levels the pair in the middle has one zone on either side of 0
        across = zone == zero
        other = -1.0 if across else side
        second = neurons.halves[0] if across else neurons.halves[zero - zone - 1 if below else zone - zero]
        w, re, im, w2, re2, im2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(value.size):
            there = max(side * delta[i] - first * r[i], 0.0)
            after = max(other * delta[i] - second * r[i], 0.0)
            change, change2 = there - before[i], after - there
            before[i] = after
            w += change * weights[i, 0]
            w2 += change2 * weights[i, 0]
            prefix[zone, i + 1, 0] = w
            prefix[zone + 1, i + 1, 0] = w2
            if three:
                re += change * weights[i, 1]
                im += change * weights[i, 2]
                re2 += change2 * weights[i, 1]
                im2 += change2 * weights[i, 2]
                prefix[zone, i + 1, 1] = re
                prefix[zone, i + 1, 2] = im
                prefix[zone + 1, i + 1, 1] = re2
                prefix[zone + 1, i + 1, 2] = im2
    for zone in range(prefix.shape[0]):
        for channel in range(weights.shape[1]):
            lower = everywhere[zone - 1, channel] if zone > 0 else 0.0
            everywhere[zone, channel] = lower + prefix[zone, value.size, channel]


@kernel()
def gated_prefix(outputs: FloatArray, value: FloatArray, prefix: FloatArray) -> None:
    """Write the prefix sums of ``value · outputs`` to ``prefix (members + 1, 2K)``."""
    for column in range(0, outputs.shape[1], 2):
        re, im = 0.0, 0.0
        for i in range(value.size):
            re += value[i] * outputs[i, column]
            im += value[i] * outputs[i, column + 1]
            prefix[i + 1, column] = re
            prefix[i + 1, column + 1] = im


@kernel()
def read_ends(
    ends: Ends, turned: int, zero: int, midpoint: FloatArray, gated: FloatArray, found: FloatArray, on: FloatArray
) -> None:
    """Sum what the arc ends of each s find: ``found (p, channels)`` in ``midpoint``, ``on (p, 2K)`` in ``gated``."""
    found[:] = 0.0
    on[:] = 0.0
    place = np.empty(found.shape[0], dtype=np.uint64)
    back = np.uint64(turned)
    for end in range(ends.sign.size):
        sign, threshold = ends.sign[end], ends.threshold[end]
        prefix = midpoint[threshold + 1]
        residue = ends.residue[ends.first[end] : ends.first[end + 1]]
        cell = ends.cell[ends.first[end] : ends.first[end + 1]]
        for one in range(residue.size):
            place[one] = ends.position[cell[one] + back]
        if found.shape[1] == 3:
            for one in range(residue.size):
                s, here = residue[one], place[one]
                found[s, 0] += sign * prefix[here, 0]
                found[s, 1] += sign * prefix[here, 1]
                found[s, 2] += sign * prefix[here, 2]
        else:
            for one in range(residue.size):
                found[residue[one], 0] += sign * prefix[place[one], 0]
        if threshold == zero:
            for column in range(0, on.shape[1], 2):
                for one in range(residue.size):
                    s, here = residue[one], place[one]
                    on[s, column] += sign * gated[here, column]
                    on[s, column + 1] += sign * gated[here, column + 1]


@kernel()
def row_sums(
    start: int,
    stop: int,
    neurons: Neurons,
    ends: Ends,
    inputs: Inputs,
    places: IntArray,
    own: int,
    C: FloatArray,
    R: FloatArray,
) -> None:
    """Add the sums of residues ``start … stop − 1`` of one table to the rows of ``C (places, p, 2p)`` and ``R (p, p)``.

    The K gated sums go to ``places`` of C; ``own`` is the place of the own frequency, or −1.
    """
    p, count = neurons.turn.size, neurons.members.size
    channels, parts = neurons.half_weights.shape[1], neurons.outputs.shape[1]
    thresholds = inputs.thresholds.size
    zero = thresholds // 2
    midpoint, gated = np.zeros((thresholds + 1, count + 1, channels)), np.zeros((count + 1, parts))
    everywhere = np.zeros((thresholds + 1, channels))
    value, before = np.empty(count), np.empty(count)
    found, on = np.empty((p, channels)), np.empty((p, parts))
    zone, at = np.empty(p, dtype=np.int64), np.empty(p, dtype=np.int64)
    for mine in range(start, stop):
        midpoint_prefix(neurons, mine, value, before, midpoint, everywhere)
        gated_prefix(neurons.outputs, value, gated)
        read_ends(ends, neurons.curve.size - neurons.turn[mine], zero, midpoint, gated, found, on)
        for other in range(p):
            s = inputs.direction * (inputs.residue[mine] - inputs.residue[other])
            at[other] = s + p if s < 0 else s
            H = inputs.last_mine[mine] + inputs.last_other[other]
            above = 0
            for number in range(thresholds):
                above += inputs.thresholds[number] < H
            zone[other] = above
            R[mine, other] += found[at[other], 0] + everywhere[above, 0]
        if own >= 0:
            for other in range(p):
                C[own, mine, 2 * other] += found[at[other], 1] + everywhere[zone[other], 1]
                C[own, mine, 2 * other + 1] += found[at[other], 2] + everywhere[zone[other], 2]
        for number in range(places.size):
            re, im = gated[count, 2 * number], gated[count, 2 * number + 1]
            for other in range(p):
                open_gate = neurons.shut + (1.0 if zone[other] > zero else 0.0)
                C[places[number], mine, 2 * other] += on[at[other], 2 * number] + open_gate * re
                C[places[number], mine, 2 * other + 1] += on[at[other], 2 * number + 1] + open_gate * im


def arc_ends(sums: TableSums) -> Ends:
    """Return all arc ends of a bucket as one table's residues meet them."""
    p, cells = sums.plan.p, sums.plan.cells
    # B's residue turns the circle by itself; A's turns it by g·kb = g·ka − g·s
    moved = sums.plan.grid * np.arange(p) if sums.first else np.zeros(p, dtype=np.int64)
    residue, cell, threshold, sign = [], [], [], []
    for number, one in enumerate(sums.found):
        for side, rows in ((1.0, one.stops), (-1.0, one.starts)):
            for row in rows:
                there = np.flatnonzero(row < 2 * cells)
                residue.append(there)
                cell.append((row[there] + moved[there]) % cells)
                threshold.append(number)
                sign.append(side)
    return Ends(
        first=np.cumsum([0, *(part.size for part in residue)]),
        residue=np.concatenate([*residue, []]).astype(np.uint32),
        cell=np.concatenate([*cell, []]).astype(np.uint32),
        threshold=np.array(threshold, dtype=np.int64),
        sign=np.array(sign),
        position=sums.weights.position.astype(np.uint32),
    )


def add_compiled(sums: TableSums, C: ComplexArray, R: FloatArray) -> None:
    """Add a table's sums to ``C (|F|, p, p)`` (axes z, a, b) and ``R (p, p)`` on every core this process may use.

    The loops' rows are those of the table; B's are columns of C and R, so they are collected first and turned as a
    whole.
    """
    plan, bucket, members, own = sums.plan, sums.bucket, sums.bucket.members, sums.own
    p = plan.p
    neurons = Neurons(
        table=sums.table,
        members=members,
        r=plan.amplitude[members],
        at=plan.cell[members],
        curve=sums.curve,
        turn=plan.shifts(bucket.frequency),
        halves=0.5 * np.array([0.0, *bucket.levels]),
        shut=sums.weights.shut,
        half_weights=sums.weights.half_weights,
        outputs=np.ascontiguousarray(sums.weights.u_hat).view(np.float64),
    )
    last_mine, last_other = sums.last
    inputs = Inputs(
        direction=1 if sums.first else -1,
        residue=bucket.frequency * np.arange(p) % p,
        last_mine=last_mine,
        last_other=last_other,
        thresholds=thresholds_of(bucket),
    )
    ends = arc_ends(sums)
    mine = sums.weights.kept if own is None or own in sums.weights.kept else np.append(sums.weights.kept, own)
    rows = (C, R) if sums.first else (np.zeros((mine.size, p, p), dtype=np.complex128), np.zeros((p, p)))
    place = mine if sums.first else np.arange(mine.size)
    places, of_own = place[: sums.weights.kept.size], -1 if own is None else int(place[mine == own][0])
    into = rows[0].view(np.float64), rows[1]
    blocks = blocks_of(p, min(64, -(-p // (4 * cores()))))
    in_parallel(lambda block: row_sums(block.start, block.stop, neurons, ends, inputs, places, of_own, *into), blocks)
    if not sums.first:

        def turn(block: slice) -> None:
            for z, part in zip(mine, rows[0], strict=True):
                C[z, block] += part[:, block].T
            R[block] += rows[1][:, block].T

        in_parallel(turn, blocks_of(p, 64))
