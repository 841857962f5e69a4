"""Brute force in float64: what it certifies is right, what it calls wrong is wrong, and its bands hold every exact
margin."""

from dataclasses import replace
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.activations import ACTIVATIONS, activation_named
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.exact.activation_enclosure import REACH, STEPS, enclosed_activation
from quadlens.certificates.exact.exact_tables import exact_tables
from quadlens.certificates.methods import brute_force
from quadlens.certificates.methods.brute_force import Network, certify_brute_force, margin_bounds
from quadlens.certificates.methods.exact import certify_exact, row_margins
from quadlens.certificates.record.float32 import float32_margin_error
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.forward import logits

SMOOTH = ("gelu", "gelu_tanh", "silu", "tanh", "sin")


def bounds_of(circuit, rows):
    return margin_bounds(Network.of(circuit, numpy_namespace()), rows)


def random_circuit(seed: int, p: int, n: int, activation: str, scale: float = 1.0) -> ql.Circuit:
    generator = np.random.default_rng(seed)
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables = {name: scale * generator.standard_normal(shape) for name, shape in shapes.items()}
    return ql.Circuit(p=p, activation=activation, **tables)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    p=st.integers(3, 8),
    n=st.integers(1, 40),
    activation=st.sampled_from(["relu", "abs", "square"]),
    scale=st.sampled_from([1e-200, 1e-30, 1.0, 1e30, 1e90]),
)
def test_bands_hold_the_exact_margins(seed, p, n, activation, scale):
    circuit = random_circuit(seed, p, n, activation, scale)
    tables = exact_tables(circuit)
    for a in range(p):
        bounds = bounds_of(circuit, slice(a, a + 1))
        for b, margin in enumerate(row_margins(tables, a)):
            exact = Fraction(margin, tables.denominator)
            assert Fraction(bounds.low[0, b]) <= exact <= Fraction(bounds.high[0, b])


@pytest.mark.parametrize("activation", ["relu", "abs", "square"])
def test_agrees_with_exact_and_is_not_vacuous(activation):
    circuit = ql.construct(p=23, frequencies=[2, 5], neurons=60, noise=0.05, activation=activation)
    found, exact = certify_brute_force(circuit), certify_exact(circuit)
    assert found.certified_accuracy == exact.certified_accuracy
    assert found.misclassified == exact.misclassified
    assert found.margin_lower_bound is not None
    assert exact.margin_lower_bound is not None
    # 60 terms of size 1 and unit roundoff 1e-16: the band is far below 1e-10
    assert exact.margin_lower_bound - 1e-10 < found.margin_lower_bound <= exact.margin_lower_bound


def tied_circuit(seed: int, gap: float = 0.0) -> ql.Circuit:
    """Return a network whose right logit is the sum of 200 numbers and whose others are sums of the same numbers,
    shuffled.

    All margins are exactly ``-gap`` in real arithmetic; in float64 they come out on either side of it.
    """
    generator = np.random.default_rng(seed)
    p, m = 5, 200
    values = generator.standard_normal(m)
    A, B = np.full((p, p * m), -2.0), np.full((p, p * m), -2.0)
    U = np.empty((p * m, p))
    for y in range(p):  # block y is active where a + b = y
        for c in range(p):
            U[y * m : (y + 1) * m, c] = generator.permutation(values)
    S_b = np.zeros((p, p))
    for a in range(p):
        # with b = 0 only: the other inputs stay below zero in every block and tie at 0
        A[a, a * m : (a + 1) * m] = 3.0
    S_a = np.zeros((p, p))
    S_a[np.arange(p), np.arange(p)] = -gap
    return ql.Circuit(p=p, A=A, B=B, U=U, S_a=S_a, S_b=S_b)


def test_ties_that_float64_breaks_are_never_certified():
    broken = 0
    for seed in range(5):
        circuit = tied_circuit(seed)
        assert certify_exact(circuit).certified_inputs == 0
        broken += round(ql.evaluate(circuit).accuracy * 25)
        found = certify_brute_force(circuit)
        assert found.certified_inputs == 0
        assert "margins within the rounding error" in found.blame[0]
        bounds = bounds_of(circuit, slice(0, circuit.p))
        shown = found.blame[0].split("at most ")[1].split(";")[0].replace("−", "-")
        assert Fraction(shown) >= max(
            Fraction(high) - Fraction(low) for low, high in zip(bounds.low.flat, bounds.high.flat, strict=True)
        )
    assert broken > 0  # plain float64 does call ties right, so the test above can fail


def test_dropping_the_rounding_term_certifies_ties(monkeypatch):
    monkeypatch.setattr(brute_force, "sum_up", lambda pieces, operations, xp: np.zeros(1))
    assert sum(certify_brute_force(tied_circuit(seed)).certified_inputs for seed in range(5)) > 0


def test_radius_widens_the_band():
    circuit = ql.construct(p=7, frequencies=[1, 2], neurons=30)
    bounds = bounds_of(circuit, slice(0, 7))
    for name in TABLES:
        wide = bounds_of(replace(circuit, radius={name: 1e-3}), slice(0, 7))
        assert (wide.low < bounds.low - 1e-4).all()
        table = getattr(circuit, name)
        moved = table + 1e-3 * np.sign(np.random.default_rng(1).standard_normal(table.shape))
        inside = bounds_of(replace(circuit, **{name: moved}), slice(0, 7))
        assert (wide.low <= inside.high).all()
        assert (inside.low <= wide.high).all()
        assert (inside.low >= wide.low - 1e-9).all()  # 1e-9: the band of the moved circuit itself


@pytest.mark.parametrize("activation", SMOOTH)
def test_smooth_activations_hold_against_mpmath(activation):
    circuit = random_circuit(3, 4, 3, activation, 2.0)
    p = circuit.p
    bounds = bounds_of(circuit, slice(0, p))
    with mpmath.workdps(40):
        act = REFERENCE[activation]
        for a in range(p):
            for b in range(p):
                hidden = [act(mpmath.mpf(x) + mpmath.mpf(y)) for x, y in zip(circuit.A[a], circuit.B[b], strict=True)]
                logits = [
                    mpmath.fsum(h * mpmath.mpf(u) for h, u in zip(hidden, circuit.U[:, c], strict=True))
                    + mpmath.mpf(circuit.S_a[a, c]) + mpmath.mpf(circuit.S_b[b, c])
                    for c in range(p)
                ]  # fmt: skip
                correct = logits.pop((a + b) % p)
                margin = correct - max(logits)
                assert mpmath.mpf(bounds.low[a, b]) <= margin <= mpmath.mpf(bounds.high[a, b])
                assert bounds.high[a, b] - bounds.low[a, b] < 1e-12  # 3 terms of size 10 at unit roundoff 1e-16


REFERENCE = {
    "gelu": lambda x: x * mpmath.ncdf(x) if abs(x) < 1000 else max(x, 0),  # mpmath overflows
    "gelu_tanh": lambda x: x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3))) / 2,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "sin": mpmath.sin,
}


def corners() -> list[float]:
    nodes = [k / STEPS for k in (0, 1, -1, 2, 63, -63, 1000, -1000, REACH * STEPS, -REACH * STEPS)]
    middles = [(k + 0.5) / STEPS for k in (0, -1, 5, -5, 600, -600)]
    near = [np.nextafter(x, side) for x in nodes + middles for side in (-np.inf, np.inf)]
    return [*nodes, *middles, *near, 1e-300, -1e-300, 5e-324, -5e-324, 1e-9, 40.004, -40.004, 50.0, 1e300, -1e300]


@pytest.mark.parametrize("activation", SMOOTH)
def test_activation_errors_are_proved_and_small(activation):
    generator = np.random.default_rng(7)
    x = np.concatenate([corners(), generator.uniform(-45, 45, 500), generator.standard_normal(500)])
    y, error = enclosed_activation(activation, x)
    with mpmath.workdps(60):
        for point, value, bound in zip(x.tolist(), y.tolist(), error.tolist(), strict=True):
            assert abs(REFERENCE[activation](mpmath.mpf(point)) - mpmath.mpf(value)) <= mpmath.mpf(bound)
    # a few units in the last place, the tails, and the wide balls of the remainder of GELU's tanh form
    small = error <= 8e-16 * (7 + np.minimum(np.abs(x), REACH))
    assert (small | ((activation == "sin") & (np.abs(x) > REACH) & (error <= np.nextafter(1, 2)))).all()


@pytest.mark.parametrize("activation", SMOOTH)
def test_activation_values_are_those_of_the_forward_pass(activation):
    x = np.linspace(-50, 50, 20_001) if activation != "sin" else np.linspace(-REACH, REACH, 20_001)
    y, _ = enclosed_activation(activation, x)
    # libm and scipy are good to a few units in the last place
    assert np.abs(y - activation_named(activation).apply(x)).max() <= 4e-16 * 50


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_lipschitz_constants_bound_the_derivative(name):
    lipschitz = activation_named(name).lipschitz
    if lipschitz is None:
        assert name == "square"
        return
    x = np.linspace(-8, 8, 4001)
    y, error = enclosed_activation(name, x)
    steepest = (np.abs(np.diff(y)) / np.diff(x)).max()
    assert steepest <= lipschitz + 2 * error.max() / np.diff(x).min()
    assert steepest >= lipschitz - 2e-4  # not a wasteful constant


def _silu_slope(x: flint.arb) -> flint.arb:
    sigma = 1 / (1 + (-x).exp())
    return sigma + x * sigma * (1 - sigma)


def _gelu_slope(x: flint.arb) -> flint.arb:
    density = (-x * x / 2).exp() / (2 * flint.arb.pi()).sqrt()
    return (1 + (x / flint.arb(2).sqrt()).erf()) / 2 + x * density


def _gelu_tanh_slope(x: flint.arb) -> flint.arb:
    root = (2 / flint.arb.pi()).sqrt()
    sigma = 1 / (1 + (-2 * root * (x + flint.arb("0.044715") * x**3)).exp())
    return sigma + x * sigma * (1 - sigma) * 2 * root * (1 + flint.arb("0.134145") * x * x)


@pytest.mark.parametrize(
    ("name", "slope"), [("silu", _silu_slope), ("gelu", _gelu_slope), ("gelu_tanh", _gelu_tanh_slope)]
)
def test_lipschitz_constants_are_proved_in_balls(name, slope):
    """Bisect [-12, 12]; beyond it the slope is within ``3 x³ e^-x < 0.04`` of 0 or 1 for all three."""
    lipschitz = activation_named(name).lipschitz
    assert lipschitz is not None
    intervals = [(-12.0, 12.0)]
    while intervals:
        low, high = intervals.pop()
        middle, half = (low + high) / 2, (high - low) / 2
        assert half > 1e-9
        if not abs(slope(flint.arb(middle, half))) < lipschitz:
            intervals += [(low, middle), (middle, high)]


def test_overflow_is_refused_not_certified():
    circuit = ql.construct(p=5, frequencies=[1, 2], neurons=20)
    huge = ql.Circuit(p=5, A=circuit.A * 1e200, B=circuit.B * 1e200, U=circuit.U * 1e200)
    found = certify_brute_force(huge)
    assert found.verdict.startswith("refused: a logit or its error bound overflows")
    assert found.classes == ()
    assert not found.succeeded


def test_progress_ends_at_one():
    seen: list[float] = []
    certify_brute_force(ql.construct(p=5, frequencies=[1, 2], neurons=20), progress=seen.append)
    assert seen[-1] == 1.0


def float32_logits(circuit: ql.Circuit, generator: np.random.Generator) -> np.ndarray:
    """Evaluate in float32 with the neurons in random order."""
    order = generator.permutation(circuit.neurons)
    A, B, U, S_a, S_b = (getattr(circuit, name).astype(np.float32) for name in TABLES)
    total = S_a[:, None, :] + S_b[None, :, :]
    for i in order:
        total = total + np.maximum(A[:, None, i] + B[None, :, i], np.float32(0))[..., None] * U[i]
    return np.asarray(total)


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e9])
def test_float32_error_holds_for_random_orders(scale):
    generator = np.random.default_rng(0)
    base = ql.construct(p=11, frequencies=[1, 3], neurons=50, noise=0.1)
    skip = scale**2 * base.A @ base.U
    circuit = ql.Circuit(p=11, A=base.A * scale, B=base.B * scale, U=base.U * scale, S_a=skip)
    error = float32_margin_error(circuit)
    assert error is not None
    exact = logits(circuit, slice(0, circuit.p))
    worst = 0.0
    for _ in range(10):
        difference = float32_logits(circuit, generator).astype(np.float64) - exact
        # the error of a margin is a difference of two errors
        spread = difference.max(axis=-1) - difference.min(axis=-1)
        worst = max(worst, float(spread.max()))
    assert 0 < worst <= error
    assert error < 1e5 * worst  # an a-priori bound, but not an absurd one




def test_float32_is_not_claimed_where_it_may_overflow_or_is_unknown():
    circuit = ql.construct(p=5, frequencies=[1, 2], neurons=20)
    assert float32_margin_error(circuit) is not None
    assert float32_margin_error(replace(circuit, A=circuit.A * 1e39, U=circuit.U * 1e-39)) is None
    assert float32_margin_error(replace(circuit, activation="gelu")) is None


