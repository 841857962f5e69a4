"""Every piece of an error bound is needed: without it, there is a network whose exact margin lies outside."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.compute.namespace import namespace_of
from quadlens.certificates.exact import single_inputs
from quadlens.certificates.exact.exact_tables import exact_tables
from quadlens.certificates.methods import brute_force, interval
from quadlens.circuits.circuit import TABLES

P = 3
JUST_BELOW = 0.99 * 2.0**-53
"""Added to 1 it is lost, and is nearly all that can be lost."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A circuit, and the network that it stands for: itself, or one that lies within its radius."""

    circuit: ql.Circuit
    network: ql.Circuit


def circuit(n: int, **tables: Any) -> ql.Circuit:
    """p = 3, tables zero but for those given, each spread over its shape."""
    shapes = {"A": (P, n), "B": (P, n), "U": (n, P), "S_a": (P, P), "S_b": (P, P)}
    whole = {name: np.array(np.broadcast_to(tables.pop(name, 0.0), shape)) for name, shape in shapes.items()}
    return ql.Circuit(p=P, **whole, **tables)


def itself(found: ql.Circuit) -> Case:
    return Case(circuit=found, network=found)


def column(values: Any) -> Any:
    """U with these logits for the answer 0, and zeros."""
    return np.stack([values, 0 * values, 0 * values], axis=1)


def lost_sums(seed: int) -> Case:
    """2,000 products just too small to change the sum of a few large ones, in whatever order they are added."""
    generator = np.random.default_rng(seed)
    values = np.where(generator.random(2000) < 1 / 64, 1.0, generator.choice([-1, 1]) * JUST_BELOW / 2)
    return itself(circuit(2000, A=1.0, U=column(values)))


def all_one_way(seed: int, activation: str) -> Case:
    """One neuron and a skip path: every rounding of the margin goes nearly as far as it may."""
    generator = np.random.default_rng(seed)
    x, y, z = (1 + generator.integers(0, 2**30) * 2.0**-52 for _ in range(3))
    U = np.array([[y, -z, -z]])
    lost = np.array([[1.0, -1.0, -1.0]]) * JUST_BELOW
    return itself(circuit(1, A=x, B=JUST_BELOW, U=U, S_a=lost, S_b=lost, activation=activation))


def lost_skip(seed: int) -> Case:
    """Rows of the skip path that lose what they add, with a small margin."""
    other = (1 - 2.0**-52, 0.5)[seed % 2]
    sign = (1, -1)[seed // 2 % 2]
    S_a = np.array([[1.0, other, other]])
    return itself(circuit(1, S_a=S_a, S_b=sign * np.array([[1.0, -other / 2, -other / 2]]) * JUST_BELOW))


def lost_products(seed: int) -> Case:
    """64 products just below half of the smallest float64, beside a large one or none."""
    values = np.full(65, 0.98 * 2.0**-535)
    values[0] = (0.0, 2.0**-534 * 50)[seed % 2]
    return itself(circuit(65, A=2.0**-540, U=column((1, -1)[seed // 2 % 2] * values)))


def within_radius(seed: int, names: tuple[str, ...], activation: str) -> Case:
    """The network in the circuit's radius whose margin is farthest from the circuit's."""
    generator = np.random.default_rng(seed)
    sign = (1.0, -1.0)[seed % 2]
    base = circuit(
        3,
        A=generator.uniform(1, 2, (P, 3)),
        B=generator.uniform(1, 2, (P, 3)),
        U=sign * np.array([[4.0, -4.0, -4.0]]),
        activation=activation,
    )
    tables = {name: np.array(getattr(base, name)) for name in TABLES}
    for name in names:
        tables[name] += 0.25 if name in "AB" else 0.25 * sign * np.array([1.0, -1.0, -1.0])
    return Case(
        circuit=ql.Circuit(p=P, **{name: getattr(base, name) for name in TABLES}, radius=dict.fromkeys(names, 0.25),
                           activation=activation),
        network=ql.Circuit(p=P, **tables, activation=activation),
    )  # fmt: skip


def products_of_weights(seed: int) -> Case:
    """A table that is a product of weights which cancel: its entries are as small as what its float64 product loses."""
    generator = np.random.default_rng(seed)
    size = 10.0 ** generator.uniform(4, 12)
    left, right = size * generator.standard_normal((4, 6)), size * generator.standard_normal((6, P))
    tensors = {
        "A": np.ones((P, 4)),
        "left": np.hstack([left, left]),
        "right": np.vstack([right, -right * (1 + 2.0**-30 * generator.standard_normal(right.shape))]),
    }
    tables = {"A": (ql.Product(factors=("A",)),), "U": (ql.Product(factors=("left", "right")),)}
    return itself(ql.circuit_from_weights(ql.Weights(p=P, neurons=4, tensors=tensors, tables=tables)))


Bound = tuple[int, int, int | None, Fraction, Fraction]
"""Inputs a, b, another answer (None: the margin, against all of them), and bounds of that margin."""
Bounds = Callable[[ql.Circuit], Iterator[Bound]]


def brute_bounds(found: ql.Circuit) -> Iterator[Bound]:
    return _brute_bounds(found, None)


def torch_bounds(found: ql.Circuit) -> Iterator[Bound]:
    return _brute_bounds(found, "cpu")


def _brute_bounds(found: ql.Circuit, device: str | None) -> Iterator[Bound]:
    return banded(*brute_force.margins_and_bands(brute_force.Network.of(found, namespace_of(device)), slice(0, P)))


def banded(margins: Any, bands: Any) -> Iterator[Bound]:
    """Bounds by a band, without the rounding of their own that would hide what the band lacks."""
    for a, b in product(range(P), repeat=2):
        margin, band = Fraction(float(margins[a, b])), Fraction(float(bands[a, b]))
        yield a, b, None, margin - band, margin + band


def interval_bounds(found: ql.Circuit) -> Iterator[Bound]:
    for a, b in product(range(P), repeat=2):
        low = interval._box_margins(found, np.array([a]), np.array([b]))
        yield a, b, None, Fraction(float(low[0])), Fraction(10) ** 400


def single_bounds(found: ql.Circuit) -> Iterator[Bound]:
    # what the radius of U can do, as the provers' rounding term has it
    tables = 2 * found.radius["U"] * float(np.abs(found.A).max(axis=0).sum() + np.abs(found.B).max(axis=0).sum())
    single = single_inputs.SingleInputs(found, tables)
    for d, delta in product(range(P), (1, 2)):
        b = np.arange(P)
        decided = single.margins(d, b, np.full(P, delta))
        for each, low, high in zip(b.tolist(), decided.lower, decided.upper, strict=True):
            yield (d + each) % P, each, (d + 2 * each + delta) % P, Fraction(float(low)), Fraction(float(high))


@pytest.fixture(autouse=True)
def _float64_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """What float64 leaves wide open is evaluated in integers, which would hide what its bound lacks."""
    monkeypatch.setattr(single_inputs, "WIDE", 1e30)


BOUNDS: dict[str, tuple[ModuleType, Bounds]] = {
    "brute-force": (brute_force, brute_bounds),
    "brute-force by torch": (brute_force, torch_bounds),
    "interval": (interval, interval_bounds),
    "single inputs": (single_inputs, single_bounds),
}

SATURATED = {
    "preactivations": lambda seed: all_one_way(seed, "relu"),
    "difference": lambda seed: all_one_way(seed, "relu"),
    "logits": lambda seed: all_one_way(seed, "abs"),
    "activations": lambda seed: all_one_way(seed, "square"),
    "enclosure": lambda seed: all_one_way(seed, "square"),
    "slope": lambda seed: all_one_way(seed, "square"),
}
WITHIN = {
    "radius of A and B": lambda seed: within_radius(seed, ("A", "B"), ("relu", "abs", "square")[seed // 2 % 3]),
    "radius of U": lambda seed: within_radius(seed, ("U",), ("relu", "abs")[seed // 2 % 2]),
    "radius of S": lambda seed: within_radius(seed, ("S_a", "S_b"), "relu"),
}
BRUTE = {**SATURATED, **WITHIN, "products": lost_sums, "skip": lost_skip, "underflow": lost_products}
NEEDED: dict[str, dict[str, Callable[[int], Case]]] = {
    "brute-force": BRUTE,
    "brute-force by torch": BRUTE,
    "interval": {**WITHIN, "sums": lost_sums, "underflow": lost_products},
    "single inputs": {
        "products": lost_sums,
        "skip": lost_skip,
        "underflow": lost_products,
        "tables": products_of_weights,
    },
}
PIECES = [(method, piece) for method, pieces in NEEDED.items() for piece in pieces]
SEEDS = 3000
"""Most circuits that are tried before a piece is said not to be needed; a few do for all but the saturated ones."""


def outside(bounds: Bounds, case: Case) -> bool:
    """Whether an exact margin of the network lies outside its bounds."""
    exact = exact_tables(case.network)
    for a, b, c, low, high in bounds(case.circuit):
        others = [other for other in range(P) if other != (a + b) % P] if c is None else [c]
        margin = Fraction(min(exact.margin(a, b, other) for other in others), exact.denominator)
        if not low <= margin <= high:
            return True
    return False


@pytest.mark.parametrize(("method", "piece"), PIECES)
def test_without_the_piece_a_margin_is_outside(method, piece, monkeypatch):
    module, bounds = BOUNDS[method]
    whole = module.sum_up

    def without(pieces: Any, operations: int, xp: Any = np) -> Any:
        return whole({name: value for name, value in pieces.items() if name != piece}, operations, xp)

    for seed in range(SEEDS):
        case = NEEDED[method][piece](seed)
        monkeypatch.setattr(module, "sum_up", without)
        needed = outside(bounds, case)
        monkeypatch.setattr(module, "sum_up", whole)
        assert not outside(bounds, case)
        if needed:
            return
    pytest.fail(f"{method} keeps its promise without {piece} on {SEEDS} circuits")


@pytest.mark.parametrize("method", BOUNDS)
def test_every_piece_there_is_has_its_circuits(method, monkeypatch):
    """A new piece without circuits, or circuits for a piece that is gone, would go unnoticed."""
    module, bounds = BOUNDS[method]
    whole, seen = module.sum_up, set()

    def watched(pieces: Any, operations: int, xp: Any = np) -> Any:
        seen.update(pieces)
        return whole(pieces, operations, xp)

    monkeypatch.setattr(module, "sum_up", watched)
    for activation in ("relu", "square"):
        if method != "single inputs" or activation == "relu":
            list(bounds(all_one_way(0, activation).circuit))
    assert seen == set(NEEDED[method]) | ({"preactivations"} if method == "interval" else set())


def test_the_interval_of_preactivations_needs_their_rounding(monkeypatch):
    """Margins have their sums' rounding to cover it; so what is held to it is the interval itself."""
    radius = 2.0**-52 + 2.0**-54 * (1 - 2.0**-40)
    found = circuit(1, A=1.0, B=2.0**-53 * 1.001, radius={"A": radius})
    least = Fraction(1.0) + Fraction(2.0**-53 * 1.001) - Fraction(radius)
    rows = np.array([0]), np.array([0])
    assert Fraction(interval._preactivations(found, *rows)[0][0]) <= least
    whole = interval.sum_up
    monkeypatch.setattr(interval, "sum_up", lambda pieces, n: whole({"radius": pieces["radius of A and B"]}, n))
    assert Fraction(interval._preactivations(found, *rows)[0][0]) > least


@pytest.mark.parametrize("method", BOUNDS)
def test_one_rounding_for_each_product_is_not_enough(method, monkeypatch):
    """γ_1 in place of γ_{n+4} passed every test once."""
    module, bounds = BOUNDS[method]
    whole, short = module.sum_up, "sums" if method == "interval" else "products"
    cases = [lost_sums(seed) for seed in range(4)]

    def one_each(pieces: Any, operations: int, xp: Any = np) -> Any:
        changed = {name: value / 2000 if name == short else value for name, value in pieces.items()}
        return whole(changed, operations, xp)

    assert not any(outside(bounds, case) for case in cases)
    monkeypatch.setattr(module, "sum_up", one_each)
    assert any(outside(bounds, case) for case in cases)
