r"""What the rest of U can cost: harmonics one by one, their tail, and what the waveforms leave out.

    D(d,δ) = Σ_γ Σ_m |P̂_{γ,d}[m]| O_{γ,m}(δ),    tail(d),    res(a,b)            docs/certificates.md, "The rest of U"
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.compiled import compiled_is_worth_it
from quadlens.certificates.curve_harmonics import cell_roots, curve_harmonics
from quadlens.certificates.kink import negative_slope
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.certificates.retained import Retained, rest_of_outputs
from quadlens.circuits.circuit import Circuit

if TYPE_CHECKING:
    from quadlens.certificates.remainder_kernel import Members


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remainder:
    """``tail (groups, p)``, and what D is made of: ``P_hat (groups, p, M + 1)`` holds ``P̂_{γ,d}[m]``, twice it for
    m > 0; ``Q (groups, M + 1, p)`` is ``Q_{γ,m}(c)``, ``widest`` of that shape ``O_{γ,m}(δ)``.

    ``tail_error`` is what rounding can take from any class's tail.
    ``osc_a, osc_b (p,)`` are ``Σ_i |ε_i| osc_i`` of each table, ``norm_a, norm_b (p,)`` the Euclidean norms of its
    ``ε_i``, ``norm_U (p,)`` that of ``dU_i(c)`` over the neurons.
    """

    P_hat: ComplexArray
    Q: ComplexArray
    widest: FloatArray
    tail: FloatArray
    tail_error: float
    osc_a: FloatArray
    osc_b: FloatArray
    norm_a: FloatArray
    norm_b: FloatArray
    norm_U: FloatArray

    def D_by_group(self, d: IntArray, delta: IntArray) -> FloatArray:
        """Return each group's part of ``D(d, δ)`` for pairs of them, shape (groups, pairs)."""
        return np.asarray(np.einsum("gtm,gmt->gt", np.abs(self.P_hat[:, d]), self.widest[:, :, delta]))

    def D(self, d: int | slice) -> FloatArray:
        """Return ``D(d, δ)`` for ``δ = 0 … p − 1`` and one class or several."""
        heads = np.abs(self.P_hat[:, d])
        return np.asarray(sum(head @ widest for head, widest in zip(heads, self.widest, strict=True)))

    def res(self, a: IntArray, b: IntArray, Y: IntArray) -> FloatArray:
        """Return ``res(a, b)``, the smaller of its two bounds."""
        by_norms = (self.norm_a[a] + self.norm_b[b]) * (self.norm_U[Y] + self.norm_U.max())
        return np.asarray(np.minimum(self.osc_a[a] + self.osc_b[b], by_norms))


def remainder(circuit: Circuit, plan: Plan, retained: Retained, count: OperationCounter) -> Remainder:
    """Bound ``|Σ_i h_i (dU_i(Y) − dU_i(Y+δ))|`` for every input and δ: O(pn + p²) with constants from the plan."""
    p, groups, kept = plan.p, len(plan.groups), plan.harmonics + 1
    tail, tail_error = np.zeros((groups, p)), 0.0
    P_hat = np.zeros((groups, p, kept), dtype=np.complex128)
    Q = np.zeros((groups, kept, p), dtype=np.complex128)
    widest = np.zeros((groups, kept, p))
    osc = np.zeros(circuit.neurons)
    square_U = np.zeros(p)
    roots, slope = cell_roots(plan), negative_slope(circuit.activation)
    compiled = compiled_is_worth_it(2 * p * circuit.neurons)
    for number, group in enumerate(plan.groups):
        weights = _weights(circuit, plan, retained, group, roots, compiled, osc, square_U, count)
        curves = curve_harmonics(plan, group, slope, roots, compiled, count)
        P_hat[number], Q[number] = curves.head, weights.Q
        widest[number] = _widest(weights.Q, compiled, count)
        # the difference of two outputs is at most twice the larger
        tail[number] = 2 * curves.beyond * weights.norm
        tail_error += 2 * curves.error * weights.norm
    sums = [_residuals(circuit, plan, name, osc, compiled, count) for name in ("A", "B")]
    return Remainder(
        P_hat=P_hat,
        Q=Q,
        widest=widest,
        tail=tail,
        tail_error=tail_error,
        osc_a=sums[0][0],
        norm_a=sums[0][1],
        osc_b=sums[1][0],
        norm_b=sums[1][1],
        norm_U=np.sqrt(square_U),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weights:
    """``Q (M + 1, p)``: ``Q_m(c)``; ``norm``: the largest norm over the cells of ``q_s(c)``."""

    Q: ComplexArray
    norm: float


def _weights(
    circuit: Circuit,
    plan: Plan,
    retained: Retained,
    group: Waveforms,
    roots: FloatArray,
    compiled: bool,
    osc: FloatArray,
    square_U: FloatArray,
    count: OperationCounter,
) -> _Weights:
    """Sum the rest of U of the group's neurons by cell; write their ``osc`` and add their squares to ``square_U``."""
    p, members, kept = plan.p, group.members, plan.harmonics + 1
    cells, number = np.unique(plan.cell[members], return_inverse=True)
    by_cell = np.zeros((cells.size, p))
    # a cell's neurons lie together: a block of whole cells writes rows of its own
    first = np.searchsorted(number, np.arange(cells.size + 1))
    work = (
        _sums_by_loops(circuit, plan, retained, group, number, first, osc, by_cell)
        if compiled
        else _sums_by_arrays(circuit, plan, retained, members, first, osc, by_cell)
    )
    rows = max(1, BLOCK * cells.size // max(1, members.size * p))
    for squares in in_parallel(work, blocks_of(cells.size, rows)):
        square_U += squares
    turns = roots[:, cells]
    parts = turns @ by_cell
    count.add(members.size * p, 4 * len(retained.frequencies) + 1 + 2 + 2 + 1 + 1)
    count.add(cells.size * p, 4 * kept + 2)
    norm = float(np.sqrt(np.einsum("sc,sc->c", by_cell, by_cell).max(initial=0.0)))
    return _Weights(Q=parts[:kept] + 1j * parts[kept:], norm=norm)


def _sums_by_arrays(
    circuit: Circuit,
    plan: Plan,
    retained: Retained,
    members: IntArray,
    first: IntArray,
    osc: FloatArray,
    by_cell: FloatArray,
) -> Callable[[slice], FloatArray]:
    """Return what writes ``osc`` and ``by_cell`` of a block of cells, and returns the sums of squares of dU."""

    def work(block: slice) -> FloatArray:
        i = members[first[block.start] : first[block.stop]]
        rest = rest_of_outputs(circuit, retained, i)
        osc[i] = rest.max(axis=1) - rest.min(axis=1)
        squares = np.einsum("ic,ic->c", rest, rest)
        rest *= plan.amplitude[i][:, None]
        by_cell[block] = np.add.reduceat(rest, first[block] - first[block.start], axis=0)
        return np.asarray(squares)

    return work


def _sums_by_loops(
    circuit: Circuit,
    plan: Plan,
    retained: Retained,
    group: Waveforms,
    number: IntArray,
    first: IntArray,
    osc: FloatArray,
    by_cell: FloatArray,
) -> Callable[[slice], FloatArray]:
    """Return the same in compiled loops."""
    from quadlens.certificates.remainder_kernel import Split, rest_by_cell

    split = Split(
        U=circuit.U,
        re=np.ascontiguousarray(retained.u_hat.real),
        im=np.ascontiguousarray(retained.u_hat.imag),
        cos=np.ascontiguousarray(retained.waves.real),
        sin=np.ascontiguousarray(retained.waves.imag),
    )
    members = _members(plan, group, number)

    def work(block: slice) -> FloatArray:
        squares = np.zeros(plan.p)
        start, stop = int(first[block.start]), int(first[block.stop])
        rest_by_cell(split, members, start, stop, osc, squares, by_cell)
        return squares

    return work


def _members(plan: Plan, group: Waveforms, number: IntArray) -> "Members":
    from quadlens.certificates.remainder_kernel import Members

    i = group.members
    return Members(neuron=i, r=plan.amplitude[i], at=plan.cell[i], number=number)


def _residuals(
    circuit: Circuit, plan: Plan, name: str, osc: FloatArray, compiled: bool, count: OperationCounter
) -> tuple[FloatArray, FloatArray]:
    """Return, for each input of a table, ``Σ_i |ε_i| osc_i`` and the norm of ``ε``."""
    p, table = plan.p, getattr(circuit, name)
    total, square = np.zeros(p), np.zeros(p)

    def by_arrays(block: slice) -> None:
        for group in plan.groups:
            i = group.members
            at = plan.cell[i] + plan.shifts(group.frequency)[block, None]
            curve = getattr(group, name)
            apart = table[block, i] - plan.amplitude[i] * np.concatenate([curve, curve])[at]
            square[block] += np.einsum("ai,ai->a", apart, apart)
            total[block] += np.abs(apart) @ osc[i]

    if compiled:
        from quadlens.certificates.remainder_kernel import residual_sums

        def by_loops(block: slice) -> None:
            for group in plan.groups:
                members = _members(plan, group, group.members)
                turn = plan.shifts(group.frequency)
                curve, mine = getattr(group, name), osc[group.members]
                residual_sums(table, members, curve, turn, mine, block.start, block.stop, total, square)

        in_parallel(by_loops, blocks_of(p, 64))
    else:
        in_parallel(by_arrays, blocks_of(p, BLOCK // circuit.neurons))
    count.add(p * circuit.neurons, 3 + 2 + 3)
    return total, np.sqrt(square)


def _widest(Q: ComplexArray, compiled: bool, count: OperationCounter) -> FloatArray:
    """Return ``O_m(δ) = max_y |Q_m(y) − Q_m(y + δ)|``, shape (M + 1, p)."""
    kept, p = Q.shape
    widest = np.zeros((kept, p))
    twice = np.concatenate([Q, Q], axis=1)

    def by_arrays(block: slice) -> None:
        for delta in range(block.start + 1, block.stop + 1):
            apart = twice[:, delta : delta + p] - Q
            # the pairs of −δ are those of δ
            widest[:, delta] = widest[:, p - delta] = np.sqrt((apart.real**2 + apart.imag**2).max(axis=1))

    if compiled:
        from quadlens.certificates.remainder_kernel import widest_changes

        re, im = np.ascontiguousarray(twice.real), np.ascontiguousarray(twice.imag)
        in_parallel(
            lambda block: widest_changes(re, im, block.start + 1, block.stop + 1, widest), blocks_of(p // 2, 64)
        )
    else:
        in_parallel(by_arrays, blocks_of(p // 2, 64))
    count.add(6 * kept, p // 2, p)
    return widest
