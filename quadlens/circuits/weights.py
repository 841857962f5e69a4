r"""Weights and the tables they make: every table of a circuit is a sum of products of stored matrices.

    table = Σ_j  coefficient_j · X_{j,1} X_{j,2} … X_{j,m}

Rows are multiplied from the left: ``A = α E OV W_in`` with ``OV = Σ_h W_V[h] W_O[h]``, and so on. Keeping the
expression, not only its float64 value, is what lets a certificate speak about the *stored* weights: the same expression
is evaluated in float64 with a rounding bound here, in exact integers by the ``exact`` method and in balls by the
checker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray, read_only
from quadlens.circuits.circuit import TABLES, Circuit, table_shapes
from quadlens.circuits.provenance import Provenance
from quadlens.errors import CircuitError
from quadlens.rounding import SMALLEST, gamma, up

Evaluation = tuple[Mapping[str, FloatArray], Mapping[str, float]]
"""Tables by name, and radii by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """``coefficient · X_1 X_2 … X_m``; a product with one row is repeated for every residue (a bias)."""

    factors: tuple[str, ...]
    coefficient: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        given: object = self.factors
        if not isinstance(given, (tuple, list)) or not all(isinstance(name, str) for name in given):
            raise CircuitError(f"factors must be a tuple of weights' names, got {given!r:.80}")
        if not self.factors:
            raise CircuitError("a product needs at least one factor, got none")
        object.__setattr__(self, "factors", tuple(self.factors))
        try:
            object.__setattr__(self, "coefficient", Fraction(self.coefficient))
        except (TypeError, ValueError, OverflowError):
            raise CircuitError(f"a coefficient must be a finite number, got {self.coefficient!r:.80}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A network's stored matrices and, for each table of its circuit, the sum of products that makes it.

    Parameters
    ----------
    p : number of residues
    neurons : number of neurons ``n``
    tensors : name -> matrix; a bias is a matrix with one row. Values are those stored, exactly representable in float64
    tables : table name (``A``, ``B``, ``U``, ``S_a``, ``S_b``) -> products to add; a missing table is zero
    provenance : the circuit's

    Raises
    ------
    CircuitError
        If a product names an unknown matrix, its factors do not chain, or its shape is not the table's.
    """

    p: int
    neurons: int
    tensors: Mapping[str, FloatArray]
    tables: Mapping[str, tuple[Product, ...]]
    activation: str = "relu"
    source: str = "memory"
    family: str = "weights"
    provenance: Provenance = field(default_factory=Provenance)
    _evaluation: Evaluation | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        activation_named(self.activation)
        tensors = {name: read_only(tensor, f"weights {name!r}") for name, tensor in self.tensors.items()}
        for name, tensor in tensors.items():
            if tensor.ndim != 2:
                raise CircuitError(f"weights must be matrices (a bias has one row); {name!r} has shape {tensor.shape}")
            if not np.isfinite(tensor).all():
                bad = int((~np.isfinite(tensor)).sum())
                raise CircuitError(f"weights must be finite; {name!r} holds {bad} NaN or infinite values")
        shapes = table_shapes(self.p, self.neurons)
        tables = {table: tuple(products) for table, products in self.tables.items()}
        for table, products in tables.items():
            if table not in shapes:
                raise CircuitError(f"a circuit has the tables {', '.join(TABLES)}; got {table!r}")
            for product in products:
                _check_chain(table, product, tensors, shapes[table])
        object.__setattr__(self, "tensors", MappingProxyType(tensors))
        object.__setattr__(self, "tables", MappingProxyType(tables))

    @property
    def evaluation(self) -> Evaluation:
        """The tables in float64, and for each a proved bound on its rounding error; worked out once, never changed."""
        if self._evaluation is None:
            object.__setattr__(self, "_evaluation", _evaluate(self))
        return cast(Evaluation, self._evaluation)

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if not name.startswith("_")}
        plain: dict[str, Any] = values | {"tensors": dict(self.tensors), "tables": dict(self.tables)}
        return partial(Weights, **plain), ()


def _check_chain(table: str, product: Product, tensors: Mapping[str, FloatArray], shape: tuple[int, int]) -> None:
    missing = [name for name in product.factors if name not in tensors]
    if missing:
        raise CircuitError(f"table {table} needs the weights {', '.join(missing)}, which are missing")
    chain = " @ ".join(f"{name} {tensors[name].shape}" for name in product.factors)
    for left, right in zip(product.factors, product.factors[1:], strict=False):
        if tensors[left].shape[1] != tensors[right].shape[0]:
            raise CircuitError(f"table {table}: the shapes in {chain} do not chain")
    rows, columns = tensors[product.factors[0]].shape[0], tensors[product.factors[-1]].shape[1]
    if columns != shape[1] or rows not in (1, shape[0]):
        raise CircuitError(f"table {table} must have shape {shape}; {chain} has shape {(rows, columns)}")


def circuit_from_weights(weights: Weights) -> Circuit:
    """Evaluate the tables in float64, each with a proved bound on its rounding error (``Circuit.radius``)."""
    tables, radius = weights.evaluation
    return Circuit(
        p=weights.p,
        **tables,
        radius=radius,
        activation=weights.activation,
        source=weights.source,
        family=weights.family,
        weights=weights,
        provenance=weights.provenance,
    )


def _evaluate(weights: Weights) -> Evaluation:
    shapes = table_shapes(weights.p, weights.neurons)
    tables, radius = {}, {}
    # products share long beginnings (E W_V[h] W_O[h] for every table), so each beginning is multiplied once
    beginnings: dict[tuple[str, ...], tuple[FloatArray, FloatArray]] = {}
    for name in TABLES:
        table, radius[name] = _sum_of_products(weights, weights.tables.get(name, ()), shapes[name], beginnings)
        tables[name] = read_only(table, f"table {name}")
    return MappingProxyType(tables), MappingProxyType(radius)


def _sum_of_products(
    weights: Weights,
    products: tuple[Product, ...],
    shape: tuple[int, int],
    beginnings: dict[tuple[str, ...], tuple[FloatArray, FloatArray]],
) -> tuple[FloatArray, float]:
    """Return the table and a bound on the largest entry of ``|exact - float64|``.

    A chain whose inner dimensions sum to ``K`` is off by at most ``γ_K' |X_1| … |X_m|`` entrywise, with ``K'`` counting
    the coefficient and the final sum too, plus what underflow adds: at most ``K η`` per intermediate entry, carried
    through the column sums of the later factors.
    """
    total = np.zeros(shape)
    magnitude = np.zeros(shape)
    operations, underflow = len(products) + 4, 0.0
    exact = len(products) == 1 and len(products[0].factors) == 1 and products[0].coefficient in (1, -1)
    for product in products:
        coefficient = float(product.coefficient)
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow is refused with its reason below
            value, bound = _chain(weights, product.factors, beginnings)
            total += coefficient * value
            magnitude += abs(coefficient) * bound
        inner = [weights.tensors[name].shape[0] for name in product.factors[1:]]
        operations = max(operations, len(products) + 4 + sum(inner) + 3 * len(inner))
        underflow += _underflow(weights, product.factors) * (abs(coefficient) + 1) + 2 * SMALLEST
    if exact or not products:
        return total, 0.0
    if not np.isfinite(total).all() or not np.isfinite(magnitude).all():
        raise CircuitError("the weights are so large that a table overflows float64; rescale them")
    largest = up(np.array(float(magnitude.max(initial=0.0))), 2 * operations)
    return total, float(up(gamma(operations) * largest + 2 * underflow, 4))


def _chain(
    weights: Weights, factors: tuple[str, ...], beginnings: dict[tuple[str, ...], tuple[FloatArray, FloatArray]]
) -> tuple[FloatArray, FloatArray]:
    if factors in beginnings:
        return beginnings[factors]
    last = weights.tensors[factors[-1]]
    if len(factors) == 1:
        result = (last, np.abs(last))
    else:
        value, bound = _chain(weights, factors[:-1], beginnings)
        result = (value @ last, bound @ np.abs(last))
    beginnings[factors] = result
    return result


def _underflow(weights: Weights, factors: tuple[str, ...]) -> float:
    error = 0.0
    for name in factors[1:]:
        factor = np.abs(weights.tensors[name])
        with np.errstate(over="ignore"):
            error = error * float(factor.sum(axis=0).max(initial=0.0)) + (2 * factor.shape[0] + 1) * SMALLEST
    return error
