r"""The tables of the stored weights as integers: nothing is rounded.

A float64 matrix is an integer matrix times a power of two. Products and sums of such matrices stay so, up to the
rational coefficients of the
expressions in ``quadlens.circuits.weights``; so every table is an integer matrix over one positive integer, its
denominator.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul
from typing import Any

import flint
import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.exact.activation_enclosure import ENCLOSED
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.weights import Product, Weights
from quadlens.errors import CertificateError

IntRows = list[list[int]]

EXACT_ACTIVATIONS = {"relu": 1, "abs": 1, "square": 2}
"""Activations that map integers to integers, with the power of the denominator in their value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMatrix:
    """The matrix ``numerators / denominator``; ``numerators`` is an ``fmpz_mat``, ``denominator`` a positive
    integer."""

    numerators: Any
    denominator: int

    def over(self, denominator: int) -> Any:
        """Return the numerators over a multiple of the denominator."""
        return self.numerators * flint.fmpz(denominator // self.denominator)


def exact_matrix(matrix: FloatArray) -> ExactMatrix:
    """Return a finite float64 matrix as integers over a power of two, the smallest that does."""
    mantissas, exponents = np.frexp(matrix)
    integers = (mantissas * 2.0**53).astype(np.int64)
    # drop trailing zeros: stored float32 values then have 24 bits and not 53
    zeros = np.where(integers == 0, 0, np.frexp((integers & -integers).astype(np.float64))[1] - 1)
    integers >>= zeros
    scales = exponents.astype(np.int64) - 53 + zeros
    lowest = min(int(scales[integers != 0].min(initial=0)), 0)
    shifts = np.where(integers == 0, 0, scales - lowest)
    entries = [x << s for x, s in zip(integers.ravel().tolist(), shifts.ravel().tolist(), strict=True)]
    rows, columns = matrix.shape
    return ExactMatrix(numerators=flint.fmpz_mat(rows, columns, entries), denominator=1 << -lowest)


def table_matrices(circuit: Circuit) -> dict[str, ExactMatrix]:
    """Return every table exactly: from the stored weights where the circuit has them, else the float64 tables
    themselves.

    Raises
    ------
    CertificateError
        If the tables are known only within a radius and the weights are not there.
    """
    weights = circuit.weights
    if weights is not None:
        beginnings: dict[tuple[str, ...], ExactMatrix] = {}
        return {
            name: _sum_of_products(weights, weights.tables.get(name, ()), np.shape(getattr(circuit, name)), beginnings)
            for name in TABLES
        }
    inexact = [name for name in TABLES if circuit.radius[name] > 0]
    if inexact:
        raise CertificateError(
            f"exact arithmetic needs exact tables; {', '.join(inexact)} are known within a radius only:"
            " give the circuit its stored weights, or radius={} where these tables are the network"
        )
    return {name: exact_matrix(getattr(circuit, name)) for name in TABLES}


def _sum_of_products(
    weights: Weights,
    products: tuple[Product, ...],
    shape: tuple[int, ...],
    beginnings: dict[tuple[str, ...], ExactMatrix],
) -> ExactMatrix:
    terms = []
    for product in products:
        chain = _chain(weights, product.factors, beginnings)
        scaled = chain.numerators * flint.fmpz(product.coefficient.numerator)
        term = ExactMatrix(numerators=scaled, denominator=chain.denominator * product.coefficient.denominator)
        if scaled.nrows() != shape[0]:  # a bias: the same row for every residue
            row = scaled.entries()
            term = ExactMatrix(
                numerators=flint.fmpz_mat(shape[0], shape[1], list(row) * shape[0]), denominator=term.denominator
            )
        terms.append(term)
    denominator = math.lcm(1, *(term.denominator for term in terms))
    total = flint.fmpz_mat(shape[0], shape[1])
    for term in terms:
        total += term.over(denominator)
    return ExactMatrix(numerators=total, denominator=denominator)


def _chain(
    weights: Weights, factors: tuple[str, ...], beginnings: dict[tuple[str, ...], ExactMatrix]
) -> ExactMatrix:
    if factors not in beginnings:
        last = exact_matrix(weights.tensors[factors[-1]])
        if len(factors) > 1:
            first = _chain(weights, factors[:-1], beginnings)
            last = ExactMatrix(
                numerators=first.numerators * last.numerators, denominator=first.denominator * last.denominator
            )
        beginnings[factors] = last
    return beginnings[factors]


@dataclass(frozen=True, kw_only=True)
class ExactTables:
    """The network in integers: ``denominator · logits[a, b, c] = Σ_i act(A[a][i] + B[b][i]) U[i, c] + S_a[a][c] +
    S_b[b][c]``.

    ``A, B, S_a, S_b`` are rows of Python integers, ``U`` is an ``fmpz_mat`` of shape (n, p).
    """

    p: int
    neurons: int
    activation: str
    A: IntRows
    B: IntRows
    U: Any
    S_a: IntRows
    S_b: IntRows
    denominator: int

    @cached_property
    def columns(self) -> IntRows:
        """The columns of ``U``."""
        return _rows(self.U.transpose())

    def hidden(self, a: int, b: int) -> list[int]:
        """Return ``act(A[a, i] + B[b, i])`` for every neuron."""
        pairs = zip(self.A[a], self.B[b], strict=True)
        if self.activation == "relu":
            return [h if (h := x + y) > 0 else 0 for x, y in pairs]
        if self.activation == "abs":
            return [abs(x + y) for x, y in pairs]
        return [(x + y) ** 2 for x, y in pairs]

    def margin(self, a: int, b: int, c: int, hidden: list[int] | None = None) -> int:
        """Return ``denominator · (logit of a + b mod p − logit of c)``, exactly; O(n).

        ``hidden`` may hand in ``self.hidden(a, b)`` where several ``c`` are asked for.
        """
        right = (a + b) % self.p
        values = self.hidden(a, b) if hidden is None else hidden
        u_right, u_c = self.columns[right], self.columns[c]
        mlp: int = sum(map(mul, values, u_right)) - sum(map(mul, values, u_c))
        return mlp + self.S_a[a][right] + self.S_b[b][right] - self.S_a[a][c] - self.S_b[b][c]

    def rounded_down(self, margin: int) -> float:
        """Return the largest float64 that is at most ``margin / denominator``.

        Raises
        ------
        CertificateError
            If it lies below the range of float64.
        """
        return round_down(Fraction(margin, self.denominator))


def round_down(value: Fraction) -> float:
    """Return the largest finite float64 that is at most ``value``."""
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf if value > 0 else -math.inf
    if math.isinf(nearest) or Fraction(nearest) > value:
        nearest = math.nextafter(nearest, -math.inf)
    if math.isinf(nearest):
        raise CertificateError("a margin lies below the range of float64; rescale the network")
    return nearest


def exact_tables(circuit: Circuit) -> ExactTables:
    """Return the circuit in integers.

    Raises
    ------
    CertificateError
        If its activation does not map integers to integers, or its tables are not known exactly.
    """
    if circuit.activation not in EXACT_ACTIVATIONS:
        raise CertificateError(
            f"integer arithmetic needs one of the activations {', '.join(EXACT_ACTIVATIONS)}, got {circuit.activation}"
            + (": its values are not rational; use brute-force" if circuit.activation in ENCLOSED else "")
        )
    tables = table_matrices(circuit)
    inner = math.lcm(tables["A"].denominator, tables["B"].denominator)
    mlp = inner ** EXACT_ACTIVATIONS[circuit.activation] * tables["U"].denominator
    common = math.lcm(mlp, tables["S_a"].denominator, tables["S_b"].denominator)
    return ExactTables(
        p=circuit.p,
        neurons=circuit.neurons,
        activation=circuit.activation,
        A=_rows(tables["A"].over(inner)),
        B=_rows(tables["B"].over(inner)),
        U=tables["U"].numerators * flint.fmpz(common // mlp),
        S_a=_rows(tables["S_a"].over(common)),
        S_b=_rows(tables["S_b"].over(common)),
        denominator=common,
    )


def _rows(matrix: Any) -> IntRows:
    return [[int(entry) for entry in row] for row in matrix.tolist()]
