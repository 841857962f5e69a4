"""The rectangle rule: its offset is the best one, its bounds hold, and they are not vacuous."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quadlens.arrays import wrap_angle
from quadlens.circuits.load import load
from quadlens.errors import NodeError
from quadlens.form.amplitude_phase import fit
from quadlens.quadrature.rectangles import TARGET_AMPLITUDE, gated_sup, rectangle_bounds, rectangle_rule, sup_error

OUTWARD = 1e-10  # more than the outward rounding of sums over up to 301 nodes, in units of the circle


def distance_at(rule, offset):
    """F at another offset, cell by cell with no shared formula: a midpoint sum."""
    share = (np.arange(400) + 0.5) / 400
    starts = rule.starts - rule.starts[0] + offset
    x = starts[:, None] + rule.weights[:, None] * share
    return (np.abs(x - rule.nodes[:, None]).mean(axis=1) * rule.weights).sum()


def even(n, start=-3.0):
    return wrap_angle(start + 2 * np.pi * np.arange(n) / n)


nodes = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-np.pi, np.pi), min_size=n, max_size=n),
        st.lists(st.floats(-np.pi, np.pi), min_size=n, max_size=n),
        st.lists(st.sampled_from([0.0, 1e-12, 0.1, 1.0, 1.0, 3.0, 50.0]), min_size=n, max_size=n).filter(any),
    )
)


@settings(max_examples=100, deadline=None)
@given(nodes)
def test_bounds_are_at_least_the_actual_error(case):
    phi, psi, w = map(np.array, case)
    bounds = rectangle_bounds(phi, psi, w)
    assert bounds.actual <= bounds.total
    locked = rectangle_bounds(phi, wrap_angle(2 * phi), w)
    assert locked.actual <= locked.direct
    assert locked.actual <= locked.folded + locked.identity
    assert locked.phase_mismatch <= OUTWARD


def test_bounds_hold_on_random_and_trained_looking_nodes():
    rng = np.random.default_rng(7)
    for case in range(400):
        n = int(rng.integers(1, 80))
        phi = even(n, rng.uniform(-3, 3)) if case % 2 else rng.uniform(-np.pi, np.pi, n)
        phi = wrap_angle(phi + rng.normal(0, 0.3, n) * (case % 3))
        psi = wrap_angle(2 * phi + rng.normal(0, 0.1, n) * (case % 5))
        bounds = rectangle_bounds(phi, psi, rng.gamma(2.0, size=n))
        assert bounds.actual <= bounds.total


@settings(max_examples=60, deadline=None)
@given(nodes, st.floats(-4, 4))
def test_no_other_offset_is_better(case, offset):
    phi, _, w = map(np.array, case)
    rule = rectangle_rule(phi, w)
    # the midpoint sum of a kinked integrand is off by at most width²/(4·400²) per cell
    assert rule.distance <= distance_at(rule, rule.starts[0] + offset) + (2 * np.pi / 400) ** 2 / 4 + OUTWARD


@settings(max_examples=100, deadline=None)
@given(nodes, st.floats(-3, 3))
def test_turning_the_circle_changes_nothing(case, turn):
    phi, psi, w = map(np.array, case)
    turned = rectangle_bounds(wrap_angle(phi + turn), wrap_angle(psi + 2 * turn), w)
    bounds = rectangle_bounds(phi, psi, w)
    for name in ("direct", "folded", "identity", "phase_mismatch"):
        assert getattr(turned, name) == pytest.approx(getattr(bounds, name), abs=OUTWARD)


@pytest.mark.parametrize("n", [1, 2, 3, 64, 301])
def test_equally_spaced_nodes(n):
    rule = rectangle_rule(even(n), np.ones(n))
    assert rule.distance == pytest.approx(np.pi**2 / n, abs=OUTWARD)
    bounds = rectangle_bounds(even(n), wrap_angle(2 * even(n)), np.full(n, 7.0))
    assert bounds.direct == pytest.approx(3 * np.pi**2 / n, abs=OUTWARD)


def test_rate_and_not_vacuous():
    totals = [rectangle_bounds(even(n), wrap_angle(2 * even(n)), np.ones(n)).total for n in (63, 127, 255)]
    assert totals[0] < 0.2  # the bound of predicting zero is 1
    assert totals[1] / totals[0] == pytest.approx(0.5, abs=0.02)
    assert totals[2] / totals[1] == pytest.approx(0.5, abs=0.02)


def test_cells_cover_one_period_without_overlap():
    rng = np.random.default_rng(0)
    rule = rectangle_rule(rng.uniform(-np.pi, np.pi, 50), rng.uniform(0, 1, 50))
    assert (rule.starts[1:] == rule.stops[:-1]).all()
    assert rule.stops[-1] - rule.starts[0] == pytest.approx(2 * np.pi, abs=1e-13)
    assert sorted(rule.order) == list(range(50))


def test_sup_error_against_a_direct_sum():
    rng = np.random.default_rng(1)
    (phi, psi), w = rng.uniform(-np.pi, np.pi, (2, 30)), rng.uniform(0, 1, 30)
    x = np.linspace(-np.pi, np.pi, 20001)
    scaled = 2 * np.pi * w / w.sum()
    direct = np.maximum(np.cos(np.add.outer(x, phi)), 0) @ (scaled * np.exp(1j * psi))
    expected = np.abs(direct - TARGET_AMPLITUDE * np.exp(-2j * x)).max() / TARGET_AMPLITUDE
    found = sup_error(phi, psi, w)
    # both are largest values over grids; the error's slope is below (2π + 4/3) / (2/3)
    assert expected <= found + (2 * np.pi + 4 / 3) / TARGET_AMPLITUDE * 2e-4
    assert found <= expected + (2 * np.pi + 4 / 3) / TARGET_AMPLITUDE * np.pi / 20000


@settings(max_examples=60, deadline=None)
@given(nodes)
def test_the_mismatch_bound_is_the_true_supremum(case):
    phi, psi, w = map(np.array, case)
    x = np.linspace(-np.pi, np.pi, 2001)
    terms = w * (np.exp(1j * psi) - np.exp(2j * phi))
    largest = np.abs(np.maximum(np.cos(np.add.outer(x, phi)), 0) @ terms).max()
    found = gated_sup(phi, terms)
    assert largest <= found
    assert found <= largest + 2 * w.sum() * np.pi / 2000 + OUTWARD * w.sum()  # slope at most Σ|t|, half a step away


def test_a_lying_bound_would_be_seen():
    # one neuron: the true error exceeds half of the direct bound's competitor, so halving any bound breaks the
    # inequality
    phi = np.array([0.3])
    bounds = rectangle_bounds(phi, 2 * phi, [1.0])
    assert bounds.actual > 0.5 * bounds.total


@pytest.mark.parametrize(
    ("phases", "weights", "message"),
    [
        ([], [], "at least 1"),
        ([0.0, 1.0], [1.0], "vectors of one length"),
        ([4.0], [1.0], r"in \[-π, π\]"),
        ([np.nan], [1.0], r"in \[-π, π\]"),
        ([0.0], [-1.0], "none negative"),
        ([0.0], [np.inf], "must be finite"),
        ([0.0, 1.0], [0.0, 0.0], "not all zero"),
    ],
)
def test_refusals(phases, weights, message):
    with pytest.raises(NodeError, match=message):
        rectangle_rule(phases, weights)


def test_output_phases_must_match():
    with pytest.raises(NodeError, match="vectors of one length"):
        rectangle_bounds([0.0, 1.0], [0.0], [1.0, 1.0])


@pytest.mark.parametrize(
    ("frequency", "direct", "folded", "mismatch", "actual"),
    [(3, 0.549, 0.196, 0.012, 0.018), (15, 0.820, 0.368, 0.021, 0.061), (17, 0.556, 0.221, 0.017, 0.044)],
)
def test_model_a(shared, frequency, direct, folded, mismatch, actual):
    form = fit(load(shared / "checkpoints" / "pizza" / "model_p99zdpze5l.pt"))
    members = next(group.members for group in form.groups if group.frequency == frequency)
    bounds = rectangle_bounds(form.phi[members], form.psi[members], form.weights[members])
    assert bounds.direct == pytest.approx(direct, abs=5e-4)
    assert bounds.folded == pytest.approx(folded, abs=5e-4)
    assert bounds.phase_mismatch <= mismatch  # the exact supremum, with cancellation between neurons
    assert bounds.actual == pytest.approx(actual, abs=5e-4)
