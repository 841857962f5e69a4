r"""The checker's own float32 error bound: docs/certificates.md, section "Float32", in balls, one product at a time.

The error is linear in what it is made of, so each product of stored matrices is carried to the end by itself, and so
is what underflows in each sum. Numbers are rounded to float32 here by ``frexp``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.checker.tables import BallNetwork

TABLES = ("A", "B", "U", "S_a", "S_b")
LEAST = 2.0**-126
"""The smallest normal number of float32: what is smaller may be flushed to zero."""


@dataclass(frozen=True, kw_only=True)
class _Chain:
    """A row of sizes and of changes, and the matrices that it goes through: all ``arb_mat`` of one row."""

    size: Any
    change: Any
    names: tuple[str, ...]
    coefficient: Any


def float32_error_ball(network: BallNetwork) -> Any:
    """Return a ball of the bound, or None where none is proved."""
    circuit = network.circuit
    if circuit.activation not in ("relu", "abs"):
        return None
    chains, matrices = _chains(network)
    coefficients = [chain.coefficient for table in chains.values() for chain in table]
    least = min((x.lower() for x in coefficients), default=flint.arb(1))
    if not least >= 2 * LEAST or not all(x <= flint.arb(2) ** 127 for x in coefficients):
        return None
    weighing = 0 if all(x == 1 for x in coefficients) else 3
    limit = flint.arb(2) ** 126 * least.min(flint.arb(1))
    if not all(x <= limit for size, _ in matrices.values() for x in size.entries()):
        return None
    before = _errors([*chains["A"], *chains["B"]], matrices, weighing, limit, circuit.neurons)
    if before is None:
        return None
    computed, wrong = _after_activation(network, before)
    ends = [
        _Chain(size=computed, change=computed * 0, names=chain.names, coefficient=chain.coefficient)
        for chain in chains["U"]
    ]
    after = _errors([*ends, *chains["S_a"], *chains["S_b"]], matrices, weighing, limit, circuit.p)
    if after is None:
        return None
    table = flint.arb_mat(circuit.neurons, circuit.p, [abs(x) for x in network.balls["U"].entries()])
    logits = (wrong * table + after).entries()
    first, second = flint.arb(0), flint.arb(0)
    for logit in logits:
        first, second = first.max(logit), second.max(first.min(logit))
    return first + second


def _errors(chains: Sequence[_Chain], matrices: dict[str, Any], weighing: int, limit: Any, columns: int) -> Any:
    """Return the row of error bounds at the end of all chains, or None where a number may grow past ``limit``."""
    sums = {(), *(chain.names[k:] for chain in chains for k in range(len(chain.names) + 1))}
    begin = {at: [chain for chain in chains if chain.names == at] for at in sums}
    into = {at: [other[0] for other in sums if other and other[1:] == at] for at in sums}
    terms: dict[tuple[str, ...], int] = {}
    seen: dict[tuple[str, ...], Any] = {}
    for at in sums:
        rows = [matrices[name][0].nrows() + max(0, len(begin[(name, *at)]) - 1) for name in into[at]]
        terms[at] = len(begin[at]) + sum(rows)
    if max(terms.values()) + weighing >= 2**22:
        return None
    wrong = {}
    for at in sums - {()}:
        magnitude, change = matrices[at[0]]
        wrong[at] = change + (magnitude + change) * _gamma(terms[at[1:]])
    total = flint.arb_mat(1, columns)

    def carry(size: Any, error: Any, at: tuple[str, ...]) -> Any:
        while True:
            seen[at] = seen[at] + size + error if at in seen else size + error
            if not at:
                return error
            magnitude = matrices[at[0]][0]
            size, error, at = size * magnitude, error * magnitude + (size + error) * wrong[at], at[1:]

    for chain in chains:
        gamma = _gamma(terms[chain.names] - 1 + weighing)
        error = (chain.change + (chain.size + chain.change) * gamma) * chain.coefficient
        total += carry(chain.size * chain.coefficient, error, chain.names)
    for at in sums:
        below = [begin[at], *(begin[(name, *at)] for name in into[at])]
        weight = sum((chain.coefficient for part in below for chain in part), flint.arb(1))
        width = matrices[at[0]][0].nrows() if at else columns
        flushed = flint.arb_mat(1, width, [8 * terms[at] * weight * flint.arb(LEAST)] * width)
        total += carry(flushed * 0, flushed, at)
    return total if all(x <= limit for row in seen.values() for x in row.entries()) else None


def _gamma(roundings: int) -> Any:
    unit = flint.arb(max(0, roundings)) / 2**24
    return unit / (1 - unit)


def _after_activation(network: BallNetwork, off: Any) -> tuple[Any, Any]:
    """Return rows of the largest computed outputs of the neurons, and of the errors of those outputs."""
    computed, wrong = [], []
    columns = [network.balls[name].transpose().tolist() for name in ("A", "B")]
    for of_a, of_b, error in zip(*columns, off.entries(), strict=True):
        high = _max(of_a) + _max(of_b)
        if network.circuit.activation == "relu":
            open_ = (high + error).max(flint.arb(0))
            computed.append(open_)
            wrong.append(error.min(open_))
        else:
            low = _max([-x for x in of_a]) + _max([-x for x in of_b])
            computed.append(high.max(low) + error)
            wrong.append(error)
    return flint.arb_mat(1, len(computed), computed), flint.arb_mat(1, len(wrong), wrong)


def _chains(network: BallNetwork) -> tuple[dict[str, list[_Chain]], dict[str, Any]]:
    """Return each table's chains, and name -> (absolute values, changes by rounding to float32) of each matrix.

    A chain of ``U`` begins at the neurons, which are not known yet: its rows are empty, and its first matrix is named.
    """
    circuit = network.circuit
    one = flint.arb(1)
    if circuit.weights is None:
        stored = {name: (getattr(circuit, name), circuit.radius[name]) for name in TABLES}
        products: dict[str, Any] = {name: [((name,), one)] for name in TABLES}
    else:
        weights = circuit.weights
        stored = {name: (tensor, 0.0) for name, tensor in weights.tensors.items()}
        products = {
            table: [
                (
                    product.factors,
                    abs(flint.arb(flint.fmpq(product.coefficient.numerator, product.coefficient.denominator))),
                )
                for product in weights.tables.get(table, ())
            ]
            for table in TABLES
        }
    matrices = {name: _sizes(values, radius) for name, (values, radius) in stored.items()}
    rows = {name: tuple(_highest(x) for x in matrices[name]) for name in stored}
    chains = {
        table: [
            _Chain(size=None, change=None, names=factors, coefficient=coefficient)
            if table == "U"
            else _Chain(
                size=rows[factors[0]][0], change=rows[factors[0]][1], names=factors[1:], coefficient=coefficient
            )
            for factors, coefficient in found
        ]
        for table, found in products.items()
    }
    return chains, matrices


def _sizes(values: Any, radius: float) -> tuple[Any, Any]:
    sizes, changes = [], []
    for x in values.ravel().tolist():
        sizes.append(abs(flint.arb(x)) + radius)
        changes.append(flint.arb(_change(x)) + radius)
    rows, columns = values.shape
    return flint.arb_mat(rows, columns, sizes), flint.arb_mat(rows, columns, changes)


def _change(x: float) -> float:
    """Return how far ``x`` may move when it becomes a float32, exactly."""
    if abs(x) < LEAST:
        return abs(x)
    mantissa, exponent = math.frexp(x)
    bits = math.ldexp(mantissa, 24)
    return math.ldexp(abs(bits - round(bits)), exponent - 24)


def _highest(matrix: Any) -> Any:
    return flint.arb_mat(1, matrix.ncols(), [_max(column) for column in matrix.transpose().tolist()])


def _max(balls: list[Any]) -> Any:
    largest = balls[0]
    for ball in balls[1:]:
        largest = largest.max(ball)
    return largest
