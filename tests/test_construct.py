"""Constructed circuits: what they compute is known in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quadlens as ql
from quadlens.circuits.forward import evaluate, mlp_logits
from quadlens.errors import OptionError


@settings(max_examples=20, deadline=None)
@given(p=st.integers(7, 41), data=st.data())
def test_many_even_phases_give_the_integral(p: int, data: st.DataObject) -> None:
    """With 512 equally spaced phases a frequency, the logits are the refined limit up to n⁻² (here under 1e-3)."""
    k = data.draw(st.integers(1, (p - 1) // 2))
    c = ql.construct(p=p, frequencies=(k,), neurons=512)
    x = np.linspace(-np.pi, np.pi, 4097)[:-1]
    for a, b in ((0, 0), (1, p - 2), (p - 1, p // 2)):
        t_a, t_b = 2 * np.pi * k * a / p + x, 2 * np.pi * k * b / p + x
        H = np.cos(t_a) + np.cos(t_b) - 0.1375 * (np.cos(2 * t_a) + np.cos(2 * t_b)) + 0.345
        want = [512 * np.mean(np.maximum(H, 0) * np.cos(2 * np.pi * k * z / p + 2 * x)) for z in range(p)]
        np.testing.assert_allclose(mlp_logits(c, slice(a, a + 1))[0, b], want, rtol=0, atol=512 * 1e-3)


@pytest.mark.parametrize("p", [12, 59, 60])
def test_a_constructed_network_is_right_on_every_input(p: int) -> None:
    assert evaluate(ql.construct(p=p, frequencies=(1, 5), neurons=128)).accuracy == 1.0


def test_a_frequency_that_shares_a_factor_with_p_cannot_tell_all_residues_apart() -> None:
    assert evaluate(ql.construct(p=12, frequencies=(4,), neurons=64)).accuracy < 0.5


def test_noise_is_the_seed_s() -> None:
    one, same, other = (ql.construct(p=7, frequencies=(1,), neurons=8, noise=0.1, seed=s) for s in (1, 1, 2))
    assert (one.A == same.A).all()
    assert (one.A != other.A).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p": 2}, "p >= 3"),
        ({"frequencies": ()}, "distinct integers"),
        ({"frequencies": (1, 1)}, "distinct integers"),
        ({"frequencies": (0,)}, r"in 1\.\.3 for p = 7"),
        ({"frequencies": (4,)}, r"in 1\.\.3 for p = 7, got \[4\]"),
        ({"neurons": 1}, "at least one neuron for each of 2"),
        ({"noise": -1.0}, "noise >= 0"),
        ({"sigma": float("nan")}, "must be finite"),
    ],
)
def test_bad_options_are_refused(change: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        ql.construct(**({"p": 7, "frequencies": (1, 2), "neurons": 8} | change))
