"""The four ways to the ideal integrals agree: closed form, mpmath, scipy, and rigorous balls."""

import numpy as np
import pytest
from flint import acb, arb, ctx

from quadlens.errors import OptionError, PrecisionError, WaveformError
from quadlens.quadrature.adaptive import adaptive_harmonics
from quadlens.quadrature.balls import harmonic_balls
from quadlens.quadrature.closed_form import harmonics_rounding, waveform_harmonics
from quadlens.quadrature.high_precision import harmonics_to_digits
from quadlens.quadrature.waveform import group_waveform

AGREEMENT = 1e-12  # asked of all four, for waveforms of size 1


def product(first, second):
    """Coefficients c of the product of two waveforms given by two-sided coefficients of degree 1."""
    two_sided = np.convolve(first, second)
    return np.array([two_sided[2], 2 * two_sided[3], 2 * two_sided[4]])


def factor(zero, level=1.0):
    """``level - cos(θ - zero)``: a double zero where level = 1."""
    return np.array([-0.5 * np.exp(1j * zero), level, -0.5 * np.exp(-1j * zero)])


def parameter_sets(count):
    """Waveforms of size about 1, a tenth of them of each degenerate kind."""
    rng = np.random.default_rng(4)
    sets = []
    for case in range(count):
        c = rng.normal(size=3) + 1j * rng.normal(size=3)
        c[0] = c[0].real
        a, b = rng.uniform(-np.pi, np.pi, 2)
        kind = case % 10
        if kind == 0:
            c[1] = 0  # cos(ωkd/2) = 0: the blind spot
        elif kind == 1:
            c = product(factor(a), factor(b, rng.uniform(-0.9, 0.9)))  # a double zero and two simple ones
        elif kind == 2:
            c = product(factor(a), factor(b))  # two double zeros
        elif kind == 3:
            c[0] = np.abs(c).sum() * rng.choice([-1, 1])  # κ above everything: no zeros
        elif kind == 4:
            c[2] *= 10.0 ** rng.integers(-18, -3)  # hardly any second harmonic
        elif kind == 5:
            c = product(factor(a), factor(b, 1 + 10.0 ** rng.integers(-15, -2)))  # nearly double
        elif kind == 6:
            c = product(factor(a), factor(a))  # a fourfold zero
        elif kind == 7:
            c = group_waveform(59, 3, 0.98, 1.02, -0.1, -0.125, 0.2)[case % 59]  # a trained group
        sets.append(c)
    return np.array(sets), rng.integers(-12, 13, size=count)


def as_complex(values):
    return np.array([complex(value) for value in values.ravel()]).reshape(values.shape)


def test_four_ways_agree_on_a_thousand_parameter_sets():
    c, _ = parameter_sets(1000)
    for block, orders in enumerate([[2], [0], [-7], [12], [1], [2], [4], [3]]):
        rows, name = c[125 * block : 125 * (block + 1)], "abs" if block == 5 else "relu"
        closed = waveform_harmonics(rows, orders, name)
        assert np.abs(as_complex(harmonics_to_digits(rows, orders, name, digits=15)) - closed).max() < AGREEMENT
        assert np.abs(adaptive_harmonics(rows, orders, name) - closed).max() < AGREEMENT
        for ball, value in zip(harmonic_balls(rows, orders, name).ravel(), closed.ravel(), strict=True):
            assert float((ball - acb(value.real, value.imag)).abs_upper()) < AGREEMENT


@pytest.mark.parametrize("activation", ["square", "gelu", "gelu_tanh", "silu", "tanh", "sin"])
def test_four_ways_agree_for_smooth_activations(activation):
    c, m = parameter_sets(8)
    m = np.array([0, 2, -5])
    for row in c:
        closed = waveform_harmonics(row, m, activation)
        balls = harmonic_balls(row, m, activation, digits=18)
        assert np.abs(as_complex(harmonics_to_digits(row, m, activation, digits=16)) - closed).max() < AGREEMENT
        assert np.abs(adaptive_harmonics(row, m, activation) - closed).max() < AGREEMENT
        for ball, value in zip(balls, closed, strict=True):
            assert float((ball - acb(value.real, value.imag)).abs_upper()) < AGREEMENT


def inside(ball, value, digits):
    """Whether the mpmath number, known to ``digits`` digits, can be the value in the ball."""
    with ctx.workdps(digits + 20):
        radius = arb(0, 10.0**-digits)
        return ball.overlaps(acb(arb(str(value.real)) + radius, arb(str(value.imag)) + radius))


def test_balls_contain_the_value_of_a_second_engine_to_30_digits():
    c, m = parameter_sets(60)
    for row, order in zip(c, m, strict=True):
        ball = harmonic_balls(row, [order], digits=30)[0]
        assert inside(ball, harmonics_to_digits(row, [order], digits=30)[0], 30)
        with ctx.workdps(50):
            moved = ball + 1e-25
        assert not inside(moved, harmonics_to_digits(row, [order], digits=30)[0], 30)


def test_the_closed_forms_own_rounding_bound_holds():
    c, m = parameter_sets(120)
    orders = np.unique(m)[::4]
    closed, bounds = waveform_harmonics(c, orders), harmonics_rounding(c, orders)
    for balls, values, radii in zip(harmonic_balls(c, orders), closed, bounds, strict=True):
        for ball, value, radius in zip(balls, values, radii, strict=True):
            assert float((ball - acb(value.real, value.imag)).abs_upper()) <= radius
    assert bounds.max() < 1e-11


def test_two_precisions_overlap_and_the_radius_is_as_asked():
    c, m = parameter_sets(40)
    for row, order in zip(c, m, strict=True):
        coarse, fine = harmonic_balls(row, [order], digits=10)[0], harmonic_balls(row, [order], digits=60)[0]
        assert coarse.overlaps(fine)
        assert float(fine.real.rad()) <= 1e-60 * np.abs(row).max()


def test_a_zero_exactly_at_pi_and_waveforms_without_waves():
    assert harmonic_balls([1.0, 1.0], [0])[0].real.contains(1)
    assert harmonic_balls([0.0], [0, 1])[0].is_zero()
    # exactly double zeros at angles other than π: 1 - cos θ and 1 - cos 2θ never change sign
    assert harmonic_balls([1.0, -1.0], [0])[0].real.contains(1)
    assert harmonic_balls([1.0, 0.0, -1.0], [0], "abs")[0].real.contains(1)
    assert harmonic_balls([-3.0], [0], "abs")[0].real.contains(3)
    assert harmonic_balls([[2.0, 0.0], [0.0, 0.0]], [0, 1]).shape == (2, 2)
    assert as_complex(harmonics_to_digits([0.0, 0.0], [0, 1])).tolist() == [0, 0]
    assert adaptive_harmonics([[0.0, 0.0]], [0, 1]).tolist() == [[0, 0]]


def test_tiny_and_mixed_scales_stay_enclosed():
    ball = harmonic_balls([1e-300, 1.0, 1e-290], [2])[0]
    assert abs(complex(ball) - 1 / (3 * np.pi)) < 1e-15


def test_refusals():
    with pytest.raises(OptionError, match="digits must be at least 1; got 0"):
        harmonic_balls([0, 1], [2], digits=0)
    with pytest.raises(OptionError, match="digits must be at least 1; got 0"):
        harmonics_to_digits([0, 1], [2], digits=0)
    with pytest.raises(PrecisionError, match="could not be enclosed to 5000 digits"):
        harmonic_balls([0, 1], [2], digits=5000)
    with pytest.raises(PrecisionError, match="QUADPACK estimates an error"):
        adaptive_harmonics([0, 1], [40], tolerance=1e-20)
    with pytest.raises(PrecisionError, match="has not settled"):
        harmonics_to_digits([0, 1e5], [1], "tanh", digits=12)


def test_a_waveform_that_only_touches_zero_has_digits_too():
    # 4 cos(t/2)^4 / 8: a quadruple root at pi, to which no iteration converges
    (value,) = harmonics_to_digits([0.375, 0.5, 0.125], [2], digits=25)
    assert abs(value - 0.0625) < 1e-25
    assert value.imag == 0


def test_harmonics_beyond_64_bits_are_refused():
    with pytest.raises(WaveformError, match=r"below 2\^63; got 9223372036854775813"):
        waveform_harmonics([0, 1], np.array([2**63 + 5], dtype=np.uint64))
