r"""``Σ_i act(A[a, i] + B[b, i]) v_i`` over a group's neurons for a block of rows a and every b, one kink.

With the gate g of the waveform, ``act(y) = αy + (1−α)(g y + |y| [g ≠ 1(y > 0)])``: the first two are prefix sums in
order of cell, read at the ends of arcs; the last is looked at where a gate is near its kink (``circle``). Every sum is
exact but for rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import BoolArray, ComplexArray, FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, cores, in_parallel
from quadlens.certificates.compute.compiled import kernel
from quadlens.certificates.ladder.circle import Runs, Tier

TILE = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Preactivations of one group: rows of A and of B, each (rows, members), made when they are asked for."""

    A: Callable[[slice], FloatArray]
    B: Callable[[slice], FloatArray]


class Part(NamedTuple):
    """Rows of one table, (rows, members): the first is that of residue ``begin``, and ``of_A`` says of which table."""

    begin: int
    table: FloatArray
    of_A: bool


class Arcs(NamedTuple):
    """``Runs`` with the places that they are read at, for compiled loops."""

    first: IntArray
    begin: IntArray
    length: IntArray
    on: BoolArray
    position: IntArray
    shift: IntArray


@kernel()
def add_table(part: Part, v: FloatArray, base: float, arcs: Arcs, row: int, out: FloatArray) -> None:
    """Add what a part of one table gives: ``base`` times the whole, and the sums over arcs.

    ``out (rows, p, channels)`` begins at a = ``row``.
    """
    begin, table, of_A = part.begin, part.table, part.of_A
    members, channels, p = table.shape[1], v.shape[1], arcs.shift.size
    cells = arcs.position.size // 2
    prefix = np.zeros((members + 1, channels))
    for t in range(table.shape[0]):
        for i in range(members):
            value = table[t, i]
            for c in range(channels):
                prefix[i + 1, c] = prefix[i, c] + value * v[i, c]
        whole = prefix[members]
        for other in range(p if of_A else out.shape[0]):
            a = begin + t if of_A else row + other
            b = other if of_A else begin + t
            d = a - b if a >= b else a - b + p
            here = out[a - row, b]
            if base != 0.0:
                for c in range(channels):
                    here[c] += base * whole[c]
            for run in range(arcs.first[d], arcs.first[d + 1]):
                cell = arcs.begin[run] - arcs.shift[b]
                if cell < 0:
                    cell += cells
                low, high = arcs.position[cell], arcs.position[cell + arcs.length[run]]
                if low == high:
                    continue
                if low < members < high:
                    for c in range(channels):
                        here[c] += whole[c]
                if low >= members:
                    low -= members
                if high > members:
                    high -= members
                to, away = prefix[high], prefix[low]
                for c in range(channels):
                    here[c] += to[c] - away[c]


@kernel()
def add_near(of_A: Part, of_B: Part, v: FloatArray, near: Arcs, out: FloatArray) -> None:
    """Add ``|y| v`` of every gate on the near arcs that is not as its arc says; ``out`` has the rows of A's part."""
    row, A, begin, B = of_A.begin, of_A.table, of_B.begin, of_B.table
    members, channels, p = A.shape[1], v.shape[1], near.shift.size
    cells = near.position.size // 2
    for t in range(B.shape[0]):
        b = begin + t
        for other in range(A.shape[0]):
            a = row + other
            d = a - b if a >= b else a - b + p
            here = out[other, b]
            for run in range(near.first[d], near.first[d + 1]):
                cell = near.begin[run] - near.shift[b]
                if cell < 0:
                    cell += cells
                low, high = near.position[cell], near.position[cell + near.length[run]]
                on = near.on[run]
                for place in range(low, high):
                    i = place if place < members else place - members
                    y = A[other, i] + B[t, i]
                    if (y > 0) != on:
                        size = abs(y)
                        for c in range(channels):
                            here[c] += size * v[i, c]


def _arcs(runs: Runs, tier: Tier) -> Arcs:
    return Arcs(runs.first, runs.begin, runs.length, runs.on, tier.position, tier.shift)


def sums(tables: Tables, v: ComplexArray, found: list[Tier], activation: str, rows: slice) -> ComplexArray:
    """Return the sums (rows, p, K) for outputs ``v (members, K)`` by tiers of the group's circle."""
    p, slope = found[0].shift.size, negative_slope(activation)
    out = np.zeros((rows.stop - rows.start, p, 2 * v.shape[1]))
    of_A = Part(rows.start, tables.A(rows), True)
    for tier in found:
        _add_tier(tables, of_A, (1 - slope) * v[tier.members], slope / (1 - slope), tier, out)
    return out.view(np.complex128)


def _add_tier(
    tables: Tables, of_A: Part, v: ComplexArray, base: float, tier: Tier, out: FloatArray
) -> None:
    factors, row = np.ascontiguousarray(v).view(np.float64), of_A.begin
    mine = of_A._replace(table=np.ascontiguousarray(of_A.table[:, tier.members]))
    arcs, near = _arcs(tier.arcs, tier), _arcs(tier.near, tier)

    def along_A(block: slice) -> None:
        add_table(Part(row + block.start, mine.table[block], True), factors, base, arcs, row, out)

    def along_B(block: slice) -> None:
        of_B = Part(block.start, np.ascontiguousarray(tables.B(block)[:, tier.members]), False)
        add_table(of_B, factors, base, arcs, row, out)
        add_near(mine, of_B, factors, near, out)

    for along, length in ((along_A, of_A.table.shape[0]), (along_B, tier.shift.size)):
        in_parallel(along, blocks_of(length, min(TILE, -(-length // (2 * cores())))))


def dense_sums(
    tables: Tables, v: ComplexArray, apply: Callable[[FloatArray], FloatArray], rows: slice, p: int
) -> ComplexArray:
    """Return the same by evaluating every neuron on every input: quicker where the circuit is small."""
    A, B = tables.A(rows), tables.B(slice(0, p))
    out = np.empty((A.shape[0], p, v.shape[1]), dtype=np.complex128)
    factors = np.ascontiguousarray(v).view(np.float64)
    for block in blocks_of(A.shape[0], 4 * BLOCK // B.size):
        out[block] = (apply(A[block, None] + B) @ factors).view(np.complex128)
    return out
