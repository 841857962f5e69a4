"""Closed-form harmonics: laws first, then values known by hand, then degenerate waveforms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quadlens.errors import OptionError, PrecisionError, WaveformError
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.waveform import group_waveform, waveform_values

TOLERANCE = 1e-13  # of harmonics whose waveform is of size 1: some tens of roundings
M = np.arange(-7, 8)


def random_waveforms(rng, count, degree):
    return rng.normal(size=(count, degree + 1)) + 1j * rng.normal(size=(count, degree + 1))


@pytest.mark.parametrize("activation", ["relu", "abs", "square", "gelu", "silu", "tanh"])
@pytest.mark.parametrize("degree", [0, 1, 2, 5])
def test_shifting_the_waveform_turns_its_harmonics(activation, degree):
    rng = np.random.default_rng(degree)
    c = random_waveforms(rng, 20, degree)
    shift = 0.8
    turned = c * np.exp(1j * shift * np.arange(degree + 1))
    expected = waveform_harmonics(c, M, activation) * np.exp(1j * M * shift)
    # a turned c_0 stays; its imaginary part never enters
    assert np.abs(waveform_harmonics(turned, M, activation) - expected).max() < 10 * TOLERANCE


@pytest.mark.parametrize("activation", ["relu", "abs", "square", "gelu"])
def test_negative_harmonics_are_conjugates(activation):
    c = random_waveforms(np.random.default_rng(1), 20, 2)
    positive = waveform_harmonics(c, [0, 1, 2, 9], activation)
    negative = waveform_harmonics(c, [0, -1, -2, -9], activation)
    assert np.abs(positive - negative.conj()).max() < TOLERANCE


def test_relu_is_half_the_sum_of_identity_and_absolute_value():
    c = random_waveforms(np.random.default_rng(2), 200, 3)
    identity = np.zeros((200, M.size), dtype=complex)
    for j in range(4):
        identity[:, j == M] += c[:, j, None] / (1 if j == 0 else 2)
        identity[:, -j == M] += c[:, j, None].conj() / 2 if j else 0
    identity[:, M == 0] = identity[:, M == 0].real
    both = waveform_harmonics(c, M, "relu") - 0.5 * waveform_harmonics(c, M, "abs") - 0.5 * identity
    assert np.abs(both).max() < TOLERANCE


def test_homogeneity_and_sign():
    c = random_waveforms(np.random.default_rng(3), 50, 2)
    h = waveform_harmonics(c, M)
    for factor in (1e-200, 3.0, 1e100):
        assert np.abs(waveform_harmonics(factor * c, M) / factor - h).max() < TOLERANCE
    assert np.abs(waveform_harmonics(-c, M, "abs") - waveform_harmonics(c, M, "abs")).max() < TOLERANCE


def test_harmonics_sum_to_the_function():
    c = np.array([0.2, 1.0, -0.3 + 0.1j])
    m, theta = np.arange(-400, 401), np.linspace(-3, 3, 17)
    series = (waveform_harmonics(c, m) * np.exp(1j * np.outer(theta, m))).sum(axis=1)
    # coefficients fall like m^-2 with a jump of the slope below 4 at up to 4 zeros: the tail is below 2·16/(2π·400)
    assert np.abs(series - np.maximum(waveform_values(c, theta), 0)).max() < 0.0128


def test_the_pizza_harmonics_known_in_closed_form():
    m = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expected = np.array([1 / np.pi, 0.25, *(np.cos(np.pi * m[2:] / 2) / (np.pi * (1 - m[2:] ** 2)))])
    assert np.abs(waveform_harmonics([0, 1], m) - expected).max() < 1e-15


def test_blind_spot_is_the_secondary_frequency():
    # at cos(ωkd/2) = 0 the first harmonic vanishes; with κ >= 2σ the ReLU is never inactive and ĥ_2 is the waveform's
    # own
    sigma = 0.1
    c = group_waveform(12, 1, 1, 1, -sigma, -sigma, 2 * sigma)[6]
    assert abs(c[1]) < 1e-15
    assert abs(waveform_harmonics(c, [2])[0]) == pytest.approx(sigma, abs=1e-15)


@pytest.mark.parametrize(
    ("c", "expected"),
    [
        ([5.0, 1.0, 0.3j], [5.0, 0.5, 0.15j]),  # κ > everything: the identity
        ([-5.0, 1.0, 0.3j], [0, 0, 0]),  # never active
        ([0.0, 0.0, 0.0], [0, 0, 0]),
        ([1.0, 1.0, 0.0], [1.0, 0.5, 0.0]),  # double zero at π
        ([1.0, 0.0, 1.0], [1.0, 0.0, 0.5]),  # two double zeros
        ([0.0, 1.0, 1e-18], [1 / np.pi, 0.25, 1 / (3 * np.pi)]),
        ([0.0, 1e-18, 1.0], [1 / np.pi, 0.0, 0.25]),
        ([2.0], [2.0, 0, 0]),
        ([-2.0], [0, 0, 0]),
    ],
)
def test_degenerate_waveforms(c, expected):
    assert np.abs(waveform_harmonics(c, [0, 1, 2]) - np.array(expected)).max() < 1e-15


sizes = st.sampled_from([0.0, 1e-14, 1e-7, 0.1, 1.0, 1.5, 3.0])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(sizes, st.floats(-4, 4)), min_size=1, max_size=4))
def test_degenerate_waveforms_agree_with_a_fine_sum(polar):
    c = np.array([size * np.exp(1j * turn) for size, turn in polar])
    points = 1 << 13
    theta = 2 * np.pi * np.arange(points) / points
    values = np.maximum(waveform_values(c, theta), 0)
    fine = np.fft.fft(values)[[0, 1, 2, 5]] / points
    # each kink costs the trapezoid rule at most |jump of slope| (2π/n)²/(8·2π)·(1 + …); 6 kinks of jumps up to 18
    assert np.abs(waveform_harmonics(c, [0, 1, 2, 5]) - fine).max() < 6 * 18 * (2 * np.pi / points) ** 2 / 8


def test_shapes_and_empty_requests():
    c = np.ones((2, 5, 3))
    assert waveform_harmonics(c, [1, 2, 3, 4]).shape == (2, 5, 4)
    assert waveform_harmonics(c, []).shape == (2, 5, 0)
    assert waveform_harmonics(np.ones((0, 3)), [2]).shape == (0, 1)
    assert waveform_harmonics(c, [], "gelu").shape == (2, 5, 0)


def test_smooth_activations_against_a_much_finer_rule():
    c = random_waveforms(np.random.default_rng(5), 8, 2) * 6
    points = 1 << 14
    theta = 2 * np.pi * np.arange(points) / points
    fine = np.fft.fft(np.tanh(waveform_values(c, theta)))[:, :20] / points
    assert np.abs(waveform_harmonics(c, range(20), "tanh") - fine).max() < TOLERANCE


def test_refusals():
    with pytest.raises(WaveformError, match="must be finite"):
        waveform_harmonics([np.inf, 1], [0])
    with pytest.raises(WaveformError, match="sequence of integers"):
        waveform_harmonics([0, 1], [0.5])
    with pytest.raises(OptionError, match="activation must be one of"):
        waveform_harmonics([0, 1], [0], "sine")
    with pytest.raises(PrecisionError, match="has not settled"):
        waveform_harmonics([3e5, 1e6], [0], "tanh")
    with pytest.raises(WaveformError, match="activation of a waveform is not finite"):
        waveform_harmonics([1.2e308, 1.2e308], [0], "gelu_tanh")
    with pytest.raises(WaveformError, match="square of a waveform is not finite"):
        waveform_harmonics([0, 1e200], [0], "square")
