r"""The checker's dense gate sums: ``X_z(b)``, ``R_β(b)`` of docs/certificates.md for one class at a time, neuron by
neuron in balls."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np

from quadlens.arrays import IntArray
from quadlens.certificates.check_plan import CheckedPlan
from quadlens.certificates.check_tables import BALL_ACTIVATIONS, BallNetwork

Balls = list[list[Any]]

BELOW_ZERO: dict[str, int] = {"relu": 0, "abs": -1}
"""The slope α below zero of the activations that the gate lemma is about; above it is 1."""


@dataclass(frozen=True, kw_only=True)
class Roots:
    """``cos`` and ``sin`` of ``2πj/order`` in balls."""

    cos: list[Any]
    sin: list[Any]


def roots_of_unity(order: int) -> Roots:
    """Return the table for ``j = 0 … order − 1``."""
    pairs = [flint.arb.sin_cos_pi_fmpq(flint.fmpq(2 * j, order)) for j in range(order)]
    return Roots(cos=[cos for _, cos in pairs], sin=[sin for sin, _ in pairs])


@dataclass(frozen=True, kw_only=True)
class ClassSums:
    """For class d, by ``b``: real and imaginary parts of ``X_z(b)``, and ``R_β``."""

    re: Balls
    im: Balls
    R: Balls


@dataclass(frozen=True, kw_only=True)
class GateSums:
    """Everything about gates and retained frequencies that does not depend on the class."""

    network: BallNetwork
    plan: CheckedPlan

    @cached_property
    def roots(self) -> Roots:
        """Roots of unity of order p."""
        return roots_of_unity(self.network.p)

    def transform(self, table: Any) -> tuple[Balls, Balls]:
        """Return the retained coefficients of each row of a table over residues: real and imaginary parts."""
        p, retained = self.network.p, self.plan.retained
        cos, sin = self.roots.cos, self.roots.sin
        weight = [flint.arb(1 if 2 * z == p else 2) / p for z in retained]
        entries = [[w * cos[z * c % p] for z, w in zip(retained, weight, strict=True)] for c in range(p)]
        entries_im = [[-w * sin[z * c % p] for z, w in zip(retained, weight, strict=True)] for c in range(p)]
        return (table * flint.arb_mat(entries)).tolist(), (table * flint.arb_mat(entries_im)).tolist()

    def wave(self, re: list[Any], im: list[Any], leave_out: int | None = None) -> list[Any]:
        """Return ``Re Σ_z coefficient_z e^{iωzc}`` for every c, without the retained frequency at ``leave_out``."""
        p, cos, sin = self.network.p, self.roots.cos, self.roots.sin
        kept = [(z, x, y) for i, (z, x, y) in enumerate(zip(self.plan.retained, re, im, strict=True)) if i != leave_out]
        return [sum((x * cos[z * c % p] - y * sin[z * c % p] for z, x, y in kept), flint.arb(0)) for c in range(p)]

    def remainder(self, table: Any, coefficients: tuple[Balls, Balls]) -> Balls:
        """Return the table without the waves that have these coefficients."""
        re, im = coefficients
        waves = (self.wave(x, y) for x, y in zip(re, im, strict=True))
        pairs = zip(table.tolist(), waves, strict=True)
        return [[x - w for x, w in zip(row, wave, strict=True)] for row, wave in pairs]

    @cached_property
    def output(self) -> tuple[Balls, Balls]:
        """``û_{i,z}``: 0 where the neuron's bucket does not retain z."""
        parts = self.transform(self.network.balls["U"])
        for i, beta in enumerate(self.plan.bucket.tolist()):
            for position, z in enumerate(self.plan.retained):
                if beta >= 0 and z not in self.plan.buckets[beta].retained:
                    parts[0][i][position] = parts[1][i][position] = flint.arb(0)
        return parts

    @cached_property
    def skip(self) -> tuple[tuple[Balls, Balls], tuple[Balls, Balls]]:
        """``Ŝ^a_z(a)`` and ``Ŝ^b_z(b)``."""
        return self.transform(self.network.balls["S_a"]), self.transform(self.network.balls["S_b"])

    @cached_property
    def own(self) -> list[int | None]:
        """For each bucket the position of its own frequency in ``retained``, None where it has none."""
        retained = self.plan.retained
        return [retained.index(b.frequency) if b.frequency in b.retained else None for b in self.plan.buckets]

    @cached_property
    def columns(self) -> Any:
        """The matrix that takes ``[g y + α (1 − g) y | (1 − α) ρ̄]``, 2n entries, to ``[Re C_z | Im C_z | R_β]``."""
        plan, n, F = self.plan, self.network.circuit.neurons, len(self.plan.retained)
        zero, half = flint.arb(0), flint.arb(1) / 2
        top, bottom = [], []
        for i in range(n):
            re, im = self.output[0][i], self.output[1][i]
            top.append([*re, *im, *([zero] * len(plan.buckets))])
            row = [zero] * (2 * F + len(plan.buckets))
            beta = int(plan.bucket[i])
            if beta >= 0:
                own = self.own[beta]
                own_size = zero
                if own is not None:
                    row[own], row[F + own] = half * re[own], half * im[own]
                    own_size = modulus(re[own], im[own])
                others = self.wave(re, im, leave_out=own)
                row[2 * F + beta] = half * own_size.max(spread(others) / flint.arb(plan.buckets[beta].cross))
            bottom.append(row)
        return flint.arb_mat(top + bottom)

    def waveform_values(self, table: str) -> IntArray:
        """Return ``W[c_i + g·ka]`` of every input and neuron, shape (p, n); 0 for solo neurons."""
        plan, p = self.plan, self.network.p
        values = np.zeros((p, plan.cell.size), dtype=np.int64)
        for beta, bucket in enumerate(plan.buckets):
            members = np.flatnonzero(plan.bucket == beta)
            shift = plan.grid * (bucket.frequency * np.arange(p) % p)
            curve = getattr(bucket, table)
            values[:, members] = curve[(plan.cell[members] + shift[:, None]) % plan.cells]
        return values

    @cached_property
    def values(self) -> dict[str, IntArray]:
        """``W^A`` and ``W^B`` by input and neuron."""
        return {"A": self.waveform_values("A"), "B": self.waveform_values("B")}

    @cached_property
    def excess(self) -> dict[str, list[list[tuple[list[Any], list[Any]]]]]:
        """By table, input, neuron: ``(−δ − ½ l_j r)₊`` and ``(δ − ½ l_j r)₊`` for every level ``j = 0 … J``."""
        plan = self.plan
        thresholds: list[list[Any]] = []
        for i, beta in enumerate(plan.bucket.tolist()):
            levels = (0, *plan.buckets[beta].levels) if beta >= 0 else ()
            r = flint.arb(plan.amplitude[i])
            thresholds.append([r * level / (2 * plan.scale) for level in levels])
        factor = [flint.arb(r) / plan.scale for r in plan.amplitude]
        out = {}
        for name in ("A", "B"):
            rows = []
            for row, values in zip(self.network.rows[name], self.values[name].tolist(), strict=True):
                delta = [x - r * w for x, r, w in zip(row, factor, values, strict=True)]
                rows.append(
                    [
                        ([(-x - t).nonnegative_part() for t in ts], [(x - t).nonnegative_part() for t in ts])
                        for x, ts in zip(delta, thresholds, strict=True)
                    ]
                )
            out[name] = rows
        return out

    def levels(self, H: IntArray) -> IntArray:
        """Return the level of each neuron: ``l_j < H <= l_{j+1}`` where H > 0, ``l_j <= −H < l_{j+1}`` where not."""
        out = np.zeros(H.shape, dtype=np.int64)
        for beta, bucket in enumerate(self.plan.buckets):
            members = np.flatnonzero(self.plan.bucket == beta)
            h, levels = H[members], np.array(bucket.levels, dtype=np.int64)
            above = np.searchsorted(levels, h, side="left")
            below = np.searchsorted(levels, -h, side="right")
            out[members] = np.where(h > 0, above, below)
        return out

    def of_class(self, d: int) -> ClassSums:
        """Return the sums of the inputs ``(d + b, b)``."""
        p, n, F = self.network.p, self.network.circuit.neurons, len(self.plan.retained)
        zero, activation = flint.arb(0), self.network.circuit.activation
        act, below = BALL_ACTIVATIONS[activation], BELOW_ZERO[activation]
        A, B = self.network.rows["A"], self.network.rows["B"]
        excess_A, excess_B = self.excess["A"], self.excess["B"]
        solo = (self.plan.bucket < 0).tolist()
        entries: list[Any] = []
        for b in range(p):
            a = (d + b) % p
            H = self.values["A"][a] + self.values["B"][b]
            gates, levels = (H > 0).tolist(), self.levels(H).tolist()
            entries += [
                act(x + y) if alone else (x + y if gate else below * (x + y))
                for x, y, gate, alone in zip(A[a], B[b], gates, solo, strict=True)
            ]
            entries += [
                zero if alone else (1 - below) * (x[0][j] + y[0][j] if gate else x[1][j] + y[1][j])
                for x, y, gate, j, alone in zip(excess_A[a], excess_B[b], gates, levels, solo, strict=True)
            ]
        sums = (flint.arb_mat(p, 2 * n, entries) * self.columns).tolist()
        re, im, R = [], [], []
        for b, row in enumerate(sums):
            a = (d + b) % p
            y = (a + b) % p
            out_re, out_im = [], []
            for i, z in enumerate(self.plan.retained):
                c_re = row[i] + self.skip[0][0][a][i] + self.skip[1][0][b][i]
                c_im = row[F + i] + self.skip[0][1][a][i] + self.skip[1][1][b][i]
                cos, sin = self.roots.cos[z * y % p], self.roots.sin[z * y % p]
                out_re.append(c_re * cos - c_im * sin)
                out_im.append(c_re * sin + c_im * cos)
            re.append(out_re)
            im.append(out_im)
            R.append(row[2 * F :])
        return ClassSums(re=re, im=im, R=R)


def modulus(re: Any, im: Any) -> Any:
    """Return a ball of ``|re + i im|``, also where it may be zero."""
    return abs(flint.acb(re, im))


def largest(balls: list[Any]) -> Any:
    """Return a ball of the maximum."""
    out = balls[0]
    for ball in balls[1:]:
        out = out.max(ball)
    return out


def spread(balls: list[Any]) -> Any:
    """Return a ball of ``max − min``."""
    return largest(balls) + largest([-ball for ball in balls])
