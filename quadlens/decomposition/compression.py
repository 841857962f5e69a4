"""Which terms of an ideal to keep: the order in which they help, and the curve of numbers used against what they
explain.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray

ROUNDS = 12  # candidates that may share one output wave and one frequency in b


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompressionCurve:
    """Numbers used against what they explain: arrays ``(points,)``, parameters ascending.

    ``relative_l2`` is the distance to the exact MLP logits (centred over c, all inputs), ``r_squared = 1 -
    relative_l2²``; ``circuit_parameters`` is the circuit's own count; ``invariant_floor`` the least distance of any
    function of a - b and a + b - c.
    """

    parameters: IntArray
    relative_l2: FloatArray
    r_squared: FloatArray
    circuit_parameters: int
    invariant_floor: float


def greedy_order(exact: ComplexArray, places: IntArray, series: ComplexArray) -> tuple[IntArray, FloatArray]:
    """Return candidates in the order in which they help most, and the squares that each removes from the residual.

    Candidates interact only within a slot (q, z), so the best of every slot can be taken at once, round by round.
    """
    residual = exact.transpose(1, 2, 0).copy()  # (q, z, d)
    slots = places[:, 2] * residual.shape[1] + places[:, 3] - 1
    flat = residual.reshape(-1, residual.shape[-1])
    norms = (np.abs(series) ** 2).sum(axis=1)
    free = np.ones(slots.size, dtype=bool)
    ceiling = np.full(flat.shape[0], np.inf)
    chosen, gains, keys = [], [], []
    for _ in range(ROUNDS):
        gain = 2 * (series.conj() * flat[slots]).sum(axis=1).real - norms
        gain = np.where(free, gain, -np.inf)
        by_slot = np.lexsort((-gain, slots))
        best = by_slot[np.flatnonzero(np.diff(slots[by_slot], prepend=-1))]
        best = best[gain[best] > 0]
        if not best.size:
            break
        flat[slots[best]] -= series[best]
        free[best] = False
        # a later candidate of a slot can never come before an earlier one
        ceiling[slots[best]] = np.minimum(ceiling[slots[best]], gain[best])
        chosen.append(best)
        gains.append(gain[best])
        keys.append(ceiling[slots[best]].copy())
    if not chosen:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    order = np.argsort(-np.concatenate(keys), kind="stable")
    return np.concatenate(chosen)[order], np.concatenate(gains)[order]


def invariant_floor(exact: ComplexArray, total: float) -> float:
    """Return the least relative distance of any function of a - b and a + b - c: all but the series' terms q = -2z."""
    p = exact.shape[0]
    z = np.arange(1, exact.shape[2] + 1)
    explained = p * float((np.abs(exact[:, -2 * z % p, z - 1]) ** 2).sum())
    return float(np.sqrt(max(total - explained, 0.0) / (total or 1.0)))
