r"""Float32: does every order of evaluation predict the same?

The logits are a sum of products of stored numbers, gates aside. Whatever the order of its sums and the grouping of its
products (tables first, or
layer by layer; fused operations or not), a computed value is off by at most ``γ_K`` times the same expression in
absolute values, ``K`` the
roundings along the longest path. With ``X̄`` a table made from absolute values, ``u_i = max_c Ū[i, c]``, the logits of
input ``(a, b)`` are off by

    γ_K (Σ_i (Ā[a, i] + B̄[b, i]) u_i + max_c S̄_a[a, c] + max_c S̄_b[b, c]) + underflow

for an activation with ``|act(x)| ≤ |x|`` and Lipschitz constant 1: preactivations off by ``γ_K'`` and a product with
``U`` off by ``γ_K''`` make ``γ_K' + γ_K'' + γ_K' γ_K'' ≤ γ_{K' + K''}``. It splits into a function of ``a`` and one of
``b``, so the largest is found in O(P).

What is covered: the values stored (float32 or shorter; float64 values are rounded to float32 first, one more rounding
each), constant attention
weights applied as such, any summation order. Not covered: a network whose attention weights come from a softmax that is
itself rounded,
and arithmetic with less than 24 bits (TF32, bfloat16).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.weights import Weights
from quadlens.rounding import up

UNIT_ROUNDOFF_32 = 2.0**-24
SMALLEST_32 = 2.0**-149
LARGEST_32 = 2.0**126
COVERED = ("relu", "abs")


def float32_margin_error(circuit: Circuit) -> float | None:
    """Return a proved bound on the error of any margin evaluated in float32, or None where none is proved.

    None for activations other than ReLU and |x| (their float32 libraries promise no accuracy), and where an
    intermediate result may overflow.
    """
    if circuit.activation not in COVERED:
        return None
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        sizes = _of_tables(circuit) if circuit.weights is None else _of_weights(circuit, circuit.weights)
        total, depth, growth = sizes.total, sizes.depth, sizes.growth
        # roundings on a path: those of both tables, the sum A + B, the sum over neurons, skip path and final sums
        roundings = 2 * depth + circuit.neurons + 8
        unit = roundings * UNIT_ROUNDOFF_32
        if unit >= 0.25 or not circuit.neurons * growth < LARGEST_32:
            return None
        relative = unit / (1 - unit)
        # an underflow anywhere adds at most SMALLEST_32 for each rounding and is amplified by at most the growth
        underflow = 4 * roundings**2 * SMALLEST_32 * growth
        logit = float(up(np.array(relative * total + underflow), 4 * roundings))
        # the difference of two logits is formed by comparing them, which is exact
        return float(up(np.array(2 * logit), 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """``total``: the largest logit in absolute values, of a and of b together; ``depth``: roundings along the tables'
    longest chain; ``growth``: what any value is amplified by, at most.

    The last is the product, along each path from a stored value to a logit, of the largest row or column sums of the
    factors: no intermediate result, in any grouping of the products, exceeds it, nor does the influence of an error of
    1 anywhere.
    """

    total: float
    depth: int
    growth: float


def _of_tables(circuit: Circuit) -> _Sizes:
    """Return the sizes of a circuit without weights, block by block: its tables may fill the memory as they are."""

    def largest(part: FloatArray) -> FloatArray:
        return np.asarray(part.max(axis=1))

    rows, norm = {}, {}
    for name in ("U", "S_a", "S_b"):
        rows[name], norm[name] = _by_rows(circuit, name, largest)
    for name in ("A", "B"):
        rows[name], norm[name] = _by_rows(circuit, name, lambda part: part @ rows["U"])
    total = sum(float((rows[table] + rows[skip]).max()) for table, skip in (("A", "S_a"), ("B", "S_b")))
    return _Sizes(total=total, depth=1, growth=_along_paths(norm))


def _by_rows(circuit: Circuit, name: str, of: Callable[[FloatArray], FloatArray]) -> tuple[FloatArray, float]:
    """Return what ``of`` says of each row of a table in absolute values, and the table's `_norm`."""
    table, radius = getattr(circuit, name), circuit.radius[name]
    found, row_sum = np.empty((2, table.shape[0]))

    def work(block: slice) -> FloatArray:
        part = np.abs(table[block])
        if radius > 0:
            part += radius
        found[block], row_sum[block] = of(part), part.sum(axis=1)
        return np.asarray(part.sum(axis=0))

    columns = in_parallel(work, blocks_of(table.shape[0], BLOCK // (8 * table.shape[1])))
    return found, max(1.0, float(row_sum.max()), float(np.sum(columns, axis=0).max()))


def _of_weights(circuit: Circuit, weights: Weights) -> _Sizes:
    """Return the sizes of tables that are products of stored weights."""
    magnitude = {name: np.abs(tensor) for name, tensor in weights.tensors.items()}
    size, depth, growth = {}, 1, {}
    for table in TABLES:
        products = weights.tables.get(table, ())
        size[table] = np.zeros(np.shape(getattr(circuit, table)))
        longest, largest = 0, 0.0
        for product in products:
            factors = [magnitude[name] for name in product.factors]
            coefficient = abs(float(product.coefficient))
            value = factors[0]
            for factor in factors[1:]:
                value = value @ factor
            size[table] += coefficient * value
            longest = max(longest, sum(factor.shape[0] for factor in factors[1:]) + 2 * len(factors) + 2)
            largest += float(np.prod([_norm(factor) for factor in factors])) * max(1.0, coefficient)
        growth[table] = max(1.0, largest)
        size[table] = up(size[table], longest + len(products) + 2)
        depth = max(depth, longest + len(products))
    largest_output = size["U"].max(axis=1)
    total = sum(
        float((size[table] @ largest_output + size[skip].max(axis=1)).max())
        for table, skip in (("A", "S_a"), ("B", "S_b"))
    )
    return _Sizes(total=total, depth=depth, growth=_along_paths(growth))


def _along_paths(growth: dict[str, float]) -> float:
    return (growth["A"] + growth["B"]) * growth["U"] + growth["S_a"] + growth["S_b"]


def _norm(table: FloatArray) -> float:
    """Return the largest row or column sum of a table without negative entries, at least 1."""
    return max(1.0, float(table.sum(axis=0).max()), float(table.sum(axis=1).max()))
