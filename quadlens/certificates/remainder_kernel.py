"""The sums of ``remainder`` over tables in compiled loops, for large circuits: one pass over each table, no copies."""

from typing import NamedTuple

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compiled import kernel


class Split(NamedTuple):
    """U and its retained part: real and imaginary parts of ``û (n, |F|)`` and of ``e^{iωzc} (|F|, p)``."""

    U: FloatArray
    re: FloatArray
    im: FloatArray
    cos: FloatArray
    sin: FloatArray


class Members(NamedTuple):
    """A group's neurons in order of cell: ``r`` and cell ``at`` of each, ``number``: which of the cells in use."""

    neuron: IntArray
    r: FloatArray
    at: IntArray
    number: IntArray


@kernel(reorder=True)
def rest_by_cell(
    split: Split, members: Members, start: int, stop: int, osc: FloatArray, squares: FloatArray, by_cell: FloatArray
) -> None:
    """Write ``osc`` of members ``start … stop − 1``, add ``dU²`` to ``squares (p,)`` and ``r dU`` to ``by_cell``."""
    p = split.U.shape[1]
    rest = np.empty(p)
    for member in range(start, stop):
        i, r, cell = members.neuron[member], members.r[member], by_cell[members.number[member]]
        for c in range(p):
            rest[c] = split.U[i, c]
        for z in range(split.cos.shape[0]):
            re, im = split.re[i, z], split.im[i, z]
            # most neurons retain their own frequency alone
            if re != 0 or im != 0:
                for c in range(p):
                    rest[c] -= re * split.cos[z, c] - im * split.sin[z, c]
        highest = lowest = rest[0]
        for c in range(p):
            value = rest[c]
            highest = max(highest, value)
            lowest = min(lowest, value)
            squares[c] += value * value
            cell[c] += r * value
        osc[i] = highest - lowest


@kernel(reorder=True)
def residual_sums(
    table: FloatArray,
    members: Members,
    curve: FloatArray,
    turn: IntArray,
    osc: FloatArray,
    start: int,
    stop: int,
    total: FloatArray,
    square: FloatArray,
) -> None:
    """Add ``Σ_i |ε_i(a)| osc_i`` to ``total (p,)`` and ``Σ_i ε_i(a)²`` to ``square (p,)``, ``a = start … stop − 1``.

    ``osc`` is that of the members; ``turn (p,)`` is ``g·(k a mod p)``.
    """
    cells = curve.size
    for a in range(start, stop):
        of_moduli, of_squares = 0.0, 0.0
        for member in range(members.at.size):
            cell = members.at[member] + turn[a]
            cell = cell - cells if cell >= cells else cell
            apart = table[a, members.neuron[member]] - members.r[member] * curve[cell]
            of_squares += apart * apart
            of_moduli += abs(apart) * osc[member]
        total[a] += of_moduli
        square[a] += of_squares


@kernel(reorder=True)
def widest_changes(re: FloatArray, im: FloatArray, start: int, stop: int, widest: FloatArray) -> None:
    """Write ``max_y |Q(y) − Q(y + δ)|`` of each row to ``widest (rows, p)``, ``δ = start … stop − 1`` and ``p − δ``.

    ``re, im (rows, 2p)`` are Q, twice round.
    """
    p = widest.shape[1]
    for delta in range(start, stop):
        for row in range(re.shape[0]):
            largest = 0.0
            for y in range(p):
                x, w = re[row, y + delta] - re[row, y], im[row, y + delta] - im[row, y]
                largest = max(largest, x * x + w * w)
            widest[row, delta] = widest[row, p - delta] = np.sqrt(largest)


@kernel(reorder=True)
def gated_curves(
    twice: FloatArray,
    B: FloatArray,
    turn: IntArray,
    slope: float,
    start: int,
    stop: int,
    curve: FloatArray,
    square: FloatArray,
) -> None:
    """Write ``P_d[s] = h(A[s + turn_d] + B[s])`` to rows of ``curve`` from 0 and ``Σ_s P_d²`` to ``square (p,)``,
    ``d = start … stop − 1``; ``twice`` is A, twice round, and h has slope 1 above 0 and ``slope`` below.
    """
    for d in range(start, stop):
        squares = 0.0
        for s in range(B.size):
            sum_of_two = twice[s + turn[d]] + B[s]
            value = max(sum_of_two, slope * sum_of_two)
            curve[d - start, s] = value
            squares += value * value
        square[d] = squares
