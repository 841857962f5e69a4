r"""Tables over the outputs c, split into the waves of retained frequencies and the rest, in balls.

``x̂_z = (ν_z/p) Σ_c x(c) e^{−iωzc}``, ν = 2, but 1 where ``2z = p``; ``XF(c) = Re Σ_z x̂_z e^{iωzc}``; rest ``x − XF``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint

from quadlens.checker.balls import Roots, largest, roots_of_unity
from quadlens.checker.plan import CheckedPlan
from quadlens.checker.stored import StoredTables


@dataclass(frozen=True, kw_only=True)
class Split:
    """``hat`` holds ``[Re x̂_z | Im x̂_z]`` for each row, ``waves`` ``XF``, ``rest`` what is left: matrices of balls."""

    hat: Any
    waves: Any
    rest: Any


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """U, S_a and S_b of the stored tables, split at the plan's retained frequencies."""

    tables: StoredTables
    plan: CheckedPlan

    @property
    def p(self) -> int:
        """Number of residues."""
        return self.tables.circuit.p

    @cached_property
    def roots(self) -> Roots:
        """Roots of unity of order p."""
        return roots_of_unity(self.p)

    @cached_property
    def waves(self) -> Any:
        """The matrix that takes ``[Re x̂_z | Im x̂_z]`` to ``Re Σ_z x̂_z e^{iωzc}``."""
        p, cos, sin = self.p, self.roots.cos, self.roots.sin
        even = [[cos[z * c % p] for c in range(p)] for z in self.plan.retained]
        odd = [[-sin[z * c % p] for c in range(p)] for z in self.plan.retained]
        return flint.arb_mat(even + odd)

    @cached_property
    def _transform(self) -> Any:
        weight = [flint.arb(1 if 2 * z == self.p else 2) / self.p for z in self.plan.retained]
        rows = self.waves.tolist()
        return flint.arb_mat([[x * w for x in row] for row, w in zip(rows, weight * 2, strict=True)]).transpose()

    @cached_property
    def U(self) -> Split:
        """``û_{i,z}``, ``UF_i`` and ``dU_i``: û is 0 where the neuron's group does not retain z."""
        hat = (self.tables.balls["U"] * self._transform).tolist()
        zero, F = flint.arb(0), len(self.plan.retained)
        for i, row in enumerate(hat):
            kept = self.plan.groups[int(self.plan.group[i])].retained
            hat[i] = [x if position % F in kept else zero for position, x in enumerate(row)]
        return self._split("U", flint.arb_mat(hat))

    @cached_property
    def skip(self) -> dict[str, Split]:
        """The same of S_a and S_b, with all retained frequencies."""
        return {name: self._split(name, self.tables.balls[name] * self._transform) for name in ("S_a", "S_b")}

    def _split(self, name: str, hat: Any) -> Split:
        waves = hat * self.waves
        return Split(hat=hat, waves=waves, rest=self.tables.balls[name] - waves)


def spread(balls: list[Any]) -> Any:
    """Return a ball of ``max − min``."""
    return largest(balls) + largest([-ball for ball in balls])
