"""The extremes of what the curves leave of a table, in compiled loops for large circuits: each entry is read once."""

from typing import NamedTuple

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.compiled import kernel
from quadlens.certificates.plan.plan import Plan


class Curves(NamedTuple):
    """The groups' ``curves`` of one table, each twice round, one behind the other; of each neuron its ``amplitude``,
    the ``place`` of its cell in them and its ``group``; ``shift (groups, p)``."""

    curves: FloatArray
    amplitude: FloatArray
    place: IntArray
    group: IntArray
    shift: IntArray


def curves_of(plan: Plan, first: bool) -> Curves:
    """Return them for A (``first``) or for B."""
    group = plan.group_of
    return Curves(
        curves=np.concatenate([np.tile(one.A if first else one.B, 2) for one in plan.groups]),
        amplitude=plan.amplitude,
        place=2 * plan.cells * group + plan.cell,
        group=group,
        shift=np.stack([plan.shifts(one.frequency) for one in plan.groups]),
    )


@kernel()
def extremes(table: FloatArray, start: int, curves: Curves, out: FloatArray) -> None:
    """Write to ``out (3, n)``, which is 0 at first, the largest ``δ₊`` and ``δ₋`` and the sum of ``δ²`` of each neuron
    over some rows, of which the first is that of residue ``start``."""
    for row in range(table.shape[0]):
        for i in range(table.shape[1]):
            at = curves.place[i] + curves.shift[curves.group[i], start + row]
            delta = table[row, i] - curves.amplitude[i] * curves.curves[at]
            out[0, i] = max(out[0, i], delta)
            out[1, i] = max(out[1, i], -delta)
            out[2, i] += delta * delta
