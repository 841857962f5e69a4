r"""Sums over a group's neurons of what one table gives, for every input: O(pn) to build, O(p²) to read.

With ``a = |α|``, ``κ = 1 − α``, δ the table's deviation and β = 1 where a neuron is bounded, the sums begin with every
gate far below 0 and change as H passes a threshold:

    of û         α T        + ½κβ δ₊  (−λ)     + κ (T − ½β δ)     (0)     − ½κβ δ₋  (λ)
    of V         0          + ½κβ δ₊           − ½κβ δ                    − ½κβ δ₋
    of osc       a |δ|      + (1−a) β δ₊       + (1−a)(|δ| − β δ₊)
    squares      a² δ²      + (1−a²) β δ₊²     + (1−a²)(δ² − β δ₊²)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.arcs import Arcs
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.rounding import gamma


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """What a group's members are multiplied by: ``u_hat (members, 2K)``, ``V``, ``osc (members,)``; ``bounded`` is 1
    or 0 for each, or None where none is; ``slope`` is α."""

    u_hat: Any
    V: Any
    osc: Any
    bounded: Any
    slope: float

    @property
    def stacked(self) -> list[Any]:
        """The factors of each stream of ``streams``, all of shape (members, …)."""
        return [self.u_hat, self.V[:, None], self.osc[:, None], 1 + 0 * self.osc[:, None]]


def streams(xp: Any, weights: Weights, value: Any, delta: Any) -> tuple[list[Any], list[list[Any]]]:
    """Return the numbers that begin and those that change at each threshold, each (residues, members), in the order
    û, V, osc, squares.

    >>> import array_api_compat.numpy as xp
    >>> one = Weights(u_hat=None, V=None, osc=None, bounded=None, slope=0.0)
    >>> begin, ((gate, *_),) = streams(xp, one, np.array([[3.0]]), np.array([[1.0]]))
    >>> float(begin[0][0, 0]), float(gate[0, 0])
    (0.0, 3.0)
    """
    slope, beta = weights.slope, weights.bounded
    a, kappa = abs(slope), 1 - slope
    size, square = xp.abs(delta), delta * delta
    nothing = 0 * delta
    begin = [slope * value, nothing, a * size, a * a * square]
    if beta is None:
        return begin, [[kappa * value, nothing, (1 - a) * size, (1 - a * a) * square]]
    above, below = xp.maximum(delta, nothing) * beta, xp.maximum(-delta, nothing) * beta
    # exact: δ₊ and δ₋ are δ or 0, so that δ₊ − δ₋ is δ
    half, far = kappa / 2 * above, -kappa / 2 * below
    gate = -kappa / 2 * (above - below)
    positive = above * above
    return begin, [
        [half, half, (1 - a) * above, (1 - a * a) * positive],
        [kappa * value + gate, gate, (1 - a) * (size - above), (1 - a * a) * (square - positive)],
        [far, far, nothing, nothing],
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A table's columns ``(p, members)``, as an array of the namespace; ``first`` says that it is A."""

    values: Any
    first: bool


def add_table(at: Namespace, plan: Plan, group: Group, arcs: Arcs, weights: Weights, table: Table) -> tuple[Any, ...]:
    """Return the sums of one table for its own residues and all of the other's: ``C (p, p, 2K)`` and ``R``, ``l1``,
    ``norm (p, p)``: what stands under ½κ Σ ρ̄ V, Σ η osc and ‖η‖."""
    xp, p = at.xp, plan.p
    curve = at.array((group.A if table.first else group.B)[_met(plan, group)])
    r = at.array(plan.amplitude[group.members])
    factors = weights.stacked
    widths = [int(factor.shape[1]) for factor in factors]
    width, thresholds = sum(widths), len(arcs.thresholds)

    def work(block: slice) -> Any:
        value = table.values[block]
        begin, changes = streams(xp, weights, value, value - r * curve[block])
        start = xp.concat([b @ factor for b, factor in zip(begin, factors, strict=True)], axis=1)
        prefix = [
            xp.cumulative_sum(
                xp.concat([c[:, :, None] * f for c, f in zip(change, factors, strict=True)], axis=2),
                axis=1,
                include_initial=True,
            )
            for change in changes
        ]
        return _read(at, arcs, prefix, start, (block, table.first))

    found = at.over(work, p, width * (thresholds * group.members.size + p))
    sums = found[0] if len(found) == 1 else xp.concat(found, axis=0)
    kept = widths[0]
    return sums[:, :, :kept], sums[:, :, kept], sums[:, :, kept + 1], xp.sqrt(sums[:, :, kept + 2])


def _met(plan: Plan, group: Group) -> Any:
    """Return the cell that each residue finds each member's curve at, shape (p, members)."""
    return (plan.cell[group.members] + plan.shifts(group.frequency)[:, None]) % plan.cells


def _read(at: Namespace, arcs: Arcs, prefix: list[Any], start: Any, where: tuple[slice, bool]) -> Any:
    """Return the sums for a block of the table's residues, shape (residues, p, channels).

    From the state of the last cell, each arc end on the way round adds or takes away. The last channel's squares are
    evaluated from above, for their root is taken: an error of a sum over arcs is one of all its prefix sums.
    """
    xp, (block, first) = at.xp, where
    rows, width, channels = prefix[0].shape
    t, shift = arcs.turns_of(np.arange(block.start, block.stop), first)
    last = arcs.last(t, shift)
    row = np.arange(rows)[:, None] * width
    out = start[:, None, :]
    whole = start[:, -1]
    for number, (sums, starts, stops) in enumerate(zip(prefix, arcs.starts, arcs.stops, strict=True)):
        flat = xp.reshape(sums, (-1, channels))
        whole = whole + sums[:, -1, -1]

        def read(index: Any, flat: Any = flat, shape: tuple[int, ...] = (*t.shape, channels)) -> Any:
            return xp.reshape(xp.take(flat, at.array(index.reshape(-1)), axis=0), shape)

        # all of the sum, or the empty one before it
        out = out + read(row + (last > arcs.thresholds[number]) * (width - 1))
        for one in stops:
            out += read(row + arcs.places(one, t, shift))
        for one in starts:
            out -= read(row + arcs.places(one, t, shift))
    error = 2 * (arcs.ends + 2) * gamma(width + 2 * arcs.ends + 64) * whole
    least = xp.maximum(out[:, :, -1] + error[:, None], 0 * whole[:, None])
    return xp.concat([out[:, :, :-1], least[:, :, None]], axis=2)
