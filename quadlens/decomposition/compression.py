"""Which terms of an ideal to keep: the order in which they help, and the curve of numbers used against what they
explain.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompressionCurve:
    """Numbers used against what they explain: arrays ``(points,)``, parameters ascending.

    ``relative_l2`` is the distance to the exact MLP logits (centred over c) of the best ideal with at most so many
    numbers, over the inputs that chose its terms; ``circuit_parameters`` is the circuit's own count;
    ``invariant_floor`` the least distance of any function of a - b and a + b - c, None where not every input was run.
    """

    parameters: IntArray
    relative_l2: FloatArray
    circuit_parameters: int
    invariant_floor: float | None

    @property
    def r_squared(self) -> FloatArray:
        """``1 - relative_l2²``, shape (points,)."""
        return 1 - np.square(self.relative_l2)


def greedy_order(
    outputs: ComplexArray,
    slots: IntArray,
    values: ComplexArray,
    sizes: FloatArray,
    function: Callable[[int], ComplexArray],
    enough: float,
) -> tuple[IntArray, FloatArray]:
    """Return terms in the order in which they help most, and the squares that each removes from what is left.

    Term j is ``values[j] function(j)`` at output ``slots[j]`` of ``outputs (output, input)``, its squares ``sizes[j]``.
    The values are taken as they are: a term that would not help by ``enough`` is left out. Terms interact only within
    an output, so a gain is computed again only where its output has changed since.
    """
    left = outputs.copy()
    changed = np.zeros(len(left), dtype=np.int64)
    # first what a term would remove if all of it were right; what it does remove is known when it is looked at
    heap = [(-float(size), -1, j) for j, size in enumerate(sizes)]
    heapq.heapify(heap)
    chosen, gains = [], []
    while heap:
        key, when, j = heapq.heappop(heap)
        slot = slots[j]
        wave = function(j)
        if when == changed[slot]:
            left[slot] -= values[j] * wave
            changed[slot] += 1
            chosen.append(j)
            gains.append(-key)
            continue
        gain = 2 * float((values[j].conj() * np.vdot(wave, left[slot])).real) - float(sizes[j])
        if gain > enough:
            heapq.heappush(heap, (-gain, int(changed[slot]), j))
    return np.array(chosen, dtype=np.int64), np.array(gains)


def lower_envelope(curves: Sequence[tuple[IntArray, FloatArray]]) -> tuple[IntArray, FloatArray]:
    """Return the best distance of several curves at each number of parameters at which it improves."""
    counts, distances = (np.concatenate([curve[i] for curve in curves]) for i in range(2))
    order = np.lexsort((distances, counts))
    counts, distances = counts[order], np.minimum.accumulate(distances[order])
    first = np.flatnonzero(np.diff(distances, prepend=np.inf) < 0)
    # of several ideals of one size, the best
    last = np.flatnonzero(np.diff(counts[first], append=-1) != 0)
    return counts[first][last], distances[first][last]


def invariant_floor(p: int, waves: ComplexArray, total: float) -> float:
    """Return the least relative distance of any function of a - b and a + b - c.

    ``waves``: the output waves ``Z_z(a, b)``, (z, p²), z from 1; ``total``: their squares, with all that has no wave
    here. The best such function averages ``Z_z e^{2iωzb}`` over b at fixed d = a - b.
    """
    b, z = np.arange(p), np.arange(1, len(waves) + 1)
    turn = np.exp(2j * np.pi / p * (2 * np.outer(z, b) % p))
    turned = waves.reshape(-1, p, p) * turn[:, None, :]
    explained = 0.0
    for d in range(p):
        explained += p * float(np.square(np.abs(turned[:, (b + d) % p, b].mean(axis=1))).sum())
    return float(np.sqrt(max(total - explained, 0.0) / (total or 1.0)))
