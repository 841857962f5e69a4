"""Error against width: closed forms against direct sums and draws, and their rates."""

import numpy as np
import pytest

from quadlens.arrays import wrap_angle
from quadlens.errors import OptionError
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.rates import (
    even_certifying_width,
    even_error,
    even_phases,
    even_width_for,
    random_certifying_width,
    random_std,
    random_width_for,
    rate_curve,
    trained_point,
)
from quadlens.quadrature.rectangles import rectangle_bounds, sup_error
from quadlens.quadrature.waveform import waveform_values


@pytest.mark.parametrize("n", [4, 5, 6, 7, 10, 21, 50])
def test_even_error_is_the_measured_supremum(n):
    measured = sup_error(even_phases(n), wrap_angle(2 * even_phases(n)), np.ones(n))
    # the measured supremum is over a grid refined to 2π/4096/32³, at a smooth maximum or a kink of slope below 12
    assert measured == pytest.approx(even_error(n), abs=1e-6)


def test_even_error_has_rate_two_and_odd_widths_act_doubled():
    assert even_error(51) == even_error(102)
    assert even_error(400) / even_error(200) == pytest.approx(0.25, abs=1e-3)
    assert even_error(200) * 200**2 / np.pi**2 == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("c", [(0.0, 1.0), (0.3, 1.9, -0.25)])
def test_random_std_is_what_draws_show(c):
    rng = np.random.default_rng(0)
    w = rng.gamma(2.0, size=40)
    draws, x = 4000, 0.7
    phi = rng.uniform(-np.pi, np.pi, (draws, w.size))
    values = np.maximum(waveform_values(c, (phi + x).ravel()), 0).reshape(phi.shape)
    target = 2 * np.pi * waveform_harmonics(c, [-2])[0] * np.exp(-2j * x)
    error = (values * np.exp(2j * phi)) @ (2 * np.pi * w / w.sum()) - target
    rms = np.sqrt(np.mean(np.abs(error) ** 2)) / abs(target)
    # a root mean square of 4000 draws is off by about 1/√(2·4000) = 1.1 %; four times that
    assert rms == pytest.approx(random_std(w, c), rel=0.045)


def test_random_std_of_the_pizza_has_its_known_constant():
    expected = 1.5 * 2 * np.pi / 10 * np.sqrt(1 / 4 - 1 / (9 * np.pi**2))
    assert random_std(np.ones(100)) == pytest.approx(expected, rel=1e-12)


def test_certifying_widths():
    n = even_certifying_width(0.1)
    bounds = [rectangle_bounds(even_phases(k), wrap_angle(2 * even_phases(k)), np.ones(k)).total for k in (n, n - 2)]
    assert bounds[0] <= 0.1 < bounds[1]
    estimate = random_certifying_width(0.5, np.random.default_rng(1), draws=60, width=64)
    assert estimate.low <= estimate.value <= estimate.high
    assert estimate.value > 10 * even_certifying_width(0.5)  # what evenness is worth


def test_equivalent_widths_are_the_smallest():
    for error in (0.5, 0.02, 1e-4):
        n = even_width_for(error)
        assert even_error(n) <= error
        assert n <= 5 or even_error(n - 2) > error
        m = random_width_for(error)
        assert random_std(np.ones(min(m, 10**6))) * np.sqrt(min(m, 10**6) / m) <= error * (1 + 1e-12)


def test_rate_curve_and_progress():
    seen = []
    curve = rate_curve([64, 16], np.random.default_rng(2), draws=20, progress=seen.append)
    assert curve.widths.tolist() == [16, 64]
    assert seen == [0.5, 1.0]
    assert curve.random_error[0].value / curve.random_error[1].value == pytest.approx(2, rel=0.3)
    assert (curve.even_error <= curve.even_bound).all()
    assert all(curve.random_error[i].value <= curve.random_bound[i].value for i in range(2))
    assert curve.random_std[1] < curve.random_error[1].value  # the largest over x exceeds the root mean square at one x


def test_a_trained_looking_group_lies_between():
    rng = np.random.default_rng(3)
    phi = wrap_angle(even_phases(101) + rng.normal(0, 0.02, 101))
    point = trained_point(phi, wrap_angle(2 * phi), rng.uniform(0.9, 1.1, 101))
    assert point.width == 101
    assert point.effective_width < 101
    assert point.error <= point.bound
    assert point.even_width < 101 < point.random_width


def test_refusals():
    with pytest.raises(OptionError, match="at least 4 phases; got 3"):
        even_error(3)
    with pytest.raises(OptionError, match="positive and finite"):
        even_certifying_width(0.0)
    with pytest.raises(OptionError, match="second harmonic is zero"):
        random_std([1.0], [1.0])
    with pytest.raises(OptionError, match="widths of at least 4"):
        rate_curve([3], np.random.default_rng(0))
