r"""The prefix sums of ``gate_sums`` compiled by numba, where that optional package is installed: same sums, same order.

One residue's prefix sums stay in the cache while every residue of the other table reads them, and rows are shared out
over threads. The verdicts are those of the numpy path: the rounding term holds for every order of summation.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray

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
    end_sign: IntArray,
    position: IntArray,
    columns: IntArray,
    own: int,
    C: FloatArray,
    R: FloatArray,
) -> None:
    """Add the sums of residues ``start … stop − 1`` of one table to ``C (p, p, 2|F|)`` and ``R (p, p)``; axes a, b.

    ``ends (p, arc ends)`` are cells, ``2G`` where a d has fewer; an end of sign +1 closes an arc of its threshold.
    ``outputs (members, 2K)`` are real and imaginary parts, ``columns (2K,)`` their places in C; ``own`` is the place of
    the own frequency, or −1. Plain Python that numba compiles; it runs without numba too, slowly.
    """
    p, count = shift.size, members.size
    cells, channels, parts = curve.size, half_weights.shape[1], outputs.shape[1]
    thresholds = 2 * halves.size - 1
    zero = halves.size - 1
    prefix = np.zeros((thresholds, count + 1, channels))
    gated = np.zeros((count + 1, parts))
    everywhere = np.zeros((thresholds + 1, channels))
    total = np.zeros(channels)
    on = np.zeros(parts)
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
                change = after - before
                before = after
                for channel in range(channels):
                    prefix[number, i + 1, channel] = prefix[number, i, channel] + change * half_weights[i, channel]
            for part in range(parts):
                gated[i + 1, part] = gated[i, part] + value * outputs[i, part]
        for number in range(thresholds):
            for channel in range(channels):
                everywhere[number + 1, channel] = everywhere[number, channel] + prefix[number, count, channel]
        for other in range(p):
            d = mine - other if first else other - mine
            if d < 0:
                d += p
            turn = shift[other] if first else shift[mine]
            last = turn - 1 if turn > 0 else cells - 1
            where = zone[d, last]
            for channel in range(channels):
                total[channel] = everywhere[where, channel]
            for part in range(parts):
                on[part] = gated[count, part] if where > zero else 0.0
            for end in range(ends.shape[1]):
                if ends[d, end] == 2 * cells:
                    continue
                place = position[ends[d, end] + cells - turn]
                number = end_threshold[end]
                if end_sign[end] > 0:
                    for channel in range(channels):
                        total[channel] += prefix[number, place, channel]
                    if number == zero:
                        for part in range(parts):
                            on[part] += gated[place, part]
                else:
                    for channel in range(channels):
                        total[channel] -= prefix[number, place, channel]
                    if number == zero:
                        for part in range(parts):
                            on[part] -= gated[place, part]
            a = mine if first else other
            b = other if first else mine
            for part in range(parts):
                C[a, b, columns[part]] += on[part]
            R[a, b] += total[0]
            if own >= 0:
                C[a, b, 2 * own] += total[1]
                C[a, b, 2 * own + 1] += total[2]


@cache
def _compiled() -> Callable[..., None]:
    from numba import njit

    compiled: Callable[..., None] = njit(nogil=True, cache=True)(row_sums)
    return compiled


def add_row_sums(first: bool, *arguments: Any) -> None:
    """Run the compiled kernel over all rows, on every core this process may use; arguments as in `row_sums`."""
    compiled = _compiled()
    p = arguments[0].shape[0]
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    step = max(1, min(64, -(-p // (4 * workers))))
    with ThreadPoolExecutor(workers) as pool:
        blocks = [
            pool.submit(compiled, start, min(start + step, p), first, *arguments) for start in range(0, p, step)
        ]
        for block in blocks:
            block.result()
