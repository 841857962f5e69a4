"""Zeros of waveforms: the signs returned are wrong only where |H| is below the proved residual."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quadlens.errors import WaveformError
from quadlens.quadrature.waveform import group_waveform, waveform_slopes, waveform_values
from quadlens.quadrature.zeros import waveform_zeros
from quadlens.rounding import SMALLEST

GRID = np.linspace(-np.pi, np.pi, 2001)[:-1]
ROUNDING = 1e-14  # of a value H(θ) of size 10, in the tests' own evaluation


def signs_on(found, theta):
    """The returned sign at each angle of a vector, for every waveform."""
    arc = (theta[:, None] > found.zeros[..., None, :]).sum(axis=-1)
    return np.take_along_axis(found.signs, arc, axis=-1)


def wrong_by(c, found, theta):
    """|H| where the returned sign is not that of H, zero elsewhere."""
    values = waveform_values(c, theta)
    return np.where(np.sign(values) != signs_on(found, theta), np.abs(values), 0.0)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, 6])
def test_signs_hold_up_to_the_residual(degree):
    rng = np.random.default_rng(degree)
    c = rng.normal(size=(300, degree + 1)) + 1j * rng.normal(size=(300, degree + 1))
    found = waveform_zeros(c)
    assert (wrong_by(c, found, GRID) <= found.residual[:, None]).all()
    assert found.residual.max() < 1e-9  # not vacuous: H is of size 1
    assert (found.count % 2 == 0).all()
    assert (np.diff(found.edges, axis=-1) >= 0).all()


def test_a_wrong_zero_would_be_seen():
    c = np.array([[0.3, 1.0, 0.2j]])
    found = waveform_zeros(c)
    moved = GRID + 0.01
    values = waveform_values(c, GRID)
    broken = np.where(np.sign(values) != signs_on(found, moved), np.abs(values), 0.0)
    assert broken.max() > found.residual[0]


small = st.sampled_from([0.0, 1e-300, 1e-16, 1e-8, 1e-3, 0.5, 1.0, 2.0, 1e8])
angle = st.floats(-4, 4)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(small, angle), min_size=1, max_size=4))
def test_degenerate_waveforms_keep_the_residual(polar):
    c = np.array([[size * np.exp(1j * turn) for size, turn in polar]])
    found = waveform_zeros(c)
    scale = np.abs(c).sum()
    assert (wrong_by(c, found, GRID) <= found.residual[:, None] + ROUNDING * scale).all()
    assert found.residual[0] <= 1e-10 * scale + SMALLEST


@pytest.mark.parametrize(
    ("c", "count"),
    [
        ([0.0, 1.0], 2),
        ([2.0, 1.0], 0),
        ([-2.0, 1.0], 0),
        ([0.0, 0.0, 1.0], 4),
        ([0.0, 1.0, 1e-17], 2),
        ([0.0, 0.0, 0.0], 0),
        ([3.0], 0),
        ([0.0], 0),
    ],
)
def test_known_counts(c, count):
    found = waveform_zeros(c)
    assert found.count == count
    assert np.abs(waveform_values(c, found.zeros[:count])).max(initial=0) <= 1e-14


def test_a_double_zero_has_count_0_or_2_and_no_sign_change_that_matters():
    c = [1.0, 1.0]  # 1 + cos θ
    found = waveform_zeros(c)
    assert found.count in (0, 2)
    assert wrong_by(np.array([c]), waveform_zeros([c]), GRID).max() <= found.residual


def test_signs_of_constants_and_of_zero():
    assert waveform_zeros([[2.0], [-1.0], [0.0]]).signs.tolist() == [[1], [-1], [0]]
    assert waveform_zeros([[5.0, 1.0], [-5.0, 1.0]]).signs[:, 0].tolist() == [1, -1]


def test_refuses_what_is_not_finite_and_what_is_empty():
    with pytest.raises(WaveformError, match="must be finite"):
        waveform_zeros([1.0, np.nan])
    with pytest.raises(WaveformError, match="got shape"):
        waveform_zeros([])


def test_group_waveform_is_the_sum_of_both_tokens_waves():
    p, k, b = 13, 3, 5
    e_A, e_B, s_A, s_B, kappa, phi = 1.1, 0.9 + 0.1j, -0.1, -0.12j, 0.3, 0.7
    c = group_waveform(p, k, e_A, e_B, s_A, s_B, kappa)
    omega = 2 * np.pi / p
    for a in range(p):
        at, bt = omega * k * a + phi, omega * k * b + phi
        from_a = (e_A * np.exp(1j * at) + s_A * np.exp(2j * at)).real
        direct = from_a + (e_B * np.exp(1j * bt) + s_B * np.exp(2j * bt)).real + kappa
        assert waveform_values(c[(a - b) % p], [bt])[0] == pytest.approx(direct, abs=1e-13)


def test_slopes_are_the_derivative():
    c = np.array([0.2, 1.0 + 0.5j, -0.3j])
    h = 1e-6
    central = (waveform_values(c, GRID + h) - waveform_values(c, GRID - h)) / (2 * h)
    assert np.abs(central - waveform_slopes(c, GRID)).max() < 1e-8


def test_group_waveform_refuses_p_below_3():
    with pytest.raises(WaveformError, match="p must be at least 3; got 2"):
        group_waveform(2, 1, 1, 1, 0, 0, 0)
