r"""The rest of U by harmonics on the cells, in balls: ``P̂, Q, O, D, tail`` of docs/certificates.md."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np

from quadlens.checker.balls import largest, root, roots_of_unity, squares, total
from quadlens.checker.gates import Gates
from quadlens.checker.plan import CheckedGroup

Balls = list[list[Any]]


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Of a group, by class d: ``P̂[m]`` for ``m ≤ M`` as ``acb``, and ``(G Σ |P̂[m]|²)^½`` over the others."""

    harmonics: Balls
    beyond: list[Any]


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What the harmonics of the curves do to the rest of U."""

    gates: Gates

    @cached_property
    def spectra(self) -> list[Spectrum]:
        """A spectrum for each group."""
        return [self._spectrum(group) for group in self.gates.plan.groups]

    def _spectrum(self, group: CheckedGroup) -> Spectrum:
        plan, p, alpha = self.gates.plan, self.gates.outputs.p, self.gates.slope
        G, M = plan.cells, plan.harmonics
        harmonics, beyond = [], []
        for d in range(p):
            curve = np.roll(group.A, -plan.grid * (group.frequency * d % p)) + group.B
            values = [x if x > 0 else alpha * x for x in curve.tolist()]
            transform = [x / (plan.scale * G) for x in flint.acb.dft(values)]
            harmonics.append(transform[: M + 1])
            beyond.append(root(G * squares([part for x in transform[M + 1 : G - M] for part in (x.real, x.imag)])))
        return Spectrum(harmonics=harmonics, beyond=beyond)

    @cached_property
    def Q(self) -> list[tuple[Balls, Balls]]:
        """Real and imaginary parts of ``Q_{γ,m}(c)`` by group, m and c."""
        plan = self.gates.plan
        roots, rest, out = roots_of_unity(plan.cells), self.gates.outputs.U.rest.tolist(), []
        for group in plan.groups:
            if not group.members:
                nothing = [[flint.arb(0)] * self.gates.outputs.p] * (plan.harmonics + 1)
                out.append((nothing, nothing))
                continue
            table = flint.arb_mat([rest[i] for i in group.members])
            neurons = [(flint.arb(plan.amplitude[i]), int(plan.cell[i])) for i in group.members]
            angles = range(plan.harmonics + 1)
            cos = flint.arb_mat([[r * roots.cos[m * c % plan.cells] for r, c in neurons] for m in angles])
            sin = flint.arb_mat([[r * roots.sin[m * c % plan.cells] for r, c in neurons] for m in angles])
            out.append(((cos * table).tolist(), (sin * table).tolist()))
        return out

    @cached_property
    def changes(self) -> list[Balls]:
        """``O_{γ,m}(δ) = max_y |Q_{γ,m}(y) − Q_{γ,m}(y+δ)|`` by group, m and ``δ = 0 … p−1``."""
        out = []
        for re, im in self.Q:
            out.append([_changes(x, y) for x, y in zip(re, im, strict=True)])
        return out

    @cached_property
    def cell_norms(self) -> list[Any]:
        """``max_c ‖q_γ(c)‖`` by group: neurons of a cell are added up before they are squared."""
        plan, p = self.gates.plan, self.gates.outputs.p
        rest, out = self.gates.outputs.U.rest.tolist(), []
        for group in plan.groups:
            cells: dict[int, list[Any]] = {}
            for i in group.members:
                held = cells.setdefault(int(plan.cell[i]), [flint.arb(0)] * p)
                held[:] = [x + flint.arb(plan.amplitude[i]) * y for x, y in zip(held, rest[i], strict=True)]
            out.append(largest([root(squares([row[c] for row in cells.values()])) for c in range(p)]))
        return out

    def tail(self, d: int) -> Any:
        """Return ``tail(d)``."""
        pairs = zip(self.spectra, self.cell_norms, strict=True)
        return 2 * total([spectrum.beyond[d] * norm for spectrum, norm in pairs])

    @cached_property
    def D(self) -> Balls:
        """``D_M`` by class and ``δ = 0 … p−1``."""
        return self._bounded(0)

    @cached_property
    def D_beyond_head(self) -> Balls:
        """``D_{m₀,M}`` by class and δ."""
        return self._bounded(self.gates.plan.head + 1)

    def _bounded(self, first: int) -> Balls:
        """Return ``Σ_γ Σ_{first ≤ m ≤ M} μ_m |P̂_{γ,d}[m]| O_{γ,m}(δ)``."""
        p, harmonics = self.gates.outputs.p, range(first, self.gates.plan.harmonics + 1)
        if not harmonics:
            return [[flint.arb(0)] * p] * p
        sizes = [[_twice(m) * abs(s.harmonics[d][m]) for s in self.spectra for m in harmonics] for d in range(p)]
        changes = [group[m] for group in self.changes for m in harmonics]
        return (flint.arb_mat(sizes) * flint.arb_mat(changes)).tolist()

    def head(self, d: int) -> Any:
        """Return ``Re Σ_γ Σ_{m≤m₀} μ_m P̂_{γ,d}[m] e^{2πi m k b/p} Q_{γ,m}(c)`` as a matrix, b by c."""
        plan, p, roots = self.gates.plan, self.gates.outputs.p, self.gates.outputs.roots
        columns, rows = [], []
        for group, spectrum, (re, im) in zip(plan.groups, self.spectra, self.Q, strict=True):
            for m in range(plan.head + 1):
                turns = [m * group.frequency * b % p for b in range(p)]
                turned = [_twice(m) * spectrum.harmonics[d][m] * roots.at(t) for t in turns]
                columns += [[x.real for x in turned], [-x.imag for x in turned]]
                rows += [re[m], im[m]]
        return flint.arb_mat(columns).transpose() * flint.arb_mat(rows)


def _twice(m: int) -> int:
    """Return ``μ_m``: harmonics m and G − m are each other's conjugates, and 0 is alone."""
    return 1 if m == 0 else 2


def _changes(re: list[Any], im: list[Any]) -> list[Any]:
    p = len(re)
    out = [flint.arb(0)] * p
    for shift in range(1, p // 2 + 1):
        differences = [squares([re[y] - re[y - shift], im[y] - im[y - shift]]) for y in range(p)]
        out[shift] = out[p - shift] = root(largest(differences))
    return out
