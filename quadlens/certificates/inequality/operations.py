r"""Counted operations, as closed formulas of a plan and of what the pass met: no counter runs beside the arithmetic.

One operation is an addition, multiplication, comparison or evaluation of the activation on numbers that depend on the
network's weights. A real fast Fourier transform of length N counts ``2.5 N log₂ N``.
"""

import math
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray
from quadlens.certificates.inequality.one_pass import PassSums
from quadlens.certificates.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What evaluating (L) takes, by step, and what (G′) takes for each pair, and once for each class with one."""

    steps: tuple[tuple[str, int], ...]
    pair: int
    head: int

    @property
    def total(self) -> int:
        """The sum of the steps."""
        return sum(count for _, count in self.steps)

    def refinement(self, refined: BoolArray) -> int:
        """Return what (G′) takes for these pairs, ``refined (p, p − 1)``, and once more for each class's ledger."""
        pairs, classes = int(refined.sum()), int(refined.any(axis=1).sum())
        return self.pair * (pairs + classes) + self.head * classes


def operations(plan: Plan, sums: PassSums) -> Operations:
    """Return what (L) takes for this plan; all but ``candidates`` and ``exceptions`` is O(pn + p² + pG)."""
    p, G = plan.p, plan.cells
    prefix = reads = exceptions = 0
    for number, group in enumerate(plan.groups):
        several = bool(plan.bounded[group.members].any())
        channels = 2 * len(group.retained) + (3 if several else 2)
        # a product and a sum an entry, in two tables; each arc end and the whole circle read once for each input
        prefix += 2 * p * group.members.size * (2 * channels + 2) * (3 if several else 1)
        reads += 2 * channels * sums.look_ups[number]
        exceptions += (2 * channels + 2) * sums.exceptions[number]
    steps = (
        *common_steps(plan),
        ("near cells", 2 * len(plan.groups) * p * G),
        ("prefix sums", prefix),
        ("look-ups", reads),
        ("candidates", 3 * sum(sums.candidates)),
        ("exceptions", exceptions),
    )
    return Operations(steps=steps, **pair_operations(plan))


def common_steps(plan: Plan) -> tuple[tuple[str, int], ...]:
    """Return the steps that do not depend on the activation: the plan, the split, the rest of U, (L)."""
    p, n, G = plan.p, plan.cell.size, plan.cells
    f, kept, groups = len(plan.retained), plan.harmonics + 1, len(plan.groups)
    members = sum(group.members.size * len(group.retained) for group in plan.groups)
    transform = transform_operations(p)
    harmonics = 0
    for group in plan.groups:
        used = np.unique(plan.cell[group.members]).size
        harmonics += 4 * kept * used * p + p * G * (3 + 4 * kept) + 6 * kept * p * (p // 2)
    return (
        ("spectra of the neurons", 2 * n * transform + 10 * n * (p // 2)),
        ("spectra of U and of the skip path", (n + 2 * p) * (transform + 5 * (p // 2))),
        ("curves", 4 * p * n + 2 * 9 * 8 * n),
        ("retained coefficients", 4 * p * members + 8 * p * p * f),
        ("deviations", 2 * p * n * 5),
        ("the rest of U", 2 * p * n + 4 * p * members + p * n * 5),
        ("harmonics of the rest", harmonics),
        ("inputs", p * p * (8 * f + 6)),
        ("(L)", p * p * (8 * f + 6 * f + 2 * groups * kept + 6)),
    )


def pair_operations(plan: Plan) -> dict[str, int]:
    """Return ``pair`` and ``head`` of ``Operations``."""
    head = len(plan.groups) * (plan.head + 1)
    return {"pair": plan.p * (4 * len(plan.retained) + 4 * head + 8), "head": 10 * plan.p * head}


def brute_force_operations(p: int, neurons: int) -> int:
    """Return the operations of running the network on all p² inputs.

    ``p² n`` additions and as many activations for the hidden layer, ``2p³ n`` for the product with ``U``, ``2p³`` for
    the skip path and ``p³`` comparisons.
    """
    return 2 * p**2 * neurons + 2 * p**3 * neurons + 3 * p**3


def transform_operations(length: int) -> int:
    """Return what one real fast Fourier transform of this length is counted as, ``2.5 N log₂ N``."""
    return math.ceil(2.5 * length * math.log2(max(length, 2)))
