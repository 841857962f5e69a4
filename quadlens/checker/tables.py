"""The checker's own reading of a network: its tables as fractions, then as balls. Shares no code with the provers."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import flint

from quadlens.circuits.circuit import Circuit
from quadlens.errors import CertificateError

PRECISION = 128

BALL_ACTIVATIONS: dict[str, Any] = {
    "relu": lambda x: x.nonnegative_part(),
    "abs": abs,
    "square": lambda x: x * x,
    "tanh": lambda x: x.tanh(),
    "sin": lambda x: x.sin(),
    "silu": lambda x: x / (1 + (-x).exp()),
    "gelu": lambda x: x * (1 + (x / flint.arb(2).sqrt()).erf()) / 2,
    "gelu_tanh": lambda x: x * (1 + ((2 / flint.arb.pi()).sqrt() * (x + flint.arb("0.044715") * x**3)).tanh()) / 2,
}
RATIONAL_ACTIVATIONS: dict[str, Any] = {"relu": lambda x: max(x, Fraction(0)), "abs": abs, "square": lambda x: x * x}


@dataclass(frozen=True, kw_only=True)
class BallNetwork:
    """A network's tables in balls (``arb_mat``), and in fractions where they are known exactly.

    Where they are known within a radius the balls are those of the middle. What the radius can do is a sum of its own:
    a ball's radius has 30 bits, too few to prove again what a prover proves in float64.
    """

    circuit: Circuit
    balls: dict[str, Any]
    fractions: dict[str, Any] | None

    @property
    def p(self) -> int:
        """Number of residues."""
        return self.circuit.p

    @cached_property
    def rows(self) -> dict[str, list[list[Any]]]:
        """The tables as rows of balls."""
        return {name: table.tolist() for name, table in self.balls.items()}

    @cached_property
    def can_decide(self) -> bool:
        """Whether a sign that balls leave open can be found in fractions."""
        return self.fractions is not None and self.circuit.activation in RATIONAL_ACTIVATIONS

    @cached_property
    def _fraction_rows(self) -> dict[str, list[list[Fraction]]]:
        if self.fractions is None:
            raise CertificateError("the tables are not known exactly")
        return {
            name: [[Fraction(int(x.p), int(x.q)) for x in row] for row in table.tolist()]
            for name, table in self.fractions.items()
        }

    def exact_difference(self, a: int, b: int, c: int) -> Fraction:
        """Return the logit of ``a + b mod p`` minus that of ``c``, as a fraction."""
        act = RATIONAL_ACTIVATIONS[self.circuit.activation]
        rows, y = self._fraction_rows, (a + b) % self.p
        total = rows["S_a"][a][y] - rows["S_a"][a][c] + rows["S_b"][b][y] - rows["S_b"][b][c]
        for x_a, x_b, u in zip(rows["A"][a], rows["B"][b], rows["U"], strict=True):
            total += act(x_a + x_b) * (u[y] - u[c])
        return total


def ball_network(circuit: Circuit) -> BallNetwork:
    """Return the network in balls; call within the working precision.

    Raises
    ------
    CertificateError
        If balls have not its activation.
    """
    if circuit.activation not in BALL_ACTIVATIONS:
        raise CertificateError(f"the checker knows {', '.join(BALL_ACTIVATIONS)}, not {circuit.activation}")
    if circuit.weights is not None:
        fractions = {name: _from_weights(circuit, name) for name in ("A", "B", "U", "S_a", "S_b")}
    elif not any(circuit.radius.values()):
        fractions = {name: _matrix(getattr(circuit, name)) for name in ("A", "B", "U", "S_a", "S_b")}
    else:
        middle = {name: flint.arb_mat(_matrix(getattr(circuit, name))) for name in circuit.radius}
        return BallNetwork(circuit=circuit, balls=middle, fractions=None)
    balls = {name: flint.arb_mat(table) for name, table in fractions.items()}
    return BallNetwork(circuit=circuit, balls=balls, fractions=fractions)


def _matrix(values: Any) -> Any:
    entries = [flint.fmpq(*x.as_integer_ratio()) for x in values.ravel().tolist()]
    return flint.fmpq_mat(values.shape[0], values.shape[1], entries)


def _from_weights(circuit: Circuit, name: str) -> Any:
    weights = circuit.weights
    if weights is None:
        raise CertificateError("the circuit has no stored weights")
    rows, columns = getattr(circuit, name).shape
    total = flint.fmpq_mat(rows, columns)
    for product in weights.tables.get(name, ()):
        value = _matrix(weights.tensors[product.factors[0]])
        for factor in product.factors[1:]:
            value = value * _matrix(weights.tensors[factor])
        value = value * flint.fmpq(product.coefficient.numerator, product.coefficient.denominator)
        if value.nrows() == 1 and rows > 1:
            value = flint.fmpq_mat(rows, columns, value.entries() * rows)
        total += value
    return total
