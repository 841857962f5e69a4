r"""The prefix sums of ``gate_sums`` compiled by numba, where that optional package is installed: same sums, same order.

One residue's prefix sums stay in the cache while every residue of the other table reads them, and rows are shared out
over threads. The verdicts are those of the numpy path: the rounding term holds for every order of summation.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.parallel import blocks_of, cores, in_parallel

WORTH_COMPILING = 2**21
"""Entries of A and B from which the compiled kernel is used: below, numpy is done before a compiler has started."""


def compiled_is_worth_it(entries: int) -> bool:
    """Say whether a circuit with this many entries in its tables is summed by the compiled kernel."""
    return entries >= WORTH_COMPILING and find_spec("numba") is not None


def row_sums(
    start: int,
    stop: int,
    first: bool,
    table: FloatArray,
    members: IntArray,
    r: FloatArray,
    at: IntArray,
    curve: FloatArray,
    shift: IntArray,
    halves: FloatArray,
    half_weights: FloatArray,
    outputs: FloatArray,
    zone: IntArray,
    ends: IntArray,
    end_threshold: IntArray,
    end_sign: FloatArray,
    position: IntArray,
    places: IntArray,
    own: int,
    C: FloatArray,
    R: FloatArray,
) -> None:
    """Add the sums of residues ``start … stop − 1`` of one table to the rows of ``C (places, p, 2p)`` and ``R (p, p)``.

    ``ends (p, arc ends)`` are cells, ``2G`` where a d has fewer; an end of sign +1 closes an arc of its threshold.
    ``outputs (members, 2K)`` are real and imaginary parts of the K sums that go to ``places`` of C; ``own`` is the
    place of the own frequency, or −1. Plain Python that numba compiles; it runs without numba too, slowly.
    """
    p, count = shift.size, members.size
    cells, channels, parts = curve.size, half_weights.shape[1], outputs.shape[1]
    thresholds = 2 * halves.size - 1
    zero = halves.size - 1
    # a neuron's row: every threshold's channels, then the gated parts
    gated = thresholds * channels
    prefix = np.zeros((count + 1, gated + parts))
    everywhere = np.zeros((thresholds + 1, channels))
    change = np.zeros(thresholds)
    out = np.zeros((p, channels + parts))
    for mine in range(start, stop):
        everywhere[0, :] = 0.0
        for i in range(count):
            value = table[mine, members[i]]
            cell = at[i] + shift[mine]
            if cell >= cells:
                cell -= cells
            delta = value - r[i] * curve[cell]
            before = max(delta - halves[zero] * r[i], 0.0)
            for channel in range(channels):
                everywhere[0, channel] += before * half_weights[i, channel]
            for number in range(thresholds):
                if number < zero:
                    after = max(delta - halves[zero - number - 1] * r[i], 0.0)
                else:
                    after = max(-delta - halves[number - zero] * r[i], 0.0)
                change[number] = after - before
                before = after
            column = 0
            for number in range(thresholds):
                for channel in range(channels):
                    prefix[i + 1, column] = prefix[i, column] + change[number] * half_weights[i, channel]
                    column += 1
            for part in range(parts):
                prefix[i + 1, gated + part] = prefix[i, gated + part] + value * outputs[i, part]
        for number in range(thresholds):
            for channel in range(channels):
                change_of_all = prefix[count, number * channels + channel]
                everywhere[number + 1, channel] = everywhere[number, channel] + change_of_all
        for other in range(p):
            d = mine - other if first else other - mine
            if d < 0:
                d += p
            turn = shift[other] if first else shift[mine]
            last = turn - 1 if turn > 0 else cells - 1
            where = zone[d, last]
            for channel in range(channels):
                out[other, channel] = everywhere[where, channel]
            for part in range(parts):
                out[other, channels + part] = prefix[count, gated + part] if where > zero else 0.0
            for end in range(ends.shape[1]):
                if ends[d, end] == 2 * cells:
                    continue
                place = position[ends[d, end] + cells - turn]
                number = end_threshold[end]
                sign = end_sign[end]
                for channel in range(channels):
                    out[other, channel] += sign * prefix[place, number * channels + channel]
                if number == zero:
                    for part in range(parts):
                        out[other, channels + part] += sign * prefix[place, gated + part]
        for other in range(p):
            R[mine, other] += out[other, 0]
        for number in range(places.size):
            for other in range(p):
                C[places[number], mine, 2 * other] += out[other, channels + 2 * number]
                C[places[number], mine, 2 * other + 1] += out[other, channels + 2 * number + 1]
        if own >= 0:
            for other in range(p):
                C[own, mine, 2 * other] += out[other, 1]
                C[own, mine, 2 * other + 1] += out[other, 2]


@cache
def _compiled() -> Callable[..., None]:
    from numba import njit

    compiled: Callable[..., None] = njit(nogil=True, cache=True)(row_sums)
    return compiled


def add_row_sums(first: bool, *arguments: Any) -> None:
    """Run the compiled kernel over all rows, on every core this process may use; arguments as in `row_sums`."""
    compiled = _compiled()
    p = arguments[0].shape[0]
    rows = blocks_of(p, min(64, -(-p // (4 * cores()))))
    in_parallel(lambda block: compiled(block.start, block.stop, first, *arguments), rows)
