"""Proved bounds of the ladder's terms: at least the actual value on every circuit tried, and tight where they should
be.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quadlens.circuits.bundled import bundled
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.construct import construct
from quadlens.circuits.load import load
from quadlens.decomposition.bounds import ladder_bounds
from quadlens.decomposition.ladder import decompose
from quadlens.decomposition.matrix_norms import scaled_product, spectral_norm
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import fit


def check(circuit, highest=48):
    """Every bound is finite and at least the actual value, in both norms, in total and for every frequency."""
    form = fit(circuit)
    actual = decompose(circuit, form)
    bounds = ladder_bounds(circuit, form, actual.exact_norm, highest=highest)
    for term, bound in zip(actual.terms, bounds, strict=True):
        assert term.name == bound.name
        assert term.relative_l2 <= bound.relative_l2.value
        assert term.max_abs <= bound.max_abs.value
        assert all(np.isfinite(bound.per_frequency))
        limits = zip(term.frequencies, bound.per_frequency, bound.per_frequency_max_abs, strict=True)
        for part, l2, largest in limits:
            assert part.relative_l2 <= l2
            assert part.max_abs <= largest <= bound.max_abs.value * (1 + 1e-9)
    return actual, bounds


def planted(rng, p, n, noise):
    """Neurons with waves at one or two frequencies, output phases more or less locked, noise on every table."""
    k = rng.integers(1, max(2, (p - 1) // 2 + 1), n)
    k = np.where(rng.random(n) < 0.7, k[0], k)
    phi, r, u = rng.uniform(-np.pi, np.pi, n), rng.gamma(2.0, size=n), rng.gamma(2.0, size=n)
    angle = 2 * np.pi / p * k * np.arange(p)[:, None] + phi
    second = rng.normal(0, 0.2)
    A = r * (np.cos(angle) + second * np.cos(2 * angle))
    B = r * (np.cos(angle) + second * np.cos(2 * angle) + rng.normal(0, 0.5))
    U = u[:, None] * np.cos(2 * np.pi / p * k[:, None] * np.arange(p) + 2 * phi[:, None] + rng.normal(0, noise, (n, 1)))
    tables = [table + noise * rng.normal(size=table.shape) for table in (A, B, U)]
    return Circuit(p=p, A=tables[0], B=tables[1], U=tables[2])


def test_bounds_hold_on_320_random_circuits():
    rng = np.random.default_rng(0)
    for case in range(320):
        p, n = int(rng.integers(3, 12)), int(rng.integers(1, 10))
        check(planted(rng, p, n, [0.0, 1e-9, 0.01, 0.3, 3.0][case % 5]), highest=int(rng.integers(4, 24)))


entries = st.sampled_from([0.0, 0.0, 1e-12, -1e-3, 0.5, -1.0, 1.0, 2.0, -30.0])


@settings(max_examples=190, deadline=None)
@given(st.data())
def test_bounds_hold_on_adversarial_circuits(data):
    p, n = data.draw(st.integers(3, 6)), data.draw(st.integers(1, 3))
    A, B = (np.array(data.draw(st.lists(entries, min_size=p * n, max_size=p * n))).reshape(p, n) for _ in range(2))
    U = np.array(data.draw(st.lists(entries, min_size=p * n, max_size=p * n))).reshape(n, p)
    hidden = np.maximum(A[:, None, :] + B[None, :, :], 0)
    # a network whose logits do not depend on c is refused (tested below)
    if np.ptp(hidden @ U, axis=-1).max() > 1e-6:
        check(Circuit(p=p, A=A, B=B, U=U), highest=8)


def test_nothing_is_vacuous_on_a_trained_network_and_exact_forms_are_tight():
    actual, bounds = check(bundled(), highest=256)
    assert all(bound.relative_l2.value < 1 for bound in bounds)
    ratios = [bound.relative_l2.value / term.relative_l2 for term, bound in zip(actual.terms, bounds, strict=True)]
    assert ratios[3] < 1.05  # phase mismatch: Parseval, exact but for the tail
    assert ratios[4] < 2.0  # quadrature
    assert ratios[5] < 1 + 1e-7  # secondary frequency: closed form, over a norm with its own rounding taken off
    assert max(ratios) < 15


def test_nothing_is_vacuous_on_model_a(shared):
    actual, bounds = check(load(shared / "checkpoints" / "pizza" / "model_p99zdpze5l.pt"), highest=256)
    assert all(bound.relative_l2.value < 0.5 for bound in bounds)
    assert [bound.name for bound in bounds] == [term.name for term in actual.terms]


def test_frequencies_make_up_the_total():
    _, bounds = check(planted(np.random.default_rng(1), 11, 12, 0.1))
    for bound in bounds[1:]:  # orthogonal in c
        assert np.linalg.norm(bound.per_frequency) == pytest.approx(bound.relative_l2.value, rel=1e-9)
    assert sum(bounds[0].per_frequency) == pytest.approx(bounds[0].relative_l2.value, rel=1e-9)


def test_a_constructed_network_has_only_quadrature_and_secondary_terms():
    _, bounds = check(construct(p=23, frequencies=(3, 5), neurons=60), highest=256)
    assert all(bounds[index].relative_l2.value < 1e-9 for index in (0, 1, 2, 3))
    assert bounds[4].relative_l2.value < 0.1


def test_the_bound_falls_with_more_harmonics():
    circuit = construct(p=23, frequencies=(3,), neurons=80)
    _, few = check(circuit, highest=16)
    _, many = check(circuit, highest=400)
    assert many[4].relative_l2.value < 0.2 * few[4].relative_l2.value


def test_spectral_norm_bound():
    rng = np.random.default_rng(2)
    for shape in ((5, 40), (40, 5), (30, 30), (1, 7)):
        matrix = rng.normal(size=shape)
        true = np.linalg.norm(matrix, 2)
        assert true <= spectral_norm(matrix, 0.0) <= 1.05 * true
    assert spectral_norm(np.zeros((3, 3)), 0.25) == 0.25


def test_scaled_product_bound():
    rng = np.random.default_rng(3)
    for _ in range(50):
        R, v = rng.normal(size=(60, 9)) * rng.gamma(1.0, size=9), rng.normal(size=9) + 1j * rng.normal(size=9)
        true = np.linalg.norm(R @ np.stack([v.real, v.imag], axis=1))
        assert true <= scaled_product((R**2).sum(axis=0), v)
    # aligned rows meet it
    v = np.exp(2j * np.pi * np.arange(8) / 8)
    aligned = np.outer(np.ones(4), v.real)
    # every neuron has energy 4 v², the bound knows no signs: at most √2 above
    assert scaled_product((aligned**2).sum(axis=0), v) <= 2 * np.linalg.norm(aligned @ np.stack([v.real, v.imag]).T)


def test_refusals():
    circuit = planted(np.random.default_rng(4), 7, 5, 0.1)
    other = Circuit(p=7, A=circuit.A, B=circuit.B, U=circuit.U, activation="tanh")
    form = fit(other)
    with pytest.raises(OptionError, match="need relu; got tanh"):
        ladder_bounds(other, form, 1.0)
    form = fit(circuit)
    with pytest.raises(OptionError, match="nothing to be relative to"):
        ladder_bounds(circuit, form, 0.0)


def test_the_decomposition_carries_the_bounds():
    circuit = planted(np.random.default_rng(6), 7, 5, 0.1)
    for term in decompose(circuit).to_dict()["terms"]:
        assert term["relative_l2"] <= term["bound"]
        assert term["max_abs"] <= term["max_abs_bound"]
        assert len(term["frequency_bounds"]) == len(fit(circuit).groups)
        assert [part["frequency"] for part in term["frequencies"]] == [g.frequency for g in fit(circuit).groups]
        assert all(part["relative_l2"] <= part["bound"] for part in term["frequencies"])
        assert all(part["max_abs"] <= part["max_abs_bound"] for part in term["frequencies"])
    smooth = Circuit(p=7, A=circuit.A, B=circuit.B, U=circuit.U, activation="tanh")
    for term in decompose(smooth).to_dict()["terms"]:
        assert term["bound"] is None
        assert term["frequency_bounds"] == []
        assert all(part["bound"] is None and part["relative_l2"] >= 0 for part in term["frequencies"])
    mute = Circuit(p=7, A=circuit.A, B=circuit.B, U=np.zeros((5, 7)))
    assert all(term["bound"] is None for term in decompose(mute).to_dict()["terms"])
