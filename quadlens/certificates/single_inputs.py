r"""Single inputs and wrong answers, decided: float64 with a proved error, integers where that does not decide."""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.exact_tables import ExactTables, exact_tables
from quadlens.certificates.operations import OperationCounter
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import gamma, up

BLOCK = 2**21
"""Float64 numbers that one block of gathered columns of U holds at most (16 MiB)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """Lower and upper bounds of the margins asked for: of one sign each, where the margin is not exactly zero."""

    lower: FloatArray
    upper: FloatArray


class SingleInputs:
    """Evaluates ``margin(a, b, δ)`` for given triples of one class.

    ``hidden`` is ``h_i``, ReLU or |x|, evaluated once for each input; each triple is one column of U more. Rounding: h
    is off by a relative ``u``, a sum of n products by ``γ_{n+4}`` of ``Σ h_i max_c |U[i,c]|``, which is computed too;
    then the skip path's two terms.
    """

    __slots__ = ("_U_columns", "_U_max", "_act", "_circuit", "_count", "_exact", "_skip", "_tables", "exactly")

    def __init__(self, circuit: Circuit, tables: float, count: OperationCounter) -> None:
        self._circuit = circuit
        self._act = activation_named(circuit.activation).apply
        self._tables = tables
        self._count = count
        self._U_columns = np.ascontiguousarray(circuit.U.T)
        self._U_max = np.abs(circuit.U).max(axis=1)
        self._skip = np.abs(circuit.S_a).max(axis=1), np.abs(circuit.S_b).max(axis=1)
        self._exact: ExactTables | None = None
        self.exactly = 0
        count.add(circuit.neurons, circuit.p)

    def margins(self, d: int, b: IntArray, delta: IntArray) -> Decided:
        """Return the margins of the triples ``(d + b, b, δ)``, given in order of b, shape as ``b``."""
        circuit, p, n = self._circuit, self._circuit.p, self._circuit.neurons
        inputs, which = np.unique(b, return_inverse=True)
        a = (d + inputs) % p
        Y = (a + inputs) % p
        hidden = self._act(circuit.A[a] + circuit.B[inputs])
        c = (Y[which] + delta) % p
        if b.size > inputs.size * p // 2:
            logits = hidden @ circuit.U
            right, wrong = logits[np.arange(inputs.size), Y], logits[which, c]
            self._count.add(2 * n, p, inputs.size)
        else:
            right = np.einsum("xi,xi->x", hidden, self._U_columns[Y])
            wrong = np.empty(b.size)
            step = max(1, BLOCK // n)
            for start in range(0, b.size, step):
                part = slice(start, start + step)
                wrong[part] = np.einsum("xi,xi->x", hidden[which[part]], self._U_columns[c[part]])
            self._count.add(2 * n, inputs.size + b.size)
        right = right + (circuit.S_a[a, Y] + circuit.S_b[inputs, Y])
        wrong = wrong + (circuit.S_a[a[which], c] + circuit.S_b[inputs[which], c])
        size = hidden @ self._U_max + self._skip[0][a] + self._skip[1][inputs]
        self._count.add(inputs.size, 4 * n + 6)
        self._count.add(b.size, 8)
        # right and wrong each, and the size itself; the last subtraction is one more rounding
        error = np.asarray(up(2 * gamma(n + 12) * size, n + 20) + self._tables)[which]
        value = right[which] - wrong
        lower = np.nextafter(value - error, -np.inf)
        upper = np.nextafter(value + error, np.inf)
        for index in np.flatnonzero((lower <= 0) & (upper >= 0)):
            lower[index], upper[index] = self._exact_margin(int(a[which[index]]), int(b[index]), int(c[index]))
        return Decided(lower=lower, upper=upper)

    def _exact_margin(self, a: int, b: int, c: int) -> tuple[float, float]:
        if self._exact is None:
            self._exact = exact_tables(self._circuit)
        self.exactly += 1
        self._count.add(4 * self._circuit.neurons)
        margin = self._exact.margin(a, b, c)
        rounded = self._exact.rounded_down(margin)
        # a positive margin below the smallest float64 stays positive
        lower = rounded if rounded > 0 or margin <= 0 else float(np.nextafter(0.0, 1.0))
        return (lower, lower) if margin <= 0 else (lower, float(np.nextafter(lower, np.inf)))
