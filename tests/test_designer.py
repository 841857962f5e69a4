"""The designer of secondary frequency and bias."""

import numpy as np
import pytest

from quadlens.errors import OptionError
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.designer import design, flatness, group_flatness, response, smallest_width

ANGLES = np.linspace(-np.pi, np.pi, 721)


def test_the_pure_pizza_is_blind():
    assert flatness(0.0, 0.0, ANGLES) < 1e-15
    assert flatness(0.0, -9.0, ANGLES) == 0.0


@pytest.mark.parametrize(("sigma", "kappa"), [(0.1, 0.2), (0.1375, 0.345), (0.05, 1.0)])
def test_response_at_the_blind_spot_is_sigma(sigma, kappa):
    assert response(sigma, kappa, np.array([np.pi]))[0] == pytest.approx(sigma, abs=1e-15)


def test_response_is_even_in_the_angle():
    assert np.abs(response(0.12, 0.3, ANGLES) - response(0.12, 0.3, -ANGLES)).max() < 1e-14


def test_the_continuum_optimum():
    best = design()
    # on a fine grid of angles; a coarse one misses the narrow dip and finds 0.832
    assert best.flatness == pytest.approx(0.830, abs=2e-3)
    assert best.sigma == pytest.approx(0.1375, abs=3e-3)
    assert best.kappa == pytest.approx(0.345, abs=2e-2)
    assert flatness(1 / 8, np.sqrt(2) - 1, ANGLES) == pytest.approx(0.780, abs=1e-3)
    rng = np.random.default_rng(0)
    for sigma, kappa in rng.uniform([0.10, 0.2], [0.18, 0.5], (60, 2)):
        assert flatness(sigma, kappa, best.angles) <= best.flatness


def test_few_residues_can_only_be_flatter():
    assert design(7).flatness >= design(59).flatness >= design().flatness - 1e-6
    assert design(12, 5).flatness == pytest.approx(design(12, 1).flatness, abs=1e-6)
    assert design(12, 4).flatness >= design(12, 1).flatness


def test_group_flatness_is_that_of_its_waveforms():
    residues = 2 * np.pi * np.arange(11) / 11
    assert group_flatness(11, 3, 1, 1, -0.1, -0.1, 0.2) == pytest.approx(flatness(0.1, 0.2, residues), abs=1e-12)


def test_smallest_width_holds_and_the_next_smaller_does_not():
    n = smallest_width(11, 1, 0.1375, 0.345, 0.1)
    theta = np.linspace(-np.pi, np.pi, 100)
    c = np.array([0.345, 2.0, -0.275])

    def worst(k):
        phi = 2 * np.pi * np.arange(k) / k
        values = np.maximum(0.345 + 2 * np.cos(theta[:, None] + phi) - 0.275 * np.cos(2 * (theta[:, None] + phi)), 0)
        target = waveform_harmonics(c, [-2])[0] * np.exp(-2j * theta)
        return np.abs(values @ np.exp(2j * phi) / k - target).max() / abs(target[0])

    assert worst(n) <= 0.1
    assert n <= 31


def test_refusals():
    with pytest.raises(OptionError, match="not a multiple of p; got 7, 14"):
        design(7, 14)
    with pytest.raises(OptionError, match="no odd width up to 5"):
        smallest_width(11, 1, 0.1375, 0.345, 1e-6, largest=5)
