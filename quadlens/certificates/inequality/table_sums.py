r"""Sums over a group's neurons of what both tables give, for every input: O(pn) to build, O(p²) to read.

``streams`` says what is summed. By arrays here, by compiled loops in ``pass_kernel`` where a circuit is large.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.compiled import compiled_is_worth_it
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.arcs import Arcs, arcs_of
from quadlens.certificates.inequality.streams import LookedAt, Weights, lost_of_squares, streams
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.circuits.circuit import Circuit


def add_group(at: Namespace, circuit: Circuit, plan: Plan, group: Group, weights: Weights, given: LookedAt) -> Arcs:
    """Add a group's sums for every input, but for gates that are not as their curve says; return its arcs."""
    arcs = arcs_of(plan, group)
    if at.device is None and compiled_is_worth_it(circuit.A.size + circuit.B.size):
        from quadlens.certificates.inequality.pass_kernel import add_compiled

        add_compiled(circuit, plan, group, arcs, weights, given)
        return arcs
    xp, p = at.xp, plan.p
    sides = [
        _prefix(at, plan, group, weights, table, curve) for table, curve in ((circuit.A, group.A), (circuit.B, group.B))
    ]
    numbers = 8 * p * sides[0].start.shape[1]
    blocks = [_joined(xp, part) for part in zip(*at.over(_reader(at, arcs, sides), p, numbers), strict=True)]
    rank, residue = np.argsort(arcs.classes), np.arange(p)
    kept = len(group.retained)
    sums, norm = (at.take(xp.reshape(part, (p, p, -1)), rank, 0) for part in blocks)
    for place, z in enumerate(map(int, plan.positions(group))):
        given.C[z, :, :] += sums[:, :, place] + 1j * sums[:, :, kept + place]
    osc, norm = sums[:, :, 2 * kept], norm[:, :, 0]
    if weights.bounded is not None:
        given.R[:, :] += sums[:, :, 2 * kept + 2]
    if given.x_osc.shape[0]:
        osc, norm = osc + given.x_osc, norm + given.x_norm
    Y = ((residue[:, None] + 2 * residue) % p).reshape(-1)
    given.res[:, :] += xp.minimum(osc, norm * xp.reshape(at.take(given.norms, Y, 0), (p, p)))
    return arcs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """Of one table: ``start (p, channels)``, the sums with every gate far below 0, and for each threshold the prefix
    sums of what changes, (p, members + 1, channels)."""

    start: Any
    prefix: list[Any]


def _prefix(at: Namespace, plan: Plan, group: Group, weights: Weights, table: FloatArray, curve: FloatArray) -> _Side:
    xp = at.xp
    r, factors = at.array(plan.amplitude[group.members]), weights.stacked
    twice = np.concatenate([curve, curve])
    cell, shift = plan.cell[group.members], plan.shifts(group.frequency)

    def work(block: slice) -> list[Any]:
        value = at.array(table[block, group.members])
        begin, changes = streams(xp, weights, value, value - r * at.array(twice[cell + shift[block, None]]))
        start = xp.concat([b @ factor for b, factor in zip(begin, factors, strict=True)], axis=1)
        products = (
            xp.concat([c[:, :, None] * f for c, f in zip(change, factors, strict=True)], axis=2) for change in changes
        )
        return [start, *(xp.cumulative_sum(values, axis=1, include_initial=True) for values in products)]

    numbers = sum(int(factor.shape[1]) for factor in factors) * group.members.size
    start, *prefix = (_joined(xp, parts) for parts in zip(*at.over(work, plan.p, numbers), strict=True))
    return _Side(start=start, prefix=prefix)


def _joined(xp: Any, parts: tuple[Any, ...]) -> Any:
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)


def _reader(at: Namespace, arcs: Arcs, sides: list[_Side]) -> Callable[[slice], tuple[Any, Any]]:
    """Return what reads the sums of a block of classes, shape (classes · p, channels), and the sum of both norms.

    From the state of the last cell, each arc end on the way round adds or takes away. Squares are evaluated from
    above, for their root is taken: an error of a sum over arcs is one of all its prefix sums.
    """
    xp, p = at.xp, arcs.classes.size
    width, channels = sides[0].prefix[0].shape[1:]
    # û, osc, squares and perhaps V: of these V alone is a single channel
    column = 2 * (channels // 2) - 1
    rounding = lost_of_squares(arcs, width)
    flat = [[xp.reshape(prefix, (-1, channels)) for prefix in side.prefix] for side in sides]
    room = [rounding * (side.start[:, column] + sum(part[:, -1, column] for part in side.prefix)) for side in sides]
    b = np.arange(p)

    def work(block: slice) -> tuple[Any, Any]:
        a = (arcs.classes[block, None] + b) % p
        rows = (a, np.broadcast_to(b, a.shape))
        out = [at.take(side.start, row.reshape(-1), 0) for side, row in zip(sides, rows, strict=True)]

        def add(number: int, place: IntArray, sign: int) -> None:
            length = place.size
            for side, row in enumerate(rows):
                index = (row[: place.shape[0]] * width + place).reshape(-1)
                read = at.take(flat[side][number], index, 0)
                if sign > 0:
                    out[side][:length] += read
                else:
                    out[side][:length] -= read

        last = arcs.last_A[a] + arcs.last_B
        for number, ends in enumerate(arcs.ends):
            # all of the sum, or the empty one before it
            add(number, (last > arcs.thresholds[number]) * (width - 1), 1)
            for stops, starts, filled in zip(ends.stops, ends.starts, ends.filled, strict=True):
                some = slice(block.start, min(block.stop, int(filled)))
                if some.start < some.stop:
                    add(number, arcs.places(stops[some]), 1)
                    add(number, arcs.places(starts[some]), -1)
        squares = [
            xp.maximum(part[:, column] + at.take(more, row.reshape(-1), 0), 0 * part[:, column])
            for part, more, row in zip(out, room, rows, strict=True)
        ]
        return out[0] + out[1], (xp.sqrt(squares[0]) + xp.sqrt(squares[1]))[:, None]

    return work
