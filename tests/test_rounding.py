"""Float64 bounds hold the exact sums; balls of two precisions overlap; a second engine lies in them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import rounding
from benchmarks.rounding import examine
from quadlens.rounding import SMALLEST, UNIT_ROUNDOFF, gamma, up


@pytest.mark.parametrize("seed", range(4))
def test_bounds_hold_the_exact_sums(seed):
    """2,500 sums each; ``python -m benchmarks.rounding`` runs a million."""
    found = examine(np.random.default_rng(seed))
    assert found["failures"] == 0
    assert found["second"] == 25


def test_half_the_bound_would_not_hold():
    """The check can fail: errors do use more than half of the bound somewhere."""
    assert max(examine(np.random.default_rng(seed), second_engine=False)["used"] for seed in (3, 4)) > 0.5


def test_a_wrong_sum_is_a_failure(monkeypatch):
    monkeypatch.setattr(rounding, "computed", lambda x, y, generator: np.nextafter(x @ y, np.inf) * (1 + 1e-12))
    assert examine(np.random.default_rng(3), second_engine=False)["failures"] > 0


@given(st.integers(0, 2**51))
def test_gamma_is_rounded_up(k):
    exact = Fraction(k, 2**53) / (1 - Fraction(k, 2**53))
    assert exact <= Fraction(gamma(k))
    assert Fraction(gamma(k)) <= exact * (1 + Fraction(1, 2**50))


@pytest.mark.parametrize("k", [-1, 2**53])
def test_gamma_refuses_what_it_cannot_bound(k):
    with pytest.raises(ValueError, match="gamma needs 0 <= k < 2"):
        gamma(k)


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=50))
def test_up_bounds_a_sum_of_non_negative_numbers(values):
    total = 0.0
    for value in values:
        total += value
    assert sum(map(Fraction, values)) <= Fraction(float(up(np.array(total), len(values))))


@given(st.floats(0, 1e-300), st.floats(0, 1.0))
def test_up_bounds_a_product_that_underflows(x, y):
    assert Fraction(x) * Fraction(y) <= Fraction(float(up(np.array(x * y), 1)))


def test_constants():
    assert np.finfo(np.float64).eps == 2 * UNIT_ROUNDOFF
    assert math.nextafter(0.0, 1.0) - SMALLEST == 0
