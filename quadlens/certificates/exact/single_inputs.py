r"""Single inputs and wrong answers, decided: float64 with a proved error, integers where that does not decide."""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blocks import blocks_of
from quadlens.certificates.exact.exact_tables import ExactTables, exact_tables
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import SMALLEST, gamma, sum_up

BLOCK = 2**15
"""Float64 numbers of hidden layers evaluated together, at most, unless one has more: they stay in the cache."""

WIDE = 2.0**-20
"""A margin that float64 leaves open by more than this part of it is evaluated in integers, where that can be done."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """Lower and upper bounds of the margins asked for.

    ``upper > 0`` exactly where the margin is positive: a right answer may have the lower bound 0, if its margin is
    below the smallest float64.
    """

    lower: FloatArray
    upper: FloatArray


class SingleInputs:
    r"""Evaluates ``margin(a, b, δ)`` for given triples of one class.

    ``h_i``, ReLU or |x|, is evaluated once for each input; each triple is one column of U more. With ``Y = a + b``,
    ``c = Y + δ``, ``u_i = max_c |U[i,c]|`` and ``s_c = fl(S_a[a,c] + S_b[b,c])`` the margin is off by at most

        2 γ_{n+4} Σ_i h_i u_i + γ_4 (|s_Y| + |s_c|) + (n + 4) η + tables.

    A term ``h_i U[i,c]`` passes the rounding of ``A + B``, of its product, of n − 1 sums, of the skip path's sum and of
    the difference, and the computed ``h_i`` may be a rounding too small; ``s_c`` passes three and may be too small; n
    products of two logits may underflow. ``tables`` is what the tables' radius can do to a margin.
    """

    __slots__ = ("_U_columns", "_U_max", "_act", "_circuit", "_exact", "_known", "_tables", "exactly", "operations")

    def __init__(self, circuit: Circuit, tables: float) -> None:
        self._circuit = circuit
        self._act = activation_named(circuit.activation).apply
        self._tables = tables
        self._U_columns = np.ascontiguousarray(circuit.U.T)
        self._U_max = np.abs(circuit.U).max(axis=1)
        self._exact: ExactTables | None = None
        self._known = circuit.weights is not None or not any(circuit.radius.values())
        self.exactly = 0
        self.operations = circuit.neurons * circuit.p

    def margins(self, d: int, b: IntArray, delta: IntArray) -> Decided:
        """Return the margins of the triples ``(d + b, b, δ)``, given in order of b, shape as ``b``."""
        circuit, p, n = self._circuit, self._circuit.p, self._circuit.neurons
        inputs, which = np.unique(b, return_inverse=True)
        a = (d + inputs) % p
        Y = (a + inputs) % p
        c = (Y[which] + delta) % p
        right, size, wrong = np.empty(inputs.size), np.empty(inputs.size), np.empty(b.size)
        crowded = b.size > inputs.size * p // 2
        for some in blocks_of(inputs.size, inputs.size if crowded else BLOCK // n):
            hidden = self._act(circuit.A[a[some]] + circuit.B[inputs[some]])
            mine = slice(*np.searchsorted(which, (some.start, some.stop)))
            here = which[mine] - some.start
            size[some] = hidden @ self._U_max
            if crowded:
                logits = hidden @ circuit.U
                right[some], wrong[mine] = logits[np.arange(hidden.shape[0]), Y[some]], logits[here, c[mine]]
                continue
            right[some] = np.einsum("xi,xi->x", hidden, self._U_columns[Y[some]])
            # row by row: to gather rows side by side takes longer than to multiply them
            pairs = zip(here.tolist(), c[mine].tolist(), strict=True)
            wrong[mine] = [np.dot(hidden[x], self._U_columns[answer]) for x, answer in pairs]
        self.operations += 2 * n * (p * inputs.size if crowded else inputs.size + b.size)
        skip_right = (circuit.S_a[a, Y] + circuit.S_b[inputs, Y])[which]
        skip_wrong = circuit.S_a[a[which], c] + circuit.S_b[inputs[which], c]
        value = (right[which] + skip_right) - (wrong + skip_wrong)
        pieces = {
            "products": (2 * gamma(n + 4) * size)[which],
            "skip": gamma(4) * (np.abs(skip_right) + np.abs(skip_wrong)),
            "underflow": (n + 4) * SMALLEST,
            "tables": self._tables,
        }
        error = sum_up(pieces, n + 6)
        self.operations += inputs.size * (4 * n + 6) + 8 * b.size
        lower = np.nextafter(value - error, -np.inf)
        upper = np.nextafter(value + error, np.inf)
        undecided = (lower <= 0) & (upper >= 0)
        if self._known:
            # where weights cancel, float64 leaves more of a margin open than anyone would call rounding
            undecided |= error > WIDE * np.abs(value)
        for index in np.flatnonzero(undecided):
            lower[index], upper[index] = self._exact_margin(int(a[which[index]]), int(b[index]), int(c[index]))
        return Decided(lower=lower, upper=upper)

    def _exact_margin(self, a: int, b: int, c: int) -> tuple[float, float]:
        """Return the margin rounded down and up: a positive one below 2^-1074 lies between 0 and 2^-1074."""
        if self._exact is None:
            self._exact = exact_tables(self._circuit)
        self.exactly += 1
        self.operations += 4 * self._circuit.neurons
        margin = self._exact.margin(a, b, c)
        return self._exact.rounded_down(margin), 0.0 - self._exact.rounded_down(-margin)
