r"""Inequalities (L) and (G′) of docs/certificates.md in balls, and the class bounds that follow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint

from quadlens.checker.balls import largest, root, smallest, squares, total
from quadlens.checker.gates import SLOPES, ClassSums, Gates
from quadlens.checker.outputs import Outputs
from quadlens.checker.plan import CheckedPlan, read_plan
from quadlens.checker.remainder import Remainder
from quadlens.checker.stored import StoredTables
from quadlens.errors import CertificateError
from quadlens.memory import require_memory

Balls = list[list[Any]]

BALL_BYTES = 128
"""Of one ball of 128 bits and the Python object that holds it, about."""


def class_margins(
    prover: Mapping[str, Any], tables: StoredTables, progress: Callable[[float], None] | None
) -> list[Any]:
    """Return for every class a lower bound of its margin, from the certificate's choices.

    Raises
    ------
    CertificateError
        If the activation has no single kink, or the choices do not fit the network.
    OptionError
        If this machine's memory cannot hold what a certificate of this size needs.
    """
    activation, p = tables.circuit.activation, tables.circuit.p
    if activation not in SLOPES:
        raise CertificateError(f"the inequality is about {', '.join(SLOPES)}; the network has {activation}")
    plan = read_plan(prover, p, tables.circuit.neurons)
    require_memory(BALL_BYTES * _balls_held(plan, p), f"checking this certificate with p = {p}")
    inequality = Inequality(gates=Gates(outputs=Outputs(tables=tables, plan=plan)))
    inequality.gates.require_settled_far()
    out = []
    for d in range(p):
        out.append(smallest(inequality.pair_margins(d)) - tables.displacement)
        if progress is not None:
            progress((d + 1) / p)
    return out


def _balls_held(plan: CheckedPlan, p: int) -> int:
    """Return about how many balls are held at once: of the tables' entries, a class, the spectra and the changes."""
    return 20 * p * plan.cell.size + 4 * p * p + 2 * plan.cells + 4 * len(plan.groups) * (plan.harmonics + 1) * p


@dataclass(frozen=True, kw_only=True)
class Inequality:
    """Both inequalities for one network and one plan."""

    gates: Gates

    @cached_property
    def remainder(self) -> Remainder:
        """The rest of U."""
        return Remainder(gates=self.gates)

    @cached_property
    def chords(self) -> Balls:
        """``|1 − e^{iωzδ}|`` by retained z and ``δ = 0 … p−1``."""
        p = self.gates.outputs.p
        return [
            [2 * abs(flint.arb.sin_pi_fmpq(flint.fmpq(z * delta, p))) for delta in range(p)]
            for z in self.gates.plan.retained
        ]

    @cached_property
    def skip_rest(self) -> tuple[Balls, Balls]:
        """``dS_a`` and ``dS_b``."""
        skip = self.gates.outputs.skip
        return skip["S_a"].rest.tolist(), skip["S_b"].rest.tolist()

    def pair_margins(self, d: int) -> list[Any]:
        """Return the bound of every pair ``(d, δ)``, ``δ = 1 … p−1``: (L), or the larger of (L) and (G′)."""
        sums = self.gates.of_class(d)
        margins = self.L(d, sums)
        for delta, inputs in self.G(d, sums, self.gates.plan.pairs[d]).items():
            margins[delta - 1] = margins[delta - 1].max(smallest(inputs))
        return margins

    def L(self, d: int, sums: ClassSums) -> list[Any]:
        """Return (L) for ``δ = 1 … p−1``."""
        p, F, roots = self.gates.outputs.p, len(self.gates.plan.retained), self.gates.outputs.roots
        X = []
        for b, row in enumerate(sums.C.tolist()):
            turns = [z * (d + 2 * b) % p for z in self.gates.plan.retained]
            X.append([flint.acb(row[f], row[F + f]) * roots.at(t) for f, t in enumerate(turns)])
        Z = [sum((row[f] for row in X), flint.acb(0)) / p for f in range(F)]
        apart = [[abs(x - z) for x, z in zip(row, Z, strict=True)] for row in X]
        E = [largest([row[f] for row in apart]) for f in range(F)]
        N = root(largest([squares(row) for row in apart]))
        T = largest([sums.R[b] + sums.res[b] + self.skip(d, b) for b in range(p)])
        fixed, D = T + self.remainder.tail(d), self.remainder.D(d, -1)
        out = []
        for delta in range(1, p):
            turns = [z * delta % p for z in self.gates.plan.retained]
            ideal = total([(z * (1 - roots.at(t))).real for z, t in zip(Z, turns, strict=True)])
            chords = [chord[delta] for chord in self.chords]
            each = total([e * chord for e, chord in zip(E, chords, strict=True)])
            jointly = N * root(squares(chords))
            out.append(ideal - each.min(jointly) - fixed - D[delta])
        return out

    def skip(self, d: int, b: int) -> Any:
        """Return ``skip(d+b, b)``."""
        p = self.gates.outputs.p
        a, (dS_a, dS_b) = (d + b) % p, self.skip_rest
        y = (a + b) % p
        return largest(dS_a[a]) - dS_a[a][y] + largest(dS_b[b]) - dS_b[b][y]

    def G(self, d: int, sums: ClassSums, deltas: tuple[int, ...]) -> dict[int, list[Any]]:
        """Return (G′) of every b, for each of the δ: differences of logits known up to what is bounded."""
        if not deltas:
            return {}
        p, (dS_a, dS_b) = self.gates.outputs.p, self.skip_rest
        logits = (sums.C * self.gates.outputs.waves + self.remainder.head(d)).tolist()
        D, tail = self.remainder.D(d, self.gates.plan.head), self.remainder.tail(d)
        out: dict[int, list[Any]] = {delta: [] for delta in deltas}
        for b, row in enumerate(logits):
            a = (d + b) % p
            y = (a + b) % p
            known = [x + s + t for x, s, t in zip(row, dS_a[a], dS_b[b], strict=True)]
            lost = tail + sums.res[b] + sums.R[b]
            for delta in deltas:
                out[delta].append(known[y] - known[(y + delta) % p] - D[delta] - lost)
        return out
