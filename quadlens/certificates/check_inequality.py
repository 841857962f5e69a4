r"""The checker's own evaluation of inequalities (L) and (G) of docs/certificates.md, densely and in balls."""

from collections.abc import Callable
from typing import Any

import flint
import numpy as np

from quadlens.certificates.certificate import Certificate
from quadlens.certificates.check_gates import (
    BELOW_ZERO,
    Balls,
    ClassSums,
    GateSums,
    largest,
    modulus,
    roots_of_unity,
    spread,
)
from quadlens.certificates.check_plan import CheckedPlan, read_plan
from quadlens.certificates.check_tables import BallNetwork
from quadlens.errors import CertificateError
from quadlens.memory import require_memory

BALL_BYTES = 128
"""Of one ball of 128 bits and the Python object that holds it, about."""


def provable_classes(
    certificate: Certificate, network: BallNetwork, progress: Callable[[float], None] | None
) -> list[tuple[Any, int]]:
    """Return for every class a lower bound of its margin and the inputs it certifies, from the certificate's
    parameters.

    Raises
    ------
    CertificateError
        If the activation is neither ReLU nor |x|, or the parameters do not fit the network.
    OptionError
        If this machine's memory cannot hold what a certificate of this size needs.
    """
    if network.circuit.activation not in BELOW_ZERO:
        raise CertificateError(f"the inequality is about ReLU and |x|; the network has {network.circuit.activation}")
    p = network.p
    plan = read_plan(certificate.prover, p, network.circuit.neurons)
    require_memory(BALL_BYTES * _balls_held(plan, p), f"checking this certificate with p = {p}")
    cost = _radius_cost(network)
    gates = GateSums(network=network, plan=plan)
    remainder, turns = Remainder(gates), Turns(gates)
    out = []
    for d in range(p):
        sums = gates.of_class(d)
        whole = smallest(class_margins(gates, remainder, turns, sums, d)) - cost
        if certificate.method == "linear":
            out.append((whole, p if whole > 0 else 0))
        else:
            each = [whole.max(margin - cost) for margin in input_margins(gates, remainder, turns, sums, d)]
            out.append((smallest(each), sum(1 for margin in each if margin > 0)))
        if progress is not None:
            progress((d + 1) / p)
    return out


def _balls_held(plan: CheckedPlan, p: int) -> int:
    """Return about how many balls are held at once: D, a group's spectra, and what every level leaves of the tables."""
    levels = max((len(bucket.levels) for bucket in plan.buckets), default=0) + 1
    return p * p + p * (plan.cells // 2 + 1) + 4 * p * plan.cell.size * levels


def _radius_cost(network: BallNetwork) -> Any:
    """Return what the tables' radius can do to a margin.

    A hidden value moves by ``r_A + r_B`` from at most ``Y_i = max_a |A[a,i]| + max_b |B[b,i]|``; so two logits move by
    ``2 (r_A + r_B) Σ_i max_c |U[i,c]| + 2 r_U Σ_i (Y_i + r_A + r_B) + 2 (r_Sa + r_Sb)``.
    """
    circuit = network.circuit
    if network.fractions is not None:
        return flint.arb(0)
    r = {name: flint.arb(radius) for name, radius in circuit.radius.items()}
    tables = (circuit.A.T, circuit.B.T, circuit.U)
    Y_A, Y_B, U = (sum(map(flint.arb, np.abs(table).max(axis=1).tolist()), flint.arb(0)) for table in tables)
    hidden = r["A"] + r["B"]
    outer = r["U"] * (Y_A + Y_B + circuit.neurons * hidden)
    return 2 * (hidden * U + outer + r["S_a"] + r["S_b"])


class Remainder:
    """``D(d, δ)``, ``tail(d)``, ``res(a, b)`` and ``skip(a, b)``."""

    def __init__(self, gates: GateSums) -> None:
        network, plan = gates.network, gates.plan
        p = network.p
        rest = gates.remainder(network.balls["U"], gates.output)
        oscillation = [spread(row) for row in rest]
        self.residual = {name: _residuals(gates, name, oscillation) for name in ("A", "B")}
        self.norm = [_root(sum((row[c] * row[c] for row in rest), flint.arb(0))) for c in range(p)]
        self.largest_norm = largest(self.norm)
        self.skip = {
            name: [(largest(row), row) for row in gates.remainder(network.balls[name], coefficients)]
            for name, coefficients in zip(("S_a", "S_b"), gates.skip, strict=True)
        }
        self.D: Balls = [[flint.arb(0)] * p for _ in range(p)]
        self.tail = [flint.arb(0)] * p
        M, G = plan.harmonics, plan.cells
        roots, below = roots_of_unity(G), BELOW_ZERO[network.circuit.activation]
        for gamma, group in enumerate(plan.groups):
            members = np.flatnonzero(plan.group == gamma).tolist()
            if not members:
                continue
            spectra = _spectra(group.A, group.B, plan.grid * group.frequency, p, plan.scale, below)
            weights = [flint.arb(plan.amplitude[i]) for i in members]
            table = flint.arb_mat([rest[i] for i in members])
            angles = [int(plan.cell[i]) for i in members]
            sums = _sums(table, weights, angles, M, roots)
            changes = flint.arb_mat([_changes(*sum_m) for sum_m in sums])
            # harmonics m and G − m have the same modulus; both count, but 0 and G/2 are one each
            heads = [[spectrum[m] * (1 if m == 0 else 2) for m in range(M + 1)] for spectrum in spectra]
            product = (flint.arb_mat(heads) * changes).tolist()
            by_cell = _largest_cell_norm(table, weights, angles)
            for d in range(p):
                self.D[d] = [x + y for x, y in zip(self.D[d], product[d], strict=True)]
                beyond = [(m, x) for m, x in enumerate(spectra[d]) if m > M]
                square = sum((x * x * (1 if 2 * m == G else 2) for m, x in beyond), flint.arb(0))
                self.tail[d] += 2 * _root(G * square) * by_cell

    def per_input(self, a: int, b: int) -> Any:
        """Return ``res(a, b) + skip(a, b)``."""
        p = len(self.tail)
        y = (a + b) % p
        top_a, row_a = self.skip["S_a"][a]
        top_b, row_b = self.skip["S_b"][b]
        (sum_a, norm_a), (sum_b, norm_b) = self.residual["A"][a], self.residual["B"][b]
        res = (sum_a + sum_b).min((norm_a + norm_b) * (self.norm[y] + self.largest_norm))
        return res + top_a - row_a[y] + top_b - row_b[y]


def _residuals(gates: GateSums, name: str, oscillation: list[Any]) -> list[tuple[Any, Any]]:
    """Return ``Σ_i |ε_i(a)| osc_i`` and the norm of ``ε(a)`` for every input of a table."""
    plan, p = gates.plan, gates.network.p
    values = np.zeros((p, plan.cell.size), dtype=np.int64)
    for gamma, group in enumerate(plan.groups):
        members = np.flatnonzero(plan.group == gamma)
        shift = plan.grid * (group.frequency * np.arange(p) % p)
        values[:, members] = getattr(group, name)[(plan.cell[members] + shift[:, None]) % plan.cells]
    factor = [flint.arb(r) / plan.scale for r in plan.amplitude]
    out = []
    for row, curve in zip(gates.network.rows[name], values.tolist(), strict=True):
        apart = [x - r * w for x, r, w in zip(row, factor, curve, strict=True)]
        total = sum((abs(x) * o for x, o in zip(apart, oscillation, strict=True)), flint.arb(0))
        out.append((total, _root(sum((x * x for x in apart), flint.arb(0)))))
    return out


def _spectra(A: Any, B: Any, step: int, p: int, scale: int, below: int) -> Balls:
    """Return ``|P̂_d[m]|`` for every class d and ``m = 0 … ⌊G/2⌋``, by a Fourier transform in balls."""
    G = A.size
    out = []
    for d in range(p):
        curve = np.roll(A, -(step * d) % G) + B
        transform = flint.acb.dft(np.where(curve > 0, curve, below * curve).tolist())
        out.append([abs(x) / (scale * G) for x in transform[: G // 2 + 1]])
    return out


def _sums(
    table: Any, weights: list[Any], angles: list[int], most: int, roots: Any
) -> list[tuple[list[Any], list[Any]]]:
    """Return the real and imaginary parts of ``Q_m(c)`` for every c, by harmonic ``m = 0 … most``."""
    G = len(roots.cos)
    pairs = list(zip(weights, angles, strict=True))
    parts = [
        (flint.arb_mat([[w * values[m * c % G] for w, c in pairs] for m in range(most + 1)]) * table).tolist()
        for values in (roots.cos, roots.sin)
    ]
    return list(zip(*parts, strict=True))


def _changes(x: list[Any], y: list[Any]) -> list[Any]:
    """Return ``O_m(δ) = max_y |Q_m(y) − Q_m(y+δ)|`` for every δ, from the parts of ``Q_m``."""
    p = len(x)
    half = [
        largest([modulus(x[c] - x[(c + δ) % p], y[c] - y[(c + δ) % p]) for c in range(p)]) for δ in range(p // 2 + 1)
    ]
    return [half[min(δ, p - δ)] for δ in range(p)]  # the pairs of −δ are those of δ


def _largest_cell_norm(table: Any, weights: list[Any], angles: list[int]) -> Any:
    """Return the largest over c of ``(Σ_s q_s(c)²)^½``, ``q_s(c)`` the sum of ``r_i dU_i(c)`` over the cell s."""
    p = table.ncols()
    cells: dict[int, list[Any]] = {}
    for w, cell, row in zip(weights, angles, table.tolist(), strict=True):
        held = cells.setdefault(cell, [flint.arb(0)] * p)
        cells[cell] = [x + w * y for x, y in zip(held, row, strict=True)]
    return largest([_root(sum((row[c] * row[c] for row in cells.values()), flint.arb(0))) for c in range(p)])


class Turns:
    """What ``1 − e^{iωzδ}`` does to a retained sum, by z and ``δ = 1 … p−1``, computed once for all classes.

    ``effect`` takes ``[Re X_z | Im X_z]`` to ``Re Σ_z X_z (1 − e^{iωzδ})``; ``chords`` holds ``|1 − e^{iωzδ}|`` and
    ``norm`` its root of
    the sum of squares over z; ``gates`` takes ``R_β`` to what it costs in (G).
    """

    def __init__(self, gates: GateSums) -> None:
        p, plan, roots = gates.network.p, gates.plan, gates.roots
        δs = range(1, p)
        cos = [[1 - roots.cos[z * δ % p] for δ in δs] for z in plan.retained]
        sin = [[roots.sin[z * δ % p] for δ in δs] for z in plan.retained]
        chords = [[2 * abs(flint.arb.sin_pi_fmpq(flint.fmpq(z * δ, p))) for δ in δs] for z in plan.retained]
        self.effect = flint.arb_mat(cos + sin)
        self.chords = flint.arb_mat(chords)
        self.norm = [_root(sum((row[i] ** 2 for row in chords), flint.arb(0))) for i in range(p - 1)]
        self.gates = [
            [2 * flint.arb(bucket.cross) + (0 if own is None else chords[own][i]) for i in range(p - 1)]
            for bucket, own in zip(plan.buckets, gates.own, strict=True)
        ]


def class_margins(gates: GateSums, remainder: Remainder, turns: Turns, sums: ClassSums, d: int) -> list[Any]:
    """Return inequality (L) for every cluster of class d and δ."""
    p, plan = gates.network.p, gates.plan
    F = range(len(plan.retained))
    own, cross = gates.own, [flint.arb(bucket.cross) for bucket in plan.buckets]
    out = []
    for name in sorted(set(plan.clusters[d])):
        members = [b for b in range(p) if plan.clusters[d][b] == name]
        centre_re = [_mean([sums.re[b][z] for b in members]) for z in F]
        centre_im = [_mean([sums.im[b][z] for b in members]) for z in F]
        error: list[list[Any]] = []
        rest = []
        for b in members:
            R = sums.R[b]
            error.append(
                [
                    modulus(sums.re[b][z] - centre_re[z], sums.im[b][z] - centre_im[z])
                    + sum((R[beta] for beta, position in enumerate(own) if position == z), flint.arb(0))
                    for z in F
                ]
            )
            crossed = sum((2 * v * x for v, x in zip(cross, R, strict=True)), flint.arb(0))
            rest.append(crossed + remainder.per_input((d + b) % p, b))
        N = _root(largest([sum((x * x for x in row), flint.arb(0)) for row in error]))
        fixed = largest(rest) + remainder.tail[d]
        ideal = (flint.arb_mat([centre_re + centre_im]) * turns.effect).entries()
        each = (flint.arb_mat([[largest([row[z] for row in error]) for z in F]]) * turns.chords).entries()
        for x, y, norm, D in zip(ideal, each, turns.norm, remainder.D[d][1:], strict=True):
            out.append(x - y.min(N * norm) - fixed - D)
    return out


def _mean(balls: list[Any]) -> Any:
    return sum(balls, flint.arb(0)) / len(balls)


def _root(square: Any) -> Any:
    """Return an upper bound of the root of a sum of squares, whose ball may reach below zero."""
    return square.abs_upper().sqrt()


def input_margins(gates: GateSums, remainder: Remainder, turns: Turns, sums: ClassSums, d: int) -> list[Any]:
    """Return inequality (G) for every input ``(d + b, b)``, the least over δ."""
    p = gates.network.p
    retained = flint.arb_mat([[*re, *im] for re, im in zip(sums.re, sums.im, strict=True)]) * turns.effect
    out = []
    for b, row in enumerate(retained.tolist()):
        fixed = remainder.per_input((d + b) % p, b) + remainder.tail[d]
        for R, costs in zip(sums.R[b], turns.gates, strict=True):
            row = [x - R * cost for x, cost in zip(row, costs, strict=True)]
        out.append(smallest([x - fixed - D for x, D in zip(row, remainder.D[d][1:], strict=True)]))
    return out


def smallest(balls: list[Any]) -> Any:
    """Return a ball of the minimum."""
    return -largest([-ball for ball in balls])
