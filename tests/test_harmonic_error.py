"""The harmonic form of a rule's error: it is the error, its bound holds, its tail is real, and it names the culprit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quadlens.arrays import wrap_angle
from quadlens.errors import NodeError, OptionError
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.harmonics import exponential_sums, harmonic_error, kink_tail
from quadlens.quadrature.rectangles import sup_error
from quadlens.quadrature.waveform import group_waveform, waveform_values

THETA = np.linspace(-np.pi, np.pi, 721)


def even(n, start=-3.0):
    return wrap_angle(start + 2 * np.pi * np.arange(n) / n)


def true_error(c, phi, psi, w):
    """The rule minus its integral on a grid of θ, summed neuron by neuron."""
    scaled = 2 * np.pi * np.asarray(w) / np.sum(w)
    shifted = THETA[:, None] + phi
    values = np.maximum(waveform_values(c, shifted.ravel()), 0).reshape(shifted.shape)
    target = 2 * np.pi * waveform_harmonics(c, [-2])[0] * np.exp(-2j * THETA)
    return values @ (scaled * np.exp(1j * psi)) - target


def random_rule(rng, n):
    phi = wrap_angle(even(n, rng.uniform(-3, 3)) + rng.normal(0, 0.2, n))
    return phi, wrap_angle(2 * phi + rng.normal(0, 0.05, n)), rng.gamma(3.0, size=n)


@pytest.mark.parametrize("c", [[0.0, 1.0], [0.3, 1.9, -0.2 + 0.05j], [-0.4, 0.1, 0.2]])
def test_the_terms_are_the_error(c):
    phi, psi, w = random_rule(np.random.default_rng(0), 37)
    found = harmonic_error(c, phi, psi, w, highest=2000)
    series = np.exp(1j * np.outer(THETA, found.orders)) @ found.terms
    assert np.abs(series - true_error(c, phi, psi, w)).max() <= found.tail
    assert found.tail < 0.01


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(2, 90))
def test_the_bound_holds(seed, n, highest):
    rng = np.random.default_rng(seed)
    phi, psi, w = random_rule(rng, n)
    c = rng.normal(size=3) + 1j * rng.normal(size=3) * np.array([0, 1, 1])
    if seed % 3 == 0:
        c = c * [1, 1, 0]
    elif seed % 3 == 1:
        c = c * [0, 1, 0]
    bound = harmonic_error(c, phi, psi, w, highest=highest).bound
    assert np.abs(true_error(c, phi, psi, w)).max() <= bound


@pytest.mark.parametrize("highest", [3, 10, 50])
def test_the_tail_covers_the_harmonics_it_stands_for(highest):
    rng = np.random.default_rng(1)
    c = rng.normal(size=(200, 3)) + 1j * rng.normal(size=(200, 3))
    h = np.abs(waveform_harmonics(c, np.arange(highest + 1, 600))).sum(axis=1)
    tail = kink_tail(c, highest)
    assert (4 * np.pi * h <= tail + 1e-12).all()  # rounding of 600 harmonics that are zero
    # K/m² is what the harmonics do in the root mean square: the tail is within a small factor of them where kinks
    # dominate
    kinked = h > 1e-9
    assert np.median(tail[kinked] / (4 * np.pi * h[kinked])) < 6


def test_bounds_of_every_d_at_once_and_not_vacuous():
    rng = np.random.default_rng(2)
    phi = wrap_angle(even(171) + rng.normal(0, 0.02, 171))
    psi, w = wrap_angle(2 * phi + rng.normal(0, 0.02, 171)), rng.uniform(0.8, 1.2, 171)
    c = group_waveform(59, 3, 0.98, 1.02, -0.1, -0.125, 0.2)
    found = harmonic_error(c, phi, psi, w)
    assert found.bound.shape == (59,)
    assert (found.bound < found.target).all()  # predicting zero is off by the target
    assert found.bound.max() < 0.2 * found.target.max()


def test_equally_spaced_locked_phases_leave_only_aliases():
    n = 41
    found = harmonic_error([0.0, 1.0], even(n), wrap_angle(2 * even(n)), np.ones(n), highest=200)
    alive = found.orders[np.abs(found.terms) > 1e-12]
    assert (((alive + 2) % n) == 0).all()
    assert -2 not in alive


def test_agrees_with_the_measured_sup_for_the_pizza():
    phi, psi, w = random_rule(np.random.default_rng(3), 100)
    bound = harmonic_error([0.0, 1.0], phi, psi, w, highest=400).bound
    actual = sup_error(phi, psi, w) * 2 / 3
    assert actual <= bound
    assert bound < 4 * actual


def test_the_blamed_harmonic_is_the_planted_one():
    phi = even(64)
    crowded = wrap_angle(phi + 0.1 * np.sin(2 * phi))  # density with a second harmonic: Σ e^{2iφ} is not 0
    found = harmonic_error([0.0, 1.0], crowded, wrap_angle(2 * crowded), np.ones(64))
    assert found.blame == 0
    assert "unevenness at 2φ" in found.blamed_sum()
    unlocked = harmonic_error([0.0, 1.0], phi, wrap_angle(2 * phi + 0.4), np.ones(64))
    assert unlocked.blame == -2
    assert "not locked" in unlocked.blamed_sum()


def test_refusals():
    with pytest.raises(OptionError, match="at least 2, the target's; got 1"):
        exponential_sums([0.0], [0.0], [1.0], 1)
    with pytest.raises(NodeError, match="vectors of one length"):
        harmonic_error([0, 1], [0.0], [0.0, 1.0], [1.0])
