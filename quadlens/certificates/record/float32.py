r"""Float32: how far may a margin be off when the network runs in float32?

A pass evaluates the network layer by layer: what goes into the same matrix is added first (all heads' terms, the
residual stream, biases), then multiplied. ``sum_of`` follows it with two vectors, for every coordinate the largest
``size`` over all inputs, as a sum of absolute values, and a bound on the ``error``; the formulas are in
docs/certificates.md, section "Float32". Every sum is counted with all of its terms, so any order of them is covered.

What is wrong ahead of the activation reaches the logits through the table ``U``, whose entries are far smaller than the
product of absolute values of the matrices that make it; ``|act(x) − act(y)| ≤ |x − y|``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.blocks import blocks_of, in_parallel
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.leaky_relu import goes_around_neurons
from quadlens.circuits.weights import Product
from quadlens.rounding import sum_up, up

UNIT_ROUNDOFF_32 = 2.0**-24
SMALLEST_NORMAL_32 = 2.0**-126
LARGEST_32 = 2.0**127
COVERED = ("relu", "abs")
BLOCK = 2**18
"""Float64 numbers of a matrix that are looked at together: they stay in a core's cache meanwhile."""
BEYOND_24_BITS = np.uint64(2**29 - 1)
"""The bits of a float64 number for which float32 has no place."""


def evaluation(circuit: Circuit) -> str:
    """Return which evaluation the bound is about: of the stored ``weights`` layer by layer, or of the ``tables``."""
    return "tables" if circuit.weights is None else "weights"


def float32_margin_error(circuit: Circuit) -> float | None:
    """Return a proved bound on the error of any margin evaluated in float32, or None where none is proved.

    Of the stored weights layer by layer where the circuit has them, else of its tables. None for activations other
    than ReLU and |x| (their float32 libraries promise no accuracy), for leaky ReLU written as ReLU, and where an
    intermediate result may overflow.
    """
    if circuit.activation not in COVERED or (circuit.weights is not None and goes_around_neurons(circuit.weights)):
        return None
    tables = {name: _Matrix(values=getattr(circuit, name), radius=circuit.radius[name]) for name in TABLES}
    network = _network(circuit, tables)
    coefficients = [abs(product.coefficient) for table in network.products.values() for product in table]
    least, most = min(coefficients, default=1), max(coefficients, default=1)
    if not 2 * SMALLEST_NORMAL_32 <= least <= most <= LARGEST_32:
        return None
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        before = network.sum_of(network.starts("A", "B"), circuit.neurons)
        top, wrong = _activated(tables, circuit.activation, before.error)
        reached = tables["U"].after(wrong)
        logits = network.sum_of([*network.starts("S_a", "S_b"), *network.ends(top)], circuit.p)
        # a value is there before its attention weight makes it smaller; numpy's maximum lets no NaN pass
        if not np.max([before.largest, logits.largest]) <= LARGEST_32 * min(1.0, float(least)) / 2:
            return None
        pieces = {"logits": logits.error, "neurons": reached.product}
        if circuit.weights is not None:
            pieces["radius of U"] = circuit.radius["U"] * wrong.sum()
        total = np.partition(sum_up(pieces, circuit.neurons + 4), -2)
        # the margin is a difference of two logits; comparing them rounds nothing
        return float(sum_up({"one logit": total[-1], "another": total[-2]}, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The largest and the smallest entry of each column of a matrix, and whether float32 rounds any entry."""

    high: FloatArray
    low: FloatArray
    rounds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _After:
    """Rows of numbers times ``|W|``, the largest ``|W_ij|``, and whether float32 rounds any entry."""

    product: FloatArray
    largest: float
    rounds: bool


@dataclass(frozen=True, kw_only=True)
class _Matrix:
    """A stored matrix; an entry differs from the exact one by at most ``radius`` before it is rounded to float32."""

    values: FloatArray
    radius: float

    @cached_property
    def columns(self) -> _Columns:
        parts = self._blockwise(lambda rows, _: (rows.max(axis=0), rows.min(axis=0), _rounds(rows)))
        high, low, rounds = zip(*parts, strict=True)
        return _Columns(high=np.max(high, axis=0), low=np.min(low, axis=0), rounds=any(rounds))

    def after(self, through: FloatArray) -> _After:
        """Return ``through |W|`` for rows of non-negative numbers."""

        def part(rows: FloatArray, at: slice) -> tuple[Any, Any, bool]:
            size = np.abs(rows)
            return through[..., at] @ size, size.max(initial=0), _rounds(rows)

        products, largest, rounds = zip(*self._blockwise(part), strict=True)
        return _After(product=np.sum(products, axis=0), largest=float(max(largest)), rounds=any(rounds))

    def _blockwise(self, part: Any) -> list[Any]:
        rows, columns = self.values.shape
        return in_parallel(lambda at: part(self.values[at], at), blocks_of(max(1, rows), BLOCK // max(1, columns)))


def _rounds(values: FloatArray) -> bool:
    return bool(np.bitwise_or.reduce(values.view(np.uint64), axis=None) & BEYOND_24_BITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """A vector of ``size`` on its way through ``matrices``, ``off`` by named errors and by ``roundings``."""

    size: FloatArray
    off: Mapping[str, float]
    roundings: Mapping[str, int]
    coefficient: float
    matrices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """What is added before a matrix, the coefficients of the paths that start here, and the largest number so far."""

    size: FloatArray
    error: FloatArray
    weights: Sequence[float]
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    """Matrices by name, and the products that make each table."""

    matrices: Mapping[str, _Matrix]
    products: Mapping[str, tuple[Product, ...]]

    def weighing(self, *tables: str) -> dict[str, int]:
        """Return the roundings of weights, where any of these tables has some other than 1, and of their products."""
        coefficients = [abs(product.coefficient) for table in tables for product in self.products.get(table, ())]
        return {"weight": 2, "weighing": 1} if any(c != 1 for c in coefficients) else {}

    def starts(self, *tables: str) -> list[_Path]:
        """Return the paths of all products of these tables, from the rows of their first factors."""
        paths = []
        for product in (product for table in tables for product in self.products.get(table, ())):
            first = self.matrices[product.factors[0]]
            size = np.maximum(first.columns.high, -first.columns.low)
            off = {"radius": first.radius, "flushed weights": SMALLEST_NORMAL_32}
            # a bias that is weighted once for each source has 1, the sum of its weights
            roundings = {"stored": int(first.columns.rounds), **self.weighing("A", "B", "S_a", "S_b")}
            c, rest = _upper(product), product.factors[1:]
            paths.append(_Path(size=size, off=off, roundings=roundings, coefficient=c, matrices=rest))
        return paths

    def ends(self, size: FloatArray) -> list[_Path]:
        """Return the paths from the neurons' outputs, taken as they were computed, to the logits."""
        paths = []
        for product in self.products.get("U", ()):
            c, weights = _upper(product), self.weighing("U")
            paths.append(_Path(size=size, off={}, roundings=weights, coefficient=c, matrices=product.factors))
        return paths

    def sum_of(self, paths: Sequence[_Path], width: int) -> _Sum:
        """Return the sum, of ``width`` coordinates, of vectors of which each has been through its matrices."""
        starting = [path for path in paths if not path.matrices]
        through: dict[str, list[_Path]] = {}
        for path in paths:
            if path.matrices:
                through.setdefault(path.matrices[-1], []).append(replace(path, matrices=path.matrices[:-1]))
        fed = {name: self.sum_of(rest, self.matrices[name].values.shape[0]) for name, rest in through.items()}
        others = {
            "rows": sum(before.size.size for before in fed.values()),
            # paths that start before a matrix may be weighted and added after it: so attention adds sources' values
            "sources": sum(max(0, len(before.weights) - 1) for before in fed.values()),
        }
        terms = len(starting) + sum(others.values())
        size = np.zeros(width)
        names = ("starts", "radius", "carried", "products", "flushed weights")
        pieces: dict[str, Any] = {name: np.zeros(width) for name in names}
        for path in starting:
            reached = path.coefficient * path.size
            pieces["starts"] += _gamma({"starts": len(starting) - 1, **others, **path.roundings}) * reached
            for name, off in path.off.items():
                pieces[name] += path.coefficient * off
            size += reached
        largest = [before.largest for before in fed.values()]
        for name, before in fed.items():
            found = self.matrices[name].after(np.stack([before.size, before.error]))
            whole, carried = found.product
            roundings = {"starts": len(starting), **others, "stored": int(found.rounds)}
            pieces["carried"] += carried
            pieces["products"] += _gamma(roundings) * (whole + carried)
            pieces["radius"] += self.matrices[name].radius * before.size.sum()
            pieces["flushed weights"] += SMALLEST_NORMAL_32 * (before.size + before.error).sum()
            size += whole
            largest.append(found.largest)
        pieces["flushed results"] = 3 * terms * SMALLEST_NORMAL_32
        # a source's values are there before they are weighted
        pieces["flushed values"] = pieces["flushed results"] * sum(sum(before.weights) for before in fed.values())
        # what float64 loses by underflow here is far below what sum_up adds for the flushed results
        error, size = sum_up(pieces, 2 * terms + 16), up(size, 2 * terms + 16)
        largest.append(float(np.max(size + error)))
        weights = [path.coefficient for path in starting]
        return _Sum(size=size, error=error, weights=weights, largest=float(np.max(largest)))


def _network(circuit: Circuit, tables: Mapping[str, _Matrix]) -> _Network:
    """Return the stored matrices and the products that make the tables: the tables themselves without weights."""
    if circuit.weights is None:
        own = {name: (Product(factors=(name,)),) for name in TABLES}
        return _Network(matrices=tables, products=own)
    matrices = {name: _Matrix(values=tensor, radius=0.0) for name, tensor in circuit.weights.tensors.items()}
    return _Network(matrices=matrices, products=circuit.weights.tables)


def _activated(tables: Mapping[str, _Matrix], activation: str, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, for each neuron, bounds on its computed output and on that output's error, over all inputs.

    ``a`` and ``b`` are independent: the largest preactivation is the sum of the two largest parts.
    """
    a, b = tables["A"], tables["B"]
    off = sum_up({"its error": error, "radius of A and B": a.radius + b.radius}, 2)
    above = np.nextafter(np.nextafter(a.columns.high + b.columns.high, np.inf) + off, np.inf)
    if activation == "relu":
        top = np.maximum(above, 0.0)
        # a neuron that no input opens is 0, computed or not
        return top, np.minimum(error, top)
    low = np.nextafter(a.columns.low + b.columns.low, -np.inf)
    return np.maximum(above, np.nextafter(off - low, np.inf)), error


def _upper(product: Product) -> float:
    return float(np.nextafter(abs(float(product.coefficient)), np.inf)) if abs(product.coefficient) != 1 else 1.0


def _gamma(roundings: Mapping[str, int]) -> float:
    """Return ``γ_k = k u / (1 − k u)`` of float32 for ``k`` roundings, rounded up; infinite from ``k u = 1/4`` on."""
    unit = sum(roundings.values()) * UNIT_ROUNDOFF_32
    return float(np.nextafter(unit / (1 - unit), np.inf)) if 0 < unit < 0.25 else 0.0 if unit <= 0 else np.inf
