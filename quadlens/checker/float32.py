r"""The checker's own float32 error bound: docs/certificates.md, section "Float32", in balls, one product at a time.

The error is linear in what it is made of, so each product of stored matrices is carried to the end by itself, and so
is what underflows in each sum. Whether float32 rounds a number is read from its mantissa here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.checker.tables import BallNetwork
from quadlens.circuits.circuit import Circuit

TABLES = ("A", "B", "U", "S_a", "S_b")
LEAST = 2.0**-126
"""The smallest normal number of float32: what is smaller may be flushed to zero."""
LARGEST = flint.arb(2) ** 127


def evaluation(circuit: Circuit) -> str:
    """Return which evaluation the bound is about: of the stored ``weights``, or of the ``tables``."""
    return "weights" if circuit.weights is not None else "tables"


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """Absolute values of a matrix (``arb_mat``), how far exact ones may be from them, and 1 if float32 rounds any."""

    sizes: Any
    radius: float
    rounded: int


@dataclass(frozen=True, kw_only=True)
class _Chain:
    """A row of sizes, off by ``off`` each and by roundings, and the matrices that it goes through."""

    size: Any
    off: Mapping[str, float]
    roundings: Mapping[str, int]
    names: tuple[str, ...]
    coefficient: Any


def float32_error_ball(network: BallNetwork) -> Any:
    """Return a ball of the bound, or None where none is proved."""
    circuit = network.circuit
    if circuit.activation not in ("relu", "abs"):
        return None
    stored, products = _read(circuit)
    coefficients = [coefficient for table in products.values() for _, coefficient in table]
    least = min((x.lower() for x in coefficients), default=flint.arb(1))
    if not least >= 2 * LEAST or not all(x <= LARGEST for x in coefficients):
        return None
    limit = LARGEST * least.min(flint.arb(1)) / 2
    if not all(x <= limit for name in _multiplying(products) for x in stored[name].sizes.entries()):
        return None
    tables = [name for name in TABLES if name != "U"]
    weights = _weighing([product for name in tables for product in products[name]])
    starts = {name: [_start(stored, weights, *product) for product in products[name]] for name in tables}
    before = _errors([*starts["A"], *starts["B"]], stored, limit, circuit.neurons)
    if before is None:
        return None
    computed, wrong = _after_activation(network, before)
    weights = _weighing(products["U"])
    ends = [_Chain(size=computed, off={}, roundings=weights, names=names, coefficient=c) for names, c in products["U"]]
    after = _errors([*ends, *starts["S_a"], *starts["S_b"]], stored, limit, circuit.p)
    if after is None:
        return None
    table = flint.arb_mat(circuit.neurons, circuit.p, [abs(x) for x in network.balls["U"].entries()])
    logits = _total({"logits": after, "neurons": wrong * table}).entries()
    first, second = flint.arb(0), flint.arb(0)
    for logit in logits:
        first, second = first.max(logit), second.max(first.min(logit))
    return _total({"one logit": first, "another": second})


def _errors(chains: Sequence[_Chain], stored: dict[str, _Stored], limit: Any, columns: int) -> Any:
    """Return the row of error bounds at the end of all chains, or None where a number may grow past ``limit``."""
    sums = {(), *(chain.names[k:] for chain in chains for k in range(len(chain.names) + 1))}
    begin = {at: [chain for chain in chains if chain.names == at] for at in sums}
    into = {at: [other for other in sums if other and other[1:] == at] for at in sums}
    counts = {
        at: {
            "starts": len(begin[at]),
            "rows": sum(stored[other[0]].sizes.nrows() for other in into[at]),
            "sources": sum(max(0, len(begin[other]) - 1) for other in into[at]),
        }
        for at in sums
    }
    seen: dict[tuple[str, ...], Any] = {}
    total = flint.arb_mat(1, columns)

    def carry(size: Any, error: Any, at: tuple[str, ...]) -> Any:
        while True:
            seen[at] = seen[at] + size + error if at in seen else size + error
            if not at:
                return error
            matrix, width = stored[at[0]], stored[at[0]].sizes.ncols()
            gamma = _gamma({**counts[at[1:]], "stored": matrix.rounded})
            exact, carried = size * matrix.sizes, error * matrix.sizes
            apart = _row(_sum(size) * matrix.radius, width)
            flushed = _row((_sum(size) + _sum(error)) * LEAST, width)
            products = (exact + carried) * gamma
            error = _total({"carried": carried, "products": products, "radius": apart, "flushed weights": flushed})
            size, at = exact, at[1:]

    for chain in chains:
        count = {**counts[chain.names], **chain.roundings}
        roundings = chain.size * _gamma({**count, "starts": count["starts"] - 1})
        off = {name: _row(flint.arb(x), chain.size.ncols()) for name, x in chain.off.items()}
        error = _total({"starts": roundings, **off}) * chain.coefficient
        total += carry(chain.size * chain.coefficient, error, chain.names)
    for at in sums:
        weights = sum((chain.coefficient for other in into[at] for chain in begin[other]), flint.arb(0))
        once = 3 * sum(counts[at].values()) * flint.arb(LEAST)
        flushed = _total({"flushed results": once, "flushed values": once * weights})
        row = _row(flushed, stored[at[0]].sizes.nrows() if at else columns)
        total += carry(row * 0, row, at)
    return total if all(x <= limit for row in seen.values() for x in row.entries()) else None


def _gamma(roundings: Mapping[str, int]) -> Any:
    unit = flint.arb(sum(roundings.values())) / 2**24
    return unit / (1 - unit) if unit < 0.25 else flint.arb("inf")


def _total(pieces: Mapping[str, Any]) -> Any:
    """Return the sum of an error's named pieces: each is shown to be needed."""
    first, *others = pieces.values()
    return sum(others, first)


def _sum(row: Any) -> Any:
    return sum(row.entries(), flint.arb(0))


def _row(value: Any, width: int) -> Any:
    return flint.arb_mat(1, width, [value] * width)


def _after_activation(network: BallNetwork, off: Any) -> tuple[Any, Any]:
    """Return rows of the largest computed outputs of the neurons, and of the errors of those outputs."""
    computed, wrong = [], []
    columns = [network.balls[name].transpose().tolist() for name in ("A", "B")]
    for of_a, of_b, error in zip(*columns, off.entries(), strict=True):
        high = _max(of_a) + _max(of_b)
        if network.circuit.activation == "relu":
            open_ = _total({"preactivation": high, "its error": error}).max(flint.arb(0))
            computed.append(open_)
            wrong.append(error.min(open_))
        else:
            low = _max([-x for x in of_a]) + _max([-x for x in of_b])
            computed.append(_total({"preactivation": high.max(low), "its error": error}))
            wrong.append(error)
    return flint.arb_mat(1, len(computed), computed), flint.arb_mat(1, len(wrong), wrong)


def _read(circuit: Circuit) -> tuple[dict[str, _Stored], dict[str, list[tuple[tuple[str, ...], Any]]]]:
    """Return the stored matrices by name, and each table's products: names of matrices and ``|coefficient|``."""
    if circuit.weights is None:
        stored = {name: _matrix(getattr(circuit, name), circuit.radius[name]) for name in TABLES}
        return stored, {name: [((name,), flint.arb(1))] for name in TABLES}
    weights = circuit.weights
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
    return {name: _matrix(tensor, 0.0) for name, tensor in weights.tensors.items()}, products


def _multiplying(products: Mapping[str, list[tuple[tuple[str, ...], Any]]]) -> set[str]:
    """Return the matrices that numbers are multiplied by; the rows that a chain starts with are numbers of its sum."""
    return {name for table in TABLES for names, _ in products[table] for name in names[table != "U" :]}


def _weighing(products: Sequence[tuple[tuple[str, ...], Any]]) -> dict[str, int]:
    """Return the roundings of weights that are not all 1; a bias has the sum of its sources', so it may have 1."""
    return {} if all(coefficient == 1 for _, coefficient in products) else {"weight": 2, "weighing": 1}


def _start(stored: Mapping[str, _Stored], weights: Any, names: tuple[str, ...], coefficient: Any) -> _Chain:
    first = stored[names[0]]
    highest = [_max(column) for column in first.sizes.transpose().tolist()]
    return _Chain(
        size=flint.arb_mat(1, len(highest), highest),
        off={"radius": first.radius, "flushed weights": LEAST},
        roundings={**weights, "stored": first.rounded},
        names=names[1:],
        coefficient=coefficient,
    )


def _matrix(values: Any, radius: float) -> _Stored:
    numbers = values.ravel().tolist()
    rows, columns = values.shape
    sizes = flint.arb_mat(rows, columns, [abs(flint.arb(x)) for x in numbers])
    return _Stored(sizes=sizes, radius=radius, rounded=int(any(map(_has_more_than_24_bits, numbers))))


def _has_more_than_24_bits(x: float) -> bool:
    return not math.ldexp(math.frexp(x)[0], 24).is_integer()


def _max(balls: list[Any]) -> Any:
    largest = balls[0]
    for ball in balls[1:]:
        largest = largest.max(ball)
    return largest
