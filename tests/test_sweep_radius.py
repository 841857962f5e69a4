"""A certificate radius covers what it says: every network whose weights moved by at most ε of themselves."""

import dataclasses

import numpy as np
import pytest

from quadlens.certificates.certify import certify
from quadlens.circuits.circuit import TABLES
from quadlens.circuits.construct import construct
from quadlens.circuits.forward import evaluate
from quadlens.circuits.train import continue_training, initial_state
from quadlens.circuits.trained_network import train, weights_of
from quadlens.circuits.training_options import TrainingOptions
from quadlens.circuits.weights import circuit_from_weights
from quadlens.errors import CertificateError, OptionError
from quadlens.sweep.radius import _to_bfloat16, certificate_radius, perturbed, rounded_weights

SMALL = TrainingOptions(p=7, neurons=24, d_model=16, epochs=40)


@pytest.fixture(scope="module")
def learned():
    return train(TrainingOptions(p=29, neurons=64, d_model=64, epochs=1000), 0).circuit()


@pytest.fixture
def rough():
    state = initial_state(SMALL, (0,))
    continue_training(state, until=20)
    return circuit_from_weights(weights_of(state))


def changed(circuit, change):
    tensors = {name: change(tensor) for name, tensor in circuit.weights.tensors.items()}
    return circuit_from_weights(dataclasses.replace(circuit.weights, tensors=tensors))


@pytest.mark.parametrize("epsilon", [1e-6, 1e-3, 0.3])
def test_every_change_within_epsilon_stays_within_the_radii(rough, epsilon):
    covered = perturbed(rough, epsilon)
    generator = np.random.default_rng(1)
    changes = [
        lambda t: t * (1 + 0.999999 * epsilon),
        lambda t: t * (1 - 0.999999 * epsilon),
        lambda t: t * (1 + 0.999999 * epsilon * generator.choice((-1, 1), t.shape)),
        lambda t: t * (1 + 0.999999 * epsilon * generator.uniform(-1, 1, t.shape)),
    ]
    for change in changes:
        other = changed(rough, change)
        for table in TABLES:
            difference = np.abs(getattr(other, table) - getattr(rough, table)).max()
            assert difference <= covered.radius[table], table


def test_radius_is_reached_where_nothing_cancels(rough):
    positive = changed(rough, np.abs)
    worst = changed(positive, lambda t: t * 1.01)
    for table in TABLES:
        reached = np.abs(getattr(worst, table) - getattr(positive, table)).max()
        assert perturbed(positive, 0.01).radius[table] == pytest.approx(reached, rel=1e-9)


def test_no_change_adds_nothing_but_rounding(rough):
    same = perturbed(rough, 0.0)
    assert same.weights is None
    for table in TABLES:
        assert rough.radius[table] <= same.radius[table] <= rough.radius[table] * (1 + 1e-12) + 1e-300


def test_radius_of_a_learned_network(learned):
    assert certify(learned, "brute-force").certified
    fractions = []
    found = certificate_radius(
        learned, np.random.default_rng(0), method="brute-force", steps=5, trials=1, progress=fractions.append
    )
    assert 0 < found.proved < found.measured.high
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert certify(perturbed(learned, found.proved), "brute-force").certified
    assert not certify(perturbed(learned, min(1.0, 100 * found.proved)), "brute-force").certified
    generator = np.random.default_rng(2)
    for _ in range(3):
        moved = changed(learned, lambda t: t * (1 + found.proved * generator.choice((-1, 1), t.shape)))
        assert evaluate(moved).accuracy == 1.0


def test_network_that_is_wrong_has_radius_zero(rough):
    assert evaluate(rough).accuracy < 1
    found = certificate_radius(rough, np.random.default_rng(0), method="brute-force", steps=2, trials=1)
    assert found.proved == 0.0


@pytest.mark.parametrize(("name", "relative"), [("float16", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_rounding_changes_each_weight_by_at_most_half_a_unit(rough, name, relative):
    rounded = rounded_weights(rough, name)
    for key, tensor in rough.weights.tensors.items():
        change = np.abs(rounded.weights.tensors[key] - tensor)
        # float16 is subnormal below 2^-14, with spacing 2^-24
        assert (change <= np.maximum(relative * np.abs(tensor), 2.0**-25)).all()
        again = rounded_weights(rounded, name).weights.tensors[key]
        assert np.array_equal(again, rounded.weights.tensors[key])
    assert any(not np.array_equal(rounded.weights.tensors[k], t) for k, t in rough.weights.tensors.items())


def test_bfloat16_rounds_ties_to_even():
    ulp = 2.0**-7  # of bfloat16 at 1
    given = np.array([1 + ulp / 2, 1 + 3 * ulp / 2, 1 + ulp * 0.51, -1 - ulp / 2])
    assert _to_bfloat16(given).tolist() == [1, 1 + 2 * ulp, 1 + ulp, -1]


def test_int8_uses_at_most_255_values(rough):
    rounded = rounded_weights(rough, "int8")
    for key, tensor in rough.weights.tensors.items():
        values = rounded.weights.tensors[key]
        assert len(np.unique(values)) <= 255
        assert np.abs(values - tensor).max() <= 0.5001 * np.abs(tensor).max() / 127


def test_refusals(rough):
    made = construct(p=7, frequencies=(1, 2), neurons=20)
    with pytest.raises(CertificateError, match="this circuit has only its tables"):
        perturbed(made, 0.1)
    for epsilon in (-0.1, 1.1, float("nan")):
        with pytest.raises(OptionError, match=r"a relative change must be in \[0, 1\]"):
            perturbed(rough, epsilon)
    with pytest.raises(OptionError, match="rounded to float16, bfloat16 or int8, got 'int4'"):
        rounded_weights(rough, "int4")
