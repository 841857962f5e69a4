r"""Float32: how far may a margin be off when the network runs in float32?

A pass evaluates the network layer by layer: what goes into the same matrix is added first (all heads' terms, the
residual stream, biases), then multiplied. ``_sum`` follows it with two vectors, for every coordinate the largest
``size`` over all inputs, as a sum of absolute values, and a bound on the ``error``; the formulas are in
docs/certificates.md, section "Float32". Every sum is counted with all of its terms, so any order of them is covered.

What is wrong ahead of the activation reaches the logits through the table ``U``, whose entries are far smaller than the
product of absolute values of the matrices that make it; ``|act(x) − act(y)| ≤ |x − y|``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.weights import Product
from quadlens.rounding import up

UNIT_ROUNDOFF_32 = 2.0**-24
SMALLEST_NORMAL_32 = 2.0**-126
LARGEST_32 = 2.0**127
COVERED = ("relu", "abs")
ATTENTION_ROUNDINGS = 3
"""Of an attention weight: two that it has been through itself, and its product with a value."""


def float32_margin_error(circuit: Circuit) -> float | None:
    """Return a proved bound on the error of any margin evaluated in float32, or None where none is proved.

    Of the stored weights layer by layer where the circuit has them, else of its tables. None for activations other
    than ReLU and |x| (their float32 libraries promise no accuracy), and where an intermediate result may overflow.
    """
    if circuit.activation not in COVERED:
        return None
    matrices, products = _stored(circuit)
    coefficients = [abs(product.coefficient) for table in products.values() for product in table]
    least, most = min(coefficients, default=1), max(coefficients, default=1)
    if not 2 * SMALLEST_NORMAL_32 <= least <= most <= LARGEST_32:
        return None
    network = _Network(matrices=matrices, roundings=0 if least == most == 1 else ATTENTION_ROUNDINGS)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        before = network.sum_of(_starts(("A", "B"), matrices, products), circuit.neurons)
        hidden, error = _activated(circuit, before.error)
        ends = [
            _Path(size=hidden, change=np.zeros_like(hidden), coefficient=_upper(product), matrices=product.factors)
            for product in products.get("U", ())
        ]
        logits = network.sum_of([*_starts(("S_a", "S_b"), matrices, products), *ends], circuit.p)
        # a value is there before its attention weight makes it smaller
        largest = np.max([before.largest, logits.largest, *(matrix.largest for matrix in matrices.values())])
        if not largest <= LARGEST_32 * min(1.0, float(least)) / 2:
            return None
        reached = _Matrix(values=circuit.U, radius=circuit.radius["U"]).after(error, np.zeros_like(error))
        total = up(reached + logits.error, circuit.neurons + 4)
        # the margin is a difference of two logits; comparing them rounds nothing
        return float(up(np.partition(total, -2)[-2:].sum(), 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """A stored matrix; an entry differs from the exact one by at most ``radius`` before it is rounded to float32."""

    values: FloatArray
    radius: float

    @property
    def largest(self) -> float:
        return float(max(abs(self.values.min(initial=0)), abs(self.values.max(initial=0))))

    def tallest(self) -> tuple[FloatArray, FloatArray]:
        """Return, for each column, the largest absolute value and the largest change by rounding to float32."""
        parts = in_parallel(lambda rows: [x.max(axis=0) for x in self._rows(rows)], self._blocks())
        size, change = np.max(np.array(parts), axis=0)
        return size, change

    def after(self, through: FloatArray, changed: FloatArray) -> FloatArray:
        """Return ``through |W| + changed δW`` for rows of non-negative numbers, ``δW`` the change by rounding."""

        def part(rows: slice) -> FloatArray:
            size, change = self._rows(rows)
            return np.asarray(through[..., rows] @ size + changed[..., rows] @ change)

        return np.asarray(np.sum(in_parallel(part, self._blocks()), axis=0))

    def _blocks(self) -> Iterator[slice]:
        return blocks_of(self.values.shape[0], BLOCK // (8 * self.values.shape[1]))

    def _rows(self, rows: slice) -> tuple[FloatArray, FloatArray]:
        exact = self.values[rows]
        size = np.abs(exact)
        change = np.abs(exact - exact.astype(np.float32))
        # what float32 has no normal number for may be flushed to zero
        np.copyto(change, size, where=size < SMALLEST_NORMAL_32)
        return (size + self.radius, change + self.radius) if self.radius else (size, change)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """A vector of ``size`` on its way through ``matrices``, off by ``change`` before the first sum."""

    size: FloatArray
    change: FloatArray
    coefficient: float
    matrices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """What is added before a matrix; ``starts`` of its paths start here, ``weight`` the sum of their coefficients.

    ``largest`` is above every number that has been computed so far.
    """

    size: FloatArray
    error: FloatArray
    starts: int
    weight: float
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    matrices: Mapping[str, _Matrix]
    roundings: int

    def sum_of(self, paths: Sequence[_Path], width: int) -> _Sum:
        """Return the sum, of ``width`` coordinates, of vectors of which each has been through its matrices."""
        starting = [path for path in paths if not path.matrices]
        through: dict[str, list[_Path]] = {}
        for path in paths:
            if path.matrices:
                through.setdefault(path.matrices[-1], []).append(replace(path, matrices=path.matrices[:-1]))
        fed = {name: self.sum_of(rest, self.matrices[name].values.shape[0]) for name, rest in through.items()}
        # paths that start before a matrix may be weighted and added after it: so attention adds its sources' values
        terms = len(starting) + sum(before.size.size + max(0, before.starts - 1) for before in fed.values())
        weight = sum(path.coefficient for path in starting)
        size, error = np.zeros((2, width))
        first, later = _gamma(terms - 1 + self.roundings), _gamma(terms)
        for path in starting:
            size = size + path.coefficient * path.size
            error = error + path.coefficient * (path.change + first * (path.size + path.change))
        for name, before in fed.items():
            computed = before.size + before.error
            carried = np.stack([before.size, before.error + later * computed])
            changed = np.stack([np.zeros_like(computed), (1 + later) * computed])
            further_size, further_error = self.matrices[name].after(carried, changed)
            size, error = size + further_size, error + further_error
        below = weight + sum(before.weight for before in fed.values())
        error = error + 8 * terms * (1 + below) * SMALLEST_NORMAL_32
        size, error = up(size, 2 * terms + 16), up(error, 2 * terms + 16)
        # numpy's maximum, unlike Python's, lets no NaN pass
        largest = np.max([np.max(size + error), *(before.largest for before in fed.values())])
        return _Sum(size=size, error=error, starts=len(starting), weight=weight, largest=float(largest))


def _stored(circuit: Circuit) -> tuple[dict[str, _Matrix], Mapping[str, tuple[Product, ...]]]:
    """Return the stored matrices and the products that make the tables: the tables themselves without weights."""
    if circuit.weights is None:
        tables = {name: _Matrix(values=getattr(circuit, name), radius=circuit.radius[name]) for name in TABLES}
        return tables, {name: (Product(factors=(name,)),) for name in TABLES}
    weights = circuit.weights
    return {name: _Matrix(values=tensor, radius=0.0) for name, tensor in weights.tensors.items()}, weights.tables


def _starts(
    tables: Sequence[str], matrices: Mapping[str, _Matrix], products: Mapping[str, tuple[Product, ...]]
) -> list[_Path]:
    """Return the paths of all products of these tables, from the rows of their first factors."""
    chosen = [product for table in tables for product in products.get(table, ())]
    tallest = {name: matrices[name].tallest() for name in {product.factors[0] for product in chosen}}
    paths = []
    for product in chosen:
        size, change = tallest[product.factors[0]]
        paths.append(_Path(size=size, change=change, coefficient=_upper(product), matrices=product.factors[1:]))
    return paths


def _activated(circuit: Circuit, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, for each neuron, bounds on its computed output and on that output's error, over all inputs.

    ``a`` and ``b`` are independent: the largest preactivation is the sum of the two largest parts.
    """
    off = up(error + circuit.radius["A"] + circuit.radius["B"], 2)
    high = np.nextafter(circuit.A.max(axis=0) + circuit.B.max(axis=0), np.inf)
    above = np.nextafter(high + off, np.inf)
    if circuit.activation == "relu":
        top = np.maximum(above, 0.0)
        # a neuron that no input opens is 0, computed or not
        return top, np.minimum(error, top)
    low = np.nextafter(circuit.A.min(axis=0) + circuit.B.min(axis=0), -np.inf)
    return np.maximum(above, np.nextafter(off - low, np.inf)), error


def _upper(product: Product) -> float:
    return float(np.nextafter(abs(float(product.coefficient)), np.inf)) if abs(product.coefficient) != 1 else 1.0


def _gamma(roundings: int) -> float:
    """Return ``γ_k = k u / (1 − k u)`` of float32, rounded up; infinite where too many roundings come together."""
    unit = roundings * UNIT_ROUNDOFF_32
    return float(np.nextafter(unit / (1 - unit), np.inf)) if 0 < unit < 0.25 else 0.0 if unit <= 0 else np.inf
