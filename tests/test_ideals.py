"""What the MLP is compared with: norms from below, in closed form, and what an input's outputs are."""

import numpy as np
import pytest

import quadlens as ql
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.ideals import integral_ideal, output_weights, real_at_half
from quadlens.decomposition.rungs import ideal_response, ideal_sum, wave_logits
from quadlens.errors import CircuitError


def waves(p: int, keys: tuple[int, ...], n: int = 24, activation: str = "relu", seed: int = 0) -> Circuit:
    rng = np.random.default_rng(seed)
    key, phi = np.resize(keys, n), rng.uniform(0, 2 * np.pi, n)
    at = 2 * np.pi / p * np.outer(np.arange(p), key)
    noise = [rng.normal(0, 0.05, (p, n)) for _ in range(3)]
    return Circuit(
        p=p,
        A=np.cos(at + phi) + noise[0],
        B=np.cos(at + phi) + noise[1],
        U=(np.cos(at + 2 * phi) + noise[2]).T,
        activation=activation,
    )


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(("p", "keys"), [(13, (2, 5)), (12, (1, 6)), (16, (8, 3))])
@pytest.mark.parametrize("activation", ["relu", "abs"])
def test_norms_are_those_of_all_logits_from_below(p: int, keys: tuple[int, ...], pure: bool, activation: str) -> None:
    ideal = integral_ideal(ql.fit(waves(p, keys, activation=activation)), pure=pure)
    blocks = list(ideal.blocks())
    z = np.moveaxis(np.concatenate([block.outputs for block in blocks], axis=1), 0, -1)
    logits = wave_logits(z, np.array(ideal.frequencies), p)
    assert ideal.norm <= np.linalg.norm(logits) <= ideal.norm * (1 + 1e-9)
    assert ideal.largest <= np.abs(logits).max() <= ideal.largest * (1 + 1e-9)
    outputs = real_at_half(p, ideal.frequencies, np.moveaxis(z, -1, 0))
    squares = output_weights(p, ideal.frequencies) @ (np.abs(outputs) ** 2).sum(axis=(1, 2))
    assert squares == pytest.approx((logits**2).sum(), rel=1e-12)


@pytest.mark.parametrize("pure", [False, True])
def test_its_outputs_are_the_last_rungs(pure: bool) -> None:
    form = ql.fit(waves(13, (2, 5)))
    ideal = integral_ideal(form, pure=pure)
    (block,) = ideal.blocks()
    groups = {group.frequency: group for group in form.groups}
    keys = [group.frequency for group in form.groups]
    response = np.stack([ideal_response(form, groups[k], pure=pure) for k in keys])
    rung = ideal_sum(response, form, slice(0, 13))
    for place, k in enumerate(ideal.frequencies):
        assert np.abs(block.outputs[place] - rung[..., keys.index(k)]).max() <= 2 * block.radius[place]


def test_an_activation_without_one_kink_is_refused() -> None:
    circuit = ql.bundled()
    square = Circuit(p=circuit.p, A=circuit.A, B=circuit.B, U=circuit.U, activation="square")
    with pytest.raises(CircuitError, match="one kink"):
        integral_ideal(ql.fit(square))
