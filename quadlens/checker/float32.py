r"""The checker's own float32 error bound: the formula of docs/certificates.md, section "Float32", in balls.

    2 γ_K (Σ_i (Ā[a, i] + B̄[b, i]) u_i + max_c S̄_a[a, c] + max_c S̄_b[b, c]) + 8 K² 2^-149 growth,   γ_K = K 2^-24 /
    (1 − K 2^-24)

with tables of absolute values, ``u_i = max_c Ū[i, c]``, and ``K`` the roundings on the longest path.
"""

from typing import Any

import flint
import numpy as np

from quadlens.checker.tables import BallNetwork

TABLES = ("A", "B", "U", "S_a", "S_b")


def float32_error_ball(network: BallNetwork) -> Any:
    """Return a ball of the bound, or None where none is proved."""
    circuit = network.circuit
    if circuit.activation not in ("relu", "abs"):
        return None
    size, growth, depth = {}, {}, 1
    for name in TABLES:
        size[name], growth[name], longest = _absolute_table(network, name)
        depth = max(depth, longest)
    largest = [_max(row) for row in size["U"].tolist()]
    column = flint.arb_mat(circuit.neurons, 1, largest)
    first = [x[0] + _max(row) for x, row in zip((size["A"] * column).tolist(), size["S_a"].tolist(), strict=True)]
    second = [x[0] + _max(row) for x, row in zip((size["B"] * column).tolist(), size["S_b"].tolist(), strict=True)]
    roundings = 2 * depth + circuit.neurons + 8
    unit = flint.arb(roundings) / 2**24
    amplification = (growth["A"] + growth["B"]) * growth["U"] + growth["S_a"] + growth["S_b"]
    if not unit < 0.25 or not circuit.neurons * amplification < flint.arb(2) ** 126:
        return None
    total = _max(first) + _max(second)
    return 2 * (unit / (1 - unit) * total + 4 * roundings**2 * flint.arb(2) ** -149 * amplification)


def _absolute_table(network: BallNetwork, name: str) -> tuple[Any, Any, int]:
    """Return the table in absolute values, its growth, and the roundings on its longest chain."""
    weights = network.circuit.weights
    if weights is None:
        table = getattr(network.circuit, name)
        radius = flint.arb(network.circuit.radius[name])
        sizes = [abs(flint.arb(x)) + radius for x in table.ravel().tolist()]
        balls = flint.arb_mat(table.shape[0], table.shape[1], sizes)
        return balls, _norm(balls), 1
    rows, columns = getattr(network.circuit, name).shape
    total, growth, longest = flint.arb_mat(rows, columns), flint.arb(0), 0
    products = weights.tables.get(name, ())
    for product in products:
        factors = [_balls(np.abs(weights.tensors[factor])) for factor in product.factors]
        coefficient = abs(flint.arb(flint.fmpq(product.coefficient.numerator, product.coefficient.denominator)))
        value, norm = factors[0], _norm(factors[0])
        for factor in factors[1:]:
            value, norm = value * factor, norm * _norm(factor)
        growth += norm * coefficient.max(flint.arb(1))
        if value.nrows() == 1 and rows > 1:
            value = flint.arb_mat(rows, columns, value.entries() * rows)
        total += value * coefficient
        inner = sum(factor.nrows() for factor in factors[1:])
        longest = max(longest, inner + 2 * len(factors) + 2)
    return total, growth.max(flint.arb(1)), longest + len(products)


def _balls(values: Any) -> Any:
    return flint.arb_mat(values.shape[0], values.shape[1], [flint.arb(x) for x in values.ravel().tolist()])


def _norm(matrix: Any) -> Any:
    sums = [sum(row, flint.arb(0)) for m in (matrix, matrix.transpose()) for row in m.tolist()]
    return _max([flint.arb(1), *sums])


def _max(balls: list[Any]) -> Any:
    largest = balls[0]
    for ball in balls[1:]:
        largest = largest.max(ball)
    return largest
