"""Every piece of the float32 bounds is needed: without it, in the prover or the checker, a float32 pass is further off.

The networks are small enough to be written out: chains of 1 × 1 matrices, evaluated in np.float32 one operation at a
time in an order that docs/proved.md covers, and exactly in fractions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest

import quadlens as ql
from quadlens.certificates.record import float32 as prover
from quadlens.checker import float32 as checker
from quadlens.checker.tables import PRECISION, ball_network

single = np.float32
MANY = 20
LOST = 2.0**-25
"""Added to 1 it is lost in float32."""
FLUSHED = 2.0**-126 * (1 - 2.0**-20)
"""Just below the smallest normal number of float32."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A circuit and the error of one of its margins in a float32 pass."""

    circuit: ql.Circuit
    off: Fraction


def network(tables: Mapping[str, Any], activation: str = "relu", **tensors: Any) -> ql.Circuit:
    """p = 3, one neuron; products as names of matrices, ``x w``, or (names, coefficient). U gives answer 0 alone."""
    named = {name: np.atleast_2d(np.asarray(value, dtype=float)) for name, value in tensors.items()}
    named.setdefault("u", np.array([[1.0, 0.0, 0.0]]))
    products = {}
    for table, chains in ({"U": ["u"]} | dict(tables)).items():
        pairs = [chain if isinstance(chain, tuple) else (chain, 1) for chain in chains]
        products[table] = tuple(
            ql.Product(factors=tuple(names.split()), coefficient=Fraction(coefficient)) for names, coefficient in pairs
        )
    return ql.circuit_from_weights(ql.Weights(p=3, neurons=1, tensors=named, tables=products, activation=activation))


def case(circuit: ql.Circuit, computed: Any, exact: Any) -> Case:
    """The logit of answer 0 is off, all others are 0."""
    return Case(circuit=circuit, off=abs(Fraction(float(computed)) - Fraction(exact)))


def added(*terms: Any) -> Any:
    """One float32 addition after the other."""
    total = single(0)
    for term in terms:
        total = single(total + single(term))
    return total


def flush(x: Any) -> Any:
    return single(0) if abs(x) < 2.0**-126 else single(x)


def starts_beside_a_product() -> Case:
    found = network({"A": ["x w"], "B": ["s"] * MANY}, x=1, w=1, s=LOST)
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def starts_beside_a_start() -> Case:
    found = network({"A": ["x"], "B": ["s"] * MANY}, x=1, s=LOST)
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def rows_of_a_matrix() -> Case:
    found = network({"A": ["e w"]}, e=[1.0] + [LOST] * MANY, w=np.ones((MANY + 1, 1)))
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def rows_beside_a_start() -> Case:
    found = network({"A": ["e w"], "B": ["b"]}, e=[LOST] * MANY, w=np.ones((MANY, 1)), b=1)
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def sources_beside_a_start() -> Case:
    """Each source goes through w by itself, and is added to the bias."""
    found = network({"A": ["s w"] * MANY, "B": ["b"]}, s=LOST, w=1, b=1)
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def sources_beside_a_product() -> Case:
    """So they do where another head has a value."""
    found = network({"A": ["s w"] * MANY, "B": ["b v"]}, s=LOST, w=1, b=1, v=1)
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def lost_ahead_of_two_matrices() -> Case:
    """What a sum loses goes through w and v."""
    found = network({"A": ["x w v"], "B": ["s w v"] * MANY}, x=1, s=LOST, w=1, v=1)
    return case(found, added(1, *[LOST] * MANY), 1 + MANY * Fraction(LOST))


def lost_ahead_of_the_activation() -> Case:
    found = network({"A": ["x", "minus"], "B": ["s"] * MANY}, x=1, s=LOST, minus=-1)
    return case(found, added(1, *[LOST] * MANY, -1), MANY * Fraction(LOST))


def opened_by_rounding() -> Case:
    """Exactly 0, computed a quarter of 2^-23."""
    s = 0.75 * 2.0**-23
    found = network({"A": ["x", "minus"], "B": ["s", "t"]}, x=1, s=s, minus=-1, t=-s)
    return case(found, added(1, s, -1, -s), 0)


def just_above(generator: Any, size: int, bits: int = 24) -> Any:
    """Numbers of so many bits a little above 1, where a rounding is as large as it may be."""
    return 1 + generator.integers(1, 2 ** (bits - 8), size) * 2.0 ** (1 - bits)


def stored_ahead() -> Case:
    """The row x lies between two float32 numbers, and so does its product with u."""
    generator = np.random.default_rng(0)
    x, u = just_above(generator, 10**5, 48), just_above(generator, 10**5)
    computed = single(x) * single(u)
    at = np.argmax(np.abs(computed - x * u) / (x * u))
    found = network({"A": ["x"]}, x=x[at], u=[u[at], 0, 0])
    return case(found, computed[at], Fraction(x[at]) * Fraction(u[at]))


def stored_matrix() -> Case:
    """The matrix u lies between two float32 numbers, and so does its product with x."""
    generator = np.random.default_rng(0)
    x, u = just_above(generator, 10**5), just_above(generator, 10**5, 48)
    computed = single(x) * single(u)
    at = np.argmax(np.abs(computed - x * u) / (x * u))
    found = network({"A": ["x"]}, x=x[at], u=[u[at], 0, 0])
    return case(found, computed[at], Fraction(x[at]) * Fraction(u[at]))


def weighted(table: str = "A") -> Case:
    """A softmax of five equal scores rounds their sum and the quotient; then come two products, all one way."""
    generator = np.random.default_rng(0)
    size = 10**6
    score = single(1.65 * just_above(generator, size))
    weight = score / ((score + score) + (score + score) + score)
    x, u = single(generator.uniform(5, 5.3, size)), single(just_above(generator, size))
    computed = x * weight * u
    exact = np.float64(x) * np.float64(u) / 5
    at = np.argmax(np.abs(computed - exact) / exact)
    fifth = Fraction(1, 5)
    skips: dict[str, Any] = {name: {"U": [], name: [("x u", fifth)]} for name in ("S_a", "S_b")}
    networks = {"A": {"A": [("x", fifth)]}, "B": {"B": [("x", fifth)]}, "U": {"A": ["x"], "U": [("u", fifth)]}} | skips
    found = network(networks[table], x=x[at], u=[u[at], 0, 0])
    return case(found, computed[at], Fraction(float(x[at])) * Fraction(float(u[at])) / 5)


def rounded_logit(activation: str = "relu", sign: int = 1) -> Case:
    generator = np.random.default_rng(0)
    x, u = just_above(generator, 10**5), just_above(generator, 10**5)
    at = np.argmax(np.abs(single(x) * single(u) - x * u) / (x * u))
    found = network({"A": ["x"]}, activation, x=sign * x[at], u=[u[at], 0, 0])
    return case(found, single(x[at]) * single(u[at]), Fraction(x[at]) * Fraction(u[at]))


def two_rounded_logits() -> Case:
    one = rounded_logit()
    assert one.circuit.weights is not None
    x, u = (one.circuit.weights.tensors[name] for name in "xu")
    return Case(circuit=network({"A": ["x"]}, x=x, u=u - np.roll(u, 1)), off=2 * one.off)


def small_row() -> Case:
    """An attention weight of 64 makes what is flushed of a row larger than all else that is."""
    found = network({"A": [("x", 64)]}, x=FLUSHED)
    return case(found, single(64) * flush(FLUSHED), 64 * Fraction(FLUSHED))


def small_matrix() -> Case:
    found = network({"A": ["x w"]}, x=2.0**20, w=FLUSHED)
    return case(found, single(2.0**20) * flush(FLUSHED), 2**20 * Fraction(FLUSHED))


def small_product() -> Case:
    """Each of MANY products is flushed; what their source's values may lose is weighted by 1/64."""
    w = 2.0**-26 * (1 - 2.0**-20)
    found = network({"A": [("e w", Fraction(1, 64))]}, e=[2.0**-94] * MANY, w=np.full((MANY, 1), w))
    terms = [flush(single(2.0**-94) / 64 * single(w))] * MANY
    return case(found, added(*terms), MANY * Fraction(2.0**-100) * Fraction(w))


def small_value() -> Case:
    """A source's value is flushed before it is weighted by 64."""
    w = 2.0**-26 * (1 - 2.0**-20)
    found = network({"A": [("x w", 64)]}, x=2.0**-100, w=w)
    return case(found, single(64) * flush(2.0**-100 * w), 64 * Fraction(2.0**-100) * Fraction(w))


def within_radius(table: str) -> Case:
    """The tables are known within 1/2: the network's margin is larger by what that can do."""
    zeros = {"A": np.ones((3, 1)), "B": np.zeros((3, 1)), "U": np.array([[1.0, 0.0, 0.0]])}
    off = Fraction(1, 2) if table in ("A", "B") else Fraction(1)
    return Case(circuit=ql.Circuit(p=3, **zeros, radius={table: 0.5}), off=off)


PIECES: dict[str, tuple[str, str, Callable[[], Case]]] = {
    "starts, in a product's roundings": ("roundings", "starts", starts_beside_a_product),
    "starts, in a start's roundings": ("roundings", "starts", starts_beside_a_start),
    "rows, in a product's roundings": ("roundings", "rows", rows_of_a_matrix),
    "rows, in a start's roundings": ("roundings", "rows", rows_beside_a_start),
    "sources, in a start's roundings": ("roundings", "sources", sources_beside_a_start),
    "sources, in a product's roundings": ("roundings", "sources", sources_beside_a_product),
    "stored, of a row": ("roundings", "stored", stored_ahead),
    "stored, of a matrix": ("roundings", "stored", stored_matrix),
    "one of the weight's roundings": ("roundings", "weight", weighted),
    "the weight's product": ("roundings", "weighing", weighted),
    "the weight's product, in B": ("roundings", "weighing", lambda: weighted("B")),
    "the weight's product, in U": ("roundings", "weighing", lambda: weighted("U")),
    "the weight's product, in S_a": ("roundings", "weighing", lambda: weighted("S_a")),
    "the weight's product, in S_b": ("roundings", "weighing", lambda: weighted("S_b")),
    "starts": ("error", "starts", starts_beside_a_start),
    "products": ("error", "products", rows_of_a_matrix),
    "carried": ("error", "carried", lost_ahead_of_two_matrices),
    "radius of a row": ("error", "radius", lambda: within_radius("S_b")),
    "radius of A": ("error", "radius", lambda: within_radius("A")),
    "radius of a matrix": ("error", "radius", lambda: within_radius("U")),
    "flushed row": ("error", "flushed weights", small_row),
    "flushed matrix": ("error", "flushed weights", small_matrix),
    "flushed results": ("error", "flushed results", small_product),
    "flushed values": ("error", "flushed values", small_value),
    "error of the neurons": ("error", "neurons", lost_ahead_of_the_activation),
    "error of a neuron that opens": ("error", "its error", opened_by_rounding),
    "error of the logits": ("error", "logits", rounded_logit),
    "error of one logit": ("error", "one logit", two_rounded_logits),
    "error of another": ("error", "another", two_rounded_logits),
}
"""What is left out, whether it is a count of roundings (one less) or a summand (0), and the network that needs it."""

UNIT_TESTED = {"radius of A and B", "radius of U"}
"""Of the prover's float64 tables alone; the tests of their inequalities are below."""


def bound_of_prover(circuit: ql.Circuit) -> Fraction:
    error = prover.float32_margin_error(circuit)
    assert error is not None
    return Fraction(error)


def bound_of_checker(circuit: ql.Circuit) -> Fraction:
    with flint.ctx.workprec(PRECISION):
        ball = checker.float32_error_ball(ball_network(circuit))
        assert ball is not None
        return Fraction(float(ball.upper()))


SIDES = {"prover": (prover, "sum_up", bound_of_prover), "checker": (checker, "_total", bound_of_checker)}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("what", PIECES)
def test_without_the_piece_a_pass_is_further_off(what, side, monkeypatch):
    module, adds, bound = SIDES[side]
    kind, piece, make = PIECES[what]
    given = make()
    assert given.off <= bound(given.circuit)
    gamma, total = module._gamma, getattr(module, adds)
    # the sums of many lose all of their count, the others one
    less = MANY if piece in ("starts", "rows", "sources") else 1

    def fewer(roundings: Mapping[str, int]) -> Any:
        return gamma({name: max(0, k - less) if name == piece else k for name, k in roundings.items()})

    def without(pieces: Mapping[str, Any], *rest: Any) -> Any:
        return total({name: 0 * value if name == piece else value for name, value in pieces.items()}, *rest)

    monkeypatch.setattr(module, *(("_gamma", fewer) if kind == "roundings" else (adds, without)))
    assert given.off > bound(given.circuit)


@pytest.mark.parametrize("side", SIDES)
def test_every_piece_there_is_has_its_network(side, monkeypatch):
    module, adds, bound = SIDES[side]
    gamma, total = module._gamma, getattr(module, adds)
    seen: dict[str, set[str]] = {"roundings": set(), "error": set()}

    def watched_gamma(roundings: Mapping[str, int]) -> Any:
        seen["roundings"].update(roundings)
        return gamma(roundings)

    def watched_total(pieces: Mapping[str, Any], *rest: Any) -> Any:
        seen["error"].update(pieces)
        return total(pieces, *rest)

    monkeypatch.setattr(module, "_gamma", watched_gamma)
    monkeypatch.setattr(module, adds, watched_total)
    for make in (weighted, small_value):
        bound(make().circuit)
    for kind, names in seen.items():
        assert names - UNIT_TESTED - {"preactivation"} == {piece for k, piece, _ in PIECES.values() if k == kind}


def cancelling(generator: Any) -> tuple[Any, Any, Fraction]:
    """A row and a column whose exact product is larger in size than its float64 product, by far more than an ulp."""
    while True:
        left, right = 1e8 * generator.standard_normal(6), 1e8 * generator.standard_normal(6)
        row = np.concatenate([left, left])
        column = np.concatenate([right, -right * (1 + 2.0**-40 * generator.standard_normal(6))])
        exact = sum(Fraction(x) * Fraction(y) for x, y in zip(row.tolist(), column.tolist(), strict=True))
        computed = Fraction(float(row @ column))
        if exact > 0 and exact - computed > abs(computed) * Fraction(2) ** -40:
            return row[None, :], column[:, None], exact


def test_the_largest_preactivation_is_that_of_the_exact_table(monkeypatch):
    row, column, exact = cancelling(np.random.default_rng(0))
    circuit = network({"A": ["e w"]}, e=row, w=column)
    tables = {name: prover._Matrix(values=getattr(circuit, name), radius=circuit.radius[name]) for name in "AB"}
    assert Fraction(prover._activated(tables, "relu", np.zeros(1))[0][0]) >= exact
    total = prover.sum_up
    monkeypatch.setattr(prover, "sum_up", lambda pieces, n: total({"its error": pieces["its error"]}, n))
    assert Fraction(prover._activated(tables, "relu", np.zeros(1))[0][0]) < exact


def test_the_error_of_the_neurons_meets_the_exact_table(monkeypatch):
    row, column, exact = cancelling(np.random.default_rng(0))
    circuit = network({"A": ["x"], "U": ["e w"]}, x=1.5, e=row, w=column * np.array([1.0, 0, 0]))
    activated, total, seen = prover._activated, prover.sum_up, {}

    def watched(pieces: Mapping[str, Any], operations: int) -> Any:
        seen.update(pieces)
        return total(pieces, operations)

    monkeypatch.setattr(prover, "_activated", lambda *given: (activated(*given)[0], np.ones(1)))
    monkeypatch.setattr(prover, "sum_up", watched)
    prover.float32_margin_error(circuit)
    reached = Fraction(seen["neurons"][0])
    assert reached < exact <= reached + Fraction(seen["radius of U"])


@pytest.mark.parametrize("side", SIDES)
def test_the_absolute_value_of_a_negative_number_is_rounded_too(side):
    """Without the smallest preactivation the bound would be that of an output 0."""
    given = rounded_logit("abs", -1)
    assert given.off <= SIDES[side][2](given.circuit) < 2 * given.off


OVERFLOWING: dict[str, tuple[ql.Circuit, Callable[[], Any]]] = {
    "a sum": (network({"A": ["x"] * 3}, x=2.0**127), lambda: added(*[2.0**127] * 3)),
    "a product": (network({"A": ["x w"]}, x=2.0**100, w=2.0**30), lambda: single(2.0**100) * single(2.0**30)),
    "a row": (network({"A": ["x w"]}, x=2.0**130, w=2.0**-100), lambda: single(2.0**130) * single(2.0**-100)),
    "a matrix after zeros": (network({"A": ["x w"]}, x=0, w=2.0**130), lambda: single(0) * single(2.0**130)),
    "U of a closed neuron": (network({"A": ["x"]}, x=-1, u=[2.0**130, 0, 0]), lambda: single(0) * single(2.0**130)),
    "a logit": (network({"A": ["x"]}, x=2.0**100, u=[2.0**30, 0, 0]), lambda: single(2.0**100) * single(2.0**30)),
    "a value before its weight": (
        network({"A": [("x w", Fraction(2) ** -20)]}, x=2.0**100, w=2.0**30),
        lambda: single(2.0**-20) * (single(2.0**100) * single(2.0**30)),
    ),
    "a weight": (network({"A": [("x", 2**130)]}, x=2.0**-100), lambda: single(2.0**130) * single(2.0**-100)),
    "a weight that is flushed": (
        network({"A": [("x", Fraction(1, 2**127))]}, x=2.0**100, u=[0.25, 0, 0]),
        lambda: np.nan if flush(2.0**-127) == 0 else 0,
    ),
}
"""Networks that exact arithmetic evaluates, and what float32 makes of them."""


@pytest.mark.parametrize("what", OVERFLOWING)
def test_nothing_is_claimed_where_a_pass_overflows(what):
    circuit, computed = OVERFLOWING[what]
    with np.errstate(all="ignore"):
        assert not np.isfinite(computed())
    assert prover.float32_margin_error(circuit) is None
    with flint.ctx.workprec(PRECISION):
        assert checker.float32_error_ball(ball_network(circuit)) is None


def test_prover_and_checker_agree_on_what_may_overflow():
    """The large row has a weight that makes it small; the small weight is another's."""
    chains = [("x", Fraction(1, 4)), ("s", Fraction(1, 2**20))]
    circuit = network({"A": chains}, x=2.0**107, s=1)
    assert bound_of_checker(circuit) <= bound_of_prover(circuit)


@pytest.mark.parametrize("module", [prover, checker])
def test_a_sum_of_four_million_terms_has_no_bound(module):
    """``γ_k`` is proved for ``k u < 1``, and what is flushed grows by at most 4/3 for ``γ_k <= 1/3``."""
    assert module._gamma({"rows": 2**22 - 1}) < 1 / 3 + 1e-6
    assert not module._gamma({"rows": 2**22}) < np.finfo(float).max


@pytest.mark.parametrize(
    "make", [lambda: rows_of_a_matrix().circuit, lambda: ql.construct(p=11, frequencies=[1], neurons=30)]
)
def test_blocks_are_all_looked_at(make, monkeypatch):
    circuit = make()
    whole, own = bound_of_prover(circuit), bound_of_checker(circuit)
    monkeypatch.setattr(prover, "BLOCK", 8)
    assert own <= bound_of_prover(circuit)
    assert abs(bound_of_prover(circuit) - whole) <= whole * Fraction(1e-12)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("matrix", ["x", "w"])
def test_one_entry_between_two_float32_numbers_counts(side, matrix, monkeypatch):
    """The last one, of rows that numbers start with or of a matrix, in a block of its own."""
    monkeypatch.setattr(prover, "BLOCK", 1)
    bounds = []
    for last in (1.0, 1 + 2.0**-23, 1 + 2.0**-24):
        tensors = {"x": np.ones((3, MANY)), "w": np.ones((MANY, 1))}
        tensors[matrix][-1, -1] = last
        bounds.append(float(SIDES[side][2](network({"A": ["x w"]}, **tensors))))
    assert bounds[1] < bounds[0] * (1 + 1e-6) < bounds[2]
