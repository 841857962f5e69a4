r"""Gates, retained sums and residuals of one class at a time, neuron by neuron in balls.

A neuron's gate and whether it is near a zero of its curves are comparisons of integers; the sign of its own
preactivation is a comparison of two stored numbers. Everything else is a ball.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np

from quadlens.arrays import IntArray
from quadlens.checker.balls import largest, root, squares, total
from quadlens.checker.outputs import Outputs, spread
from quadlens.checker.plan import CheckedPlan
from quadlens.checker.stored import StoredTables
from quadlens.errors import CertificateError

Balls = list[list[Any]]
Choices = list[list[tuple[Any, ...]]]

SLOPES: dict[str, Any] = {"relu": flint.fmpq(0), "abs": flint.fmpq(-1)}
"""``α`` of the activations that the inequality is about, ``|α| <= 1``."""

TABLES = ("A", "B")


@dataclass(frozen=True, kw_only=True)
class ClassSums:
    """Of the inputs ``(d+b, b)``, by b: ``[Re C_z | Im C_z]``, ``R`` and ``res``."""

    C: Any
    R: list[Any]
    res: list[Any]


@dataclass(frozen=True, kw_only=True)
class InputTerms:
    """Of one input, by neuron: what multiplies û, ``ρ̄``, the state ``2·[H > 0] + [near]``, and ``x`` where not 0."""

    values: list[Any]
    rho: list[Any]
    states: list[int]
    x: dict[int, Any]


@dataclass(frozen=True, kw_only=True)
class Gates:
    """Everything about gates and residuals that does not depend on the class."""

    outputs: Outputs

    @property
    def plan(self) -> CheckedPlan:
        """The certificate's choices."""
        return self.outputs.plan

    @property
    def tables(self) -> StoredTables:
        """The circuit's tables."""
        return self.outputs.tables

    @cached_property
    def slope(self) -> Any:
        """``α``."""
        return SLOPES[self.tables.circuit.activation]

    @cached_property
    def curves(self) -> dict[str, IntArray]:
        """``W^A[c_i + g·ka]`` and ``W^B[c_i + g·kb]`` by input and neuron, integers, shape (p, n)."""
        plan, p = self.plan, self.outputs.p
        values = {name: np.zeros((p, plan.cell.size), dtype=np.int64) for name in TABLES}
        for group in plan.groups:
            members = np.array(group.members, dtype=np.int64)
            shift = plan.grid * (group.frequency * np.arange(p) % p)
            for name in TABLES:
                values[name][:, members] = getattr(group, name)[(plan.cell[members] + shift[:, None]) % plan.cells]
        return values

    @cached_property
    def delta(self) -> dict[str, Balls]:
        """``δA_i(a) = A[a,i] − r_i W^A[c_i + g·ka]`` and ``δB_i(b)``, by input and neuron."""
        factor = [flint.arb(r) / self.plan.scale for r in self.plan.amplitude]
        return {
            name: [
                [x - r * w for x, r, w in zip(row, factor, curve, strict=True)]
                for row, curve in zip(self.tables.rows[name], self.curves[name].tolist(), strict=True)
            ]
            for name in TABLES
        }

    @cached_property
    def levels(self) -> IntArray:
        """``λ_γ`` of each neuron's group; −1 for neurons whose gates are evaluated, so that they are never near."""
        level = np.array([group.level for group in self.plan.groups], dtype=np.int64)[self.plan.group]
        return np.where(self.plan.bounded, level, -1)

    @cached_property
    def eta(self) -> dict[str, Choices]:
        """By table, input, neuron: η for ``H ≤ 0``, far and near, and for ``H > 0``, far and near."""
        alpha = abs(self.slope)

        def choices(x: Any) -> tuple[Any, ...]:
            size = abs(x)
            return alpha * size, alpha * size + (1 - alpha) * x.nonnegative_part(), size, size

        return {name: [[choices(x) for x in row] for row in self.delta[name]] for name in TABLES}

    @cached_property
    def eta_squares(self) -> dict[str, Choices]:
        """The squares of η."""
        return {
            name: [[tuple([x * x for x in choices]) for choices in row] for row in rows]
            for name, rows in self.eta.items()
        }

    @cached_property
    def rho(self) -> dict[str, Choices]:
        """By table, input, neuron: what the table adds to ρ̄, for the same four states."""
        zero = flint.arb(0)

        def choices(x: Any) -> tuple[Any, ...]:
            return zero, x.nonnegative_part(), zero, (-x).nonnegative_part()

        return {name: [[choices(x) for x in row] for row in self.delta[name]] for name in TABLES}

    @cached_property
    def oscillation(self) -> list[Any]:
        """``osc_i = max_c dU_i(c) − min_c dU_i(c)``."""
        return [spread(row) for row in self.outputs.U.rest.tolist()]

    @cached_property
    def retained_spread(self) -> list[Any]:
        """``V_i = max_c UF_i(c) − min_c UF_i(c)`` of the bounded neurons, 0 for the others."""
        rows = self.outputs.U.waves.tolist()
        return [spread(row) if bound else flint.arb(0) for row, bound in zip(rows, self.plan.bounded, strict=True)]

    @cached_property
    def norms(self) -> list[list[Any]]:
        """``‖dU(c)‖_γ`` by group and c."""
        rows, p = self.outputs.U.rest.tolist(), self.outputs.p
        return [[root(squares([rows[i][c] for i in group.members])) for c in range(p)] for group in self.plan.groups]

    def of_class(self, d: int) -> ClassSums:
        """Return the sums of the inputs ``(d+b, b)``."""
        rows = [((d + b) % self.outputs.p, b) for b in range(self.outputs.p)]
        inputs = [self._input(a, b) for a, b in rows]
        skip = [self.outputs.skip[name].hat.tolist() for name in ("S_a", "S_b")]
        retained = flint.arb_mat([each.values for each in inputs]) * self.outputs.U.hat
        own = flint.arb_mat([[s + t for s, t in zip(skip[0][a], skip[1][b], strict=True)] for a, b in rows])
        R = [total([x * v for x, v in zip(each.rho, self.retained_spread, strict=True)]) for each in inputs]
        half = (1 - self.slope) / 2
        return ClassSums(C=retained + own, R=[half * x for x in R], res=self._residuals(rows, inputs))

    def _input(self, a: int, b: int) -> InputTerms:
        plan, alpha, tables = self.plan, self.slope, self.tables
        H = self.curves["A"][a] + self.curves["B"][b]
        positive = tables.circuit.A[a] > -tables.circuit.B[b]  # y > 0, without a rounding
        states = (2 * (H > 0) + (np.abs(H) <= self.levels)).tolist()
        y = [s + t for s, t in zip(tables.rows["A"][a], tables.rows["B"][b], strict=True)]
        open_ = np.where(plan.bounded, H > 0, positive).tolist()
        values = [x if gate else alpha * x for x, gate in zip(y, open_, strict=True)]
        rho: list[Any] = []
        if plan.bounded.any():
            half = (1 - alpha) / 2
            rho = [s[j] + t[j] for s, t, j in zip(self.rho["A"][a], self.rho["B"][b], states, strict=True)]
            values = [x + half * r for x, r in zip(values, rho, strict=True)]
        wrong = np.flatnonzero(~plan.bounded & (H <= 0) & positive).tolist()
        x = {i: (1 - abs(alpha)) * y[i] for i in wrong}
        return InputTerms(values=values, rho=rho or [flint.arb(0)] * len(y), states=states, x=x)

    def _residuals(self, rows: list[tuple[int, int]], inputs: list[InputTerms]) -> list[Any]:
        """Return ``res`` of each input: for each group the smaller of two bounds, from sums over its neurons."""
        groups, zero = self.plan.groups, flint.arb(0)
        member = self.plan.group.tolist()
        names = range(len(groups))
        weights = [[x if g == own else zero for g in names] for x, own in zip(self.oscillation, member, strict=True)]
        ones = [[flint.arb(int(g == own)) for g in names] for own in member]

        def sums(table: dict[str, Choices], name: str, columns: Balls) -> Balls:
            position = 0 if name == "A" else 1
            chosen = [
                [choices[j] for choices, j in zip(table[name][row[position]], each.states, strict=True)]
                for row, each in zip(rows, inputs, strict=True)
            ]
            return (flint.arb_mat(chosen) * flint.arb_mat(columns)).tolist()

        plain = [sums(self.eta, name, weights) for name in TABLES]
        square = [sums(self.eta_squares, name, ones) for name in TABLES]
        out = []
        for j, ((a, b), each) in enumerate(zip(rows, inputs, strict=True)):
            exceptions: list[list[int]] = [[] for _ in groups]
            for i in each.x:
                exceptions[member[i]].append(i)
            bounds = []
            for g, found in enumerate(exceptions):
                x = [each.x[i] for i in found]
                first = plain[0][j][g] + plain[1][j][g]
                first += total([y * self.oscillation[i] for y, i in zip(x, found, strict=True)])
                size = root(square[0][j][g]) + root(square[1][j][g]) + root(squares(x))
                bounds.append(first.min(size * (self.norms[g][(a + b) % self.outputs.p] + self.largest_norms[g])))
            out.append(total(bounds))
        return out

    @cached_property
    def largest_norms(self) -> list[Any]:
        """``max_c ‖dU(c)‖_γ`` by group."""
        return [largest(norm) for norm in self.norms]

    def require_settled_far(self) -> None:
        """Refuse a plan in which a bounded neuron that is far from the zeros of its curves might not be settled.

        ``λ_γ ≥ max |W^A| + max |W^B|``, or ``r_i λ_γ ≥ Δ_i``, in fractions.
        """
        plan = self.plan
        for i in np.flatnonzero(plan.bounded).tolist():
            group = plan.groups[int(plan.group[i])]
            if group.level >= int(np.abs(group.A).max()) + int(np.abs(group.B).max()):
                continue
            r = _fraction(plan.amplitude[i]) / plan.scale
            least, most = flint.fmpq(0), flint.fmpq(0)
            for name in TABLES:
                column, curve = getattr(self.tables.circuit, name)[:, i].tolist(), self.curves[name][:, i].tolist()
                apart = [_fraction(x) - r * w for x, w in zip(column, curve, strict=True)]
                least += max(flint.fmpq(0), -min(apart))
                most += max(flint.fmpq(0), max(apart))
            if r * group.level < max(least, most):
                raise CertificateError(
                    f"prover.groups[{plan.group[i]}].level does not settle the far gates of the bounded neuron {i}"
                )


def _fraction(value: float) -> Any:
    return flint.fmpq(*value.as_integer_ratio())
