r"""The stored tables, exactly, and how far the network's margins may lie from those of its stored tables.

The inequality is about the float64 tables that a circuit holds: numbers that balls hold without a radius. The network
itself may be another: the exact products of its weights, or anything within the circuit's radius. With ``e`` the
largest distance of an entry (of the neuron's column of A and B, of its row of U), a hidden value ``h`` moves by
``e^A_i + e^B_i`` at most, and two logits by

    Σ_i (e^A_i + e^B_i)(max_c U[i,c] − min_c U[i,c]) + 2 Σ_i (max_a |A[a,i]| + max_b |B[b,i]| + e^A_i + e^B_i) e^U_i
    + 2 e^Sa + 2 e^Sb
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np

from quadlens.arrays import FloatArray
from quadlens.checker.balls import largest, total
from quadlens.checker.tables import BallNetwork
from quadlens.circuits.circuit import TABLES, Circuit


@dataclass(frozen=True, kw_only=True)
class StoredTables:
    """The tables that a network's circuit holds; ``network`` has those that it stands for."""

    network: BallNetwork

    @property
    def circuit(self) -> Circuit:
        """The circuit."""
        return self.network.circuit

    @cached_property
    def balls(self) -> dict[str, Any]:
        """The stored tables as matrices of balls of radius 0."""
        return {name: ball_matrix(getattr(self.circuit, name)) for name in TABLES}

    @cached_property
    def rows(self) -> dict[str, list[list[Any]]]:
        """The same as lists of rows."""
        return {name: table.tolist() for name, table in self.balls.items()}

    @cached_property
    def displacement(self) -> Any:
        """What a margin of the network may lie below that of the stored tables."""
        away = {name: self._distances(name) for name in TABLES}
        e_A, e_B = ([largest(list(column)) for column in zip(*away[name], strict=True)] for name in ("A", "B"))
        e_U = [largest(row) for row in away["U"]]
        size = {name: np.abs(getattr(self.circuit, name)).max(axis=0).tolist() for name in ("A", "B")}
        moved = []
        for i, row in enumerate(self.rows["U"]):
            hidden = e_A[i] + e_B[i]
            outer = flint.arb(size["A"][i]) + size["B"][i] + hidden
            moved.append(hidden * (largest(row) + largest([-x for x in row])) + 2 * outer * e_U[i])
        skip = [largest([x for row in away[name] for x in row]) for name in ("S_a", "S_b")]
        return total(moved) + 2 * skip[0] + 2 * skip[1]

    def _distances(self, name: str) -> list[list[Any]]:
        # where the tables are known within a radius the network's balls are those of the middle
        radius = flint.arb(0 if self.network.fractions is not None else self.circuit.radius[name])
        apart = self.network.balls[name] - self.balls[name]
        return [[x.abs_upper() + radius for x in row] for row in apart.tolist()]


def ball_matrix(values: FloatArray) -> Any:
    """Return the float64 table as a matrix of balls of radius 0."""
    return flint.arb_mat(values.shape[0], values.shape[1], [flint.arb(x) for x in values.ravel().tolist()])
