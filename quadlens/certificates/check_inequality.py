r"""The checker's own evaluation of inequalities (L) and (G) of docs/certificates.md, densely and in balls."""

from collections.abc import Callable
from typing import Any

import flint
import numpy as np

from quadlens.certificates.certificate import Certificate
from quadlens.certificates.check_gates import Balls, ClassSums, GateSums, largest, modulus, roots_of_unity, spread
from quadlens.certificates.check_plan import read_plan
from quadlens.certificates.check_tables import BallNetwork
from quadlens.errors import CertificateError


def provable_classes(
    certificate: Certificate, network: BallNetwork, progress: Callable[[float], None] | None
) -> list[tuple[Any, int]]:
    """Return for every class a lower bound of its margin and the inputs it certifies, from the certificate's
    parameters.

    Raises
    ------
    CertificateError
        If the activation is not ReLU, or the parameters do not fit the network.
    """
    if network.circuit.activation != "relu":
        raise CertificateError(f"the inequality is about ReLU; the network has {network.circuit.activation}")
    p = network.p
    gates = GateSums(network=network, plan=read_plan(certificate.prover, p, network.circuit.neurons))
    remainder = Remainder(gates)
    out = []
    for d in range(p):
        sums = gates.of_class(d)
        margins = class_margins(gates, remainder, sums, d)
        if certificate.method == "linear":
            least = smallest(margins)
            out.append((least, p if least > 0 else 0))
        else:
            whole = smallest(margins)
            each = [whole.max(margin) for margin in input_margins(gates, remainder, sums, d)]
            out.append((smallest(each), sum(1 for margin in each if margin > 0)))
        if progress is not None:
            progress((d + 1) / p)
    return out


class Remainder:
    """``D(d, δ)``, ``tail(d)``, ``res(a, b)`` and ``skip(a, b)``."""

    def __init__(self, gates: GateSums) -> None:
        network, plan = gates.network, gates.plan
        p = network.p
        rest = gates.remainder(network.balls["U"])
        oscillation = [spread(row) for row in rest]
        self.residual = {name: _residuals(gates, name, oscillation) for name in ("A", "B")}
        self.skip = {
            name: [(largest(row), row) for row in gates.remainder(network.balls[name])] for name in ("S_a", "S_b")
        }
        self.D: Balls = [[flint.arb(0)] * p for _ in range(p)]
        self.tail = [flint.arb(0)] * p
        M, G = plan.harmonics, plan.cells
        roots = roots_of_unity(G)
        for gamma, group in enumerate(plan.groups):
            members = np.flatnonzero(plan.group == gamma).tolist()
            if not members:
                continue
            spectra = _spectra(group.A, group.B, plan.grid * group.frequency, p, plan.scale, roots)
            weights = [flint.arb(plan.amplitude[i]) for i in members]
            total = sum((w * oscillation[i] for w, i in zip(weights, members, strict=True)), flint.arb(0))
            table = flint.arb_mat([rest[i] for i in members])
            angles = [int(plan.cell[i]) for i in members]
            changes = flint.arb_mat(_changes(table, weights, angles, M, roots))
            # harmonics m and G − m have the same modulus; both count, but 0 and G/2 are one each
            heads = [[spectrum[m] * (1 if m == 0 else 2) for m in range(M + 1)] for spectrum in spectra]
            product = (flint.arb_mat(heads) * changes).tolist()
            for d in range(p):
                self.D[d] = [x + y for x, y in zip(self.D[d], product[d], strict=True)]
                beyond = sum((x * (1 if 2 * m == G else 2) for m, x in enumerate(spectra[d]) if m > M), flint.arb(0))
                self.tail[d] += beyond * total

    def per_input(self, a: int, b: int) -> Any:
        """Return ``res(a, b) + skip(a, b)``."""
        p = len(self.tail)
        y = (a + b) % p
        top_a, row_a = self.skip["S_a"][a]
        top_b, row_b = self.skip["S_b"][b]
        return self.residual["A"][a] + self.residual["B"][b] + top_a - row_a[y] + top_b - row_b[y]


def _residuals(gates: GateSums, name: str, oscillation: list[Any]) -> list[Any]:
    """Return ``Σ_i |ε_i(a)| osc_i`` for every input of a table."""
    plan, p = gates.plan, gates.network.p
    values = np.zeros((p, plan.cell.size), dtype=np.int64)
    for gamma, group in enumerate(plan.groups):
        members = np.flatnonzero(plan.group == gamma)
        shift = plan.grid * (group.frequency * np.arange(p) % p)
        values[:, members] = getattr(group, name)[(plan.cell[members] + shift[:, None]) % plan.cells]
    factor = [flint.arb(r) / plan.scale for r in plan.amplitude]
    out = []
    for row, curve in zip(gates.network.rows[name], values.tolist(), strict=True):
        terms = (abs(x - r * w) * o for x, r, w, o in zip(row, factor, curve, oscillation, strict=True))
        out.append(sum(terms, flint.arb(0)))
    return out


def _spectra(A: Any, B: Any, step: int, p: int, scale: int, roots: Any) -> Balls:
    """Return ``|P̂_d[m]|`` for every class d and ``m = 0 … ⌊G/2⌋``."""
    G = A.size
    columns = [np.maximum(np.roll(A, -(step * d) % G) + B, 0).tolist() for d in range(p)]
    P = flint.arb_mat(flint.fmpz_mat(columns).transpose()) * (flint.arb(1) / (scale * G))
    half = range(G // 2 + 1)
    re = flint.arb_mat([[roots.cos[m * s % G] for s in range(G)] for m in half]) * P
    im = flint.arb_mat([[roots.sin[m * s % G] for s in range(G)] for m in half]) * P
    rows = [
        [modulus(x, y) for x, y in zip(row_re, row_im, strict=True)]
        for row_re, row_im in zip(re.tolist(), im.tolist(), strict=True)
    ]
    return [[rows[m][d] for m in half] for d in range(p)]


def _changes(table: Any, weights: list[Any], angles: list[int], M: int, roots: Any) -> Balls:
    """Return ``O_m(δ) = max_y |Q_m(y) − Q_m(y+δ)|``, by harmonic and δ."""
    p, G = table.ncols(), len(roots.cos)
    pairs = list(zip(weights, angles, strict=True))
    re = (flint.arb_mat([[w * roots.cos[m * c % G] for w, c in pairs] for m in range(M + 1)]) * table).tolist()
    im = (flint.arb_mat([[w * roots.sin[m * c % G] for w, c in pairs] for m in range(M + 1)]) * table).tolist()
    out = []
    for x, y in zip(re, im, strict=True):
        half = [
            largest([modulus(x[c] - x[(c + δ) % p], y[c] - y[(c + δ) % p]) for c in range(p)])
            for δ in range(p // 2 + 1)
        ]
        out.append([half[min(δ, p - δ)] for δ in range(p)])  # the pairs of −δ are those of δ
    return out


def _chords(gates: GateSums, δ: int) -> list[Any]:
    """Return ``|1 − e^{iωzδ}| = 2 |sin(πzδ/p)|`` of the retained frequencies."""
    p = gates.network.p
    return [2 * abs(flint.arb.sin_pi_fmpq(flint.fmpq(z * δ, p))) for z in gates.plan.retained]


def class_margins(gates: GateSums, remainder: Remainder, sums: ClassSums, d: int) -> list[Any]:
    """Return inequality (L) for every cluster of class d and δ."""
    p, plan = gates.network.p, gates.plan
    F = range(len(plan.retained))
    own, cross = gates.own, [flint.arb(bucket.cross) for bucket in plan.buckets]
    out = []
    for name in sorted(set(plan.clusters[d])):
        members = [b for b in range(p) if plan.clusters[d][b] == name]
        centre = [(sum((x[b][z] for b in members), flint.arb(0)) / len(members) for x in (sums.re, sums.im)) for z in F]
        centres = [tuple(parts) for parts in centre]
        error: list[list[Any]] = []
        rest = []
        for b in members:
            R = sums.R[b]
            error.append(
                [
                    modulus(sums.re[b][z] - centres[z][0], sums.im[b][z] - centres[z][1])
                    + sum((R[beta] for beta, position in enumerate(own) if position == z), flint.arb(0))
                    for z in F
                ]
            )
            crossed = sum((2 * v * x for v, x in zip(cross, R, strict=True)), flint.arb(0))
            rest.append(crossed + remainder.per_input((d + b) % p, b))
        E = [largest([row[z] for row in error]) for z in F]
        N = _root(largest([sum((x * x for x in row), flint.arb(0)) for row in error]))
        T = largest(rest)
        for δ in range(1, p):
            chords = _chords(gates, δ)
            ideal, each, square = flint.arb(0), flint.arb(0), flint.arb(0)
            for z in F:
                k = plan.retained[z] * δ % p
                ideal += centres[z][0] * (1 - gates.roots.cos[k]) + centres[z][1] * gates.roots.sin[k]
                each += E[z] * chords[z]
                square += chords[z] ** 2
            cost = each.min(N * _root(square))
            out.append(ideal - cost - T - remainder.D[d][δ] - remainder.tail[d])
    return out


def _root(square: Any) -> Any:
    """Return an upper bound of the root of a sum of squares, whose ball may reach below zero."""
    return square.abs_upper().sqrt()


def input_margins(gates: GateSums, remainder: Remainder, sums: ClassSums, d: int) -> list[Any]:
    """Return inequality (G) for every input ``(d + b, b)``, the least over δ."""
    p, plan = gates.network.p, gates.plan
    # [Re X | Im X | R] times this matrix is the retained part less what the gates cost, by δ
    columns: Balls = [[] for _ in range(2 * len(plan.retained) + len(plan.buckets))]
    for δ in range(1, p):
        chords = _chords(gates, δ)
        entries = [1 - gates.roots.cos[z * δ % p] for z in plan.retained]
        entries += [gates.roots.sin[z * δ % p] for z in plan.retained]
        for bucket, own in zip(plan.buckets, gates.own, strict=True):
            entries.append(-2 * flint.arb(bucket.cross) - (0 if own is None else chords[own]))
        for column, entry in zip(columns, entries, strict=True):
            column.append(entry)
    rows = [[*re, *im, *R] for re, im, R in zip(sums.re, sums.im, sums.R, strict=True)]
    values = (flint.arb_mat(rows) * flint.arb_mat(columns)).tolist()
    out = []
    for b, row in enumerate(values):
        fixed = remainder.per_input((d + b) % p, b) + remainder.tail[d]
        out.append(smallest([x - fixed - D for x, D in zip(row, remainder.D[d][1:], strict=True)]))
    return out


def smallest(balls: list[Any]) -> Any:
    """Return a ball of the minimum."""
    return -largest([-ball for ball in balls])
