r"""What the curves' waveforms give the rest of U in each class, exactly for |m| ≤ M and bounded beyond.

    waveforms(d)² = p Σ_j Σ_c |Σ_{(γ,m): m k_γ ≡ j} P̂_{γ,d}[m] Q°_{γ,m}(c)|²
    tail(d) = √p Σ_γ (G Σ_{|m|>M} |P̂_{γ,d}[m]|²)^½ ‖q°_γ‖

By Gram matrices of the Q° that meet at one j: O(p (groups·M)²/p) after O(pG M).
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.remainder import beyond_error, by_cell, cell_roots, curve_harmonics
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.plan.plan import Plan
from quadlens.rounding import gamma


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waveforms:
    """By class, (p,): ``l2`` and ``tail`` bound norms over b and c, ``largest`` and ``largest_tail`` a single answer;
    ``tail_error`` is what rounding can take from a single answer's tail. ``meetings``: pairs of harmonics that meet.
    """

    l2: FloatArray
    tail: FloatArray
    largest: FloatArray
    largest_tail: FloatArray
    tail_error: float
    meetings: int


def waveforms(at: Namespace, U: Any, plan: Plan, split: Split, slope: float) -> Waveforms:
    """Return what the waveforms of all groups give; O(pG M) for each group."""
    roots, kept, p = cell_roots(plan), plan.harmonics + 1, plan.p
    meeting: defaultdict[int, list[tuple[ComplexArray, ComplexArray]]] = defaultdict(list)
    tail, largest, largest_tail, error = np.zeros(p), np.zeros(p), np.zeros(p), 0.0
    for number, group in enumerate(plan.groups):
        sums = by_cell(at, U, plan, split, number)
        sums = sums - sums.mean(axis=1, keepdims=True)
        parts = roots[:, np.unique(plan.cell[group.members])] @ sums
        Q = parts[:kept] + 1j * parts[kept:]
        head, beyond, square = curve_harmonics(at, plan, group, roots, lambda y: at.xp.maximum(y, slope * y))
        columns = (sums * sums).sum(axis=0)
        tail += np.sqrt(p * columns.sum()) * beyond
        largest_tail += np.sqrt(columns.max()) * beyond
        error += float(np.sqrt(columns.max())) * beyond_error(plan, square)
        largest += np.abs(head) @ np.abs(Q).max(axis=1)
        for m in range(kept):
            place = m * group.frequency % p
            # halved but for m = 0, for both signs are in μ
            mine = head[:, m] / (1 if m == 0 else 2)
            meeting[place].append((mine, Q[m]))
            if m:
                meeting[-place % p].append((mine.conj(), Q[m].conj()))
    square_of_class, meetings = np.zeros(p), 0
    for place, met in meeting.items():
        if place > p - place:
            continue
        twice = 1 if -place % p == place else 2
        P, Q = np.stack([one for one, _ in met], axis=1), np.stack([one for _, one in met])
        gram = Q @ Q.conj().T
        meetings += len(met) ** 2
        value = ((P @ gram) * P.conj()).sum(axis=1).real
        size = (np.abs(P) @ np.sqrt(gram.diagonal().real)) ** 2
        square_of_class += twice * (np.maximum(value, 0) + 4 * gamma(4 * p + 8 * len(met) + 64) * size)
    return Waveforms(
        l2=np.sqrt(p * square_of_class),
        tail=tail,
        largest=largest,
        largest_tail=largest_tail,
        tail_error=error,
        meetings=meetings,
    )
