"""The proved distance of the MLP from an extended ideal: no less than the true one, ideals without sense included."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest

from quadlens.certificates.ladder import ideal_distance as module
from quadlens.certificates.ladder.ideal_distance import ideal_distance
from quadlens.circuits.bundled import bundled
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.extended_ideal import extended_ideal
from quadlens.form.amplitude_phase import fit
from tests.planted_networks import every_input, noisy, own_logits


def truth(circuit, ideal):
    """‖MLP − I‖, ‖MLP‖ and ‖I‖ by dense sums."""
    p = circuit.p
    x = circuit.A[:, None, :] + circuit.B[None, :, :]
    logits = (np.abs(x) if circuit.activation == "abs" else np.maximum(x, 0)) @ circuit.U
    logits -= logits.mean(axis=-1, keepdims=True)
    own = own_logits(ideal) if len(ideal.terms) else np.zeros((p, p, p))
    return tuple(float(np.linalg.norm(one)) for one in (logits - own, logits, own))


def without_sense(rng, p, activation):
    """A network of noise, some of it large, with dead neurons and preactivations of exactly 0."""
    n = int(rng.integers(1, 30))
    A, B = (np.round(rng.normal(size=(p, n)) * rng.choice([0.01, 1, 30], n), 1) for _ in range(2))
    A[:, rng.random(n) < 0.2] = 0
    return Circuit(p=p, A=A, B=B, U=rng.normal(size=(n, p)), activation=activation)


@pytest.mark.parametrize("everything", [0, 2**22])
@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("p", [3, 5, 8, 12, 13, 23])
def test_the_bound_holds_on_networks_without_sense(p, activation, everything, monkeypatch):
    monkeypatch.setattr(module, "EVERYTHING", everything)
    for seed in range(3):
        rng = np.random.default_rng([p, seed])
        circuit = without_sense(rng, p, activation)
        ideal = extended_ideal(circuit, numbers=int(rng.integers(10, 300)))
        # an ideal that is not the network's own: nothing in the proof needs it to be
        values = ideal.values * rng.normal(1, 0.5, ideal.values.size)
        for one in (ideal, replace(ideal, values=values)):
            proved = ideal_distance(circuit, fit(circuit), one)
            difference, mlp, own = truth(circuit, one)
            for bound, norm in ((proved.to_mlp, mlp), (proved.to_ideal, own)):
                assert bound is None or difference <= bound.value * norm
            if everything and proved.to_mlp is not None:
                assert proved.to_mlp.value * mlp <= difference * (1 + 1e-6) + 1e-7 * mlp


@pytest.mark.parametrize(("name", "ratio"), [("p59-seed0", 1.1), ("p59-seed1", 1.1)])
def test_what_is_not_evaluated_costs_little(name, ratio, monkeypatch):
    monkeypatch.setattr(module, "EVERYTHING", 0)
    circuit = bundled(name)
    form = fit(circuit)
    ideal = extended_ideal(circuit, form)
    proved = ideal_distance(circuit, form, ideal)
    assert proved.rest > 0
    assert ideal.relative_l2 <= proved.to_mlp.value <= ratio * ideal.relative_l2
    # the part that is bounded is no less than the network's outputs at other frequencies
    logits = np.maximum(circuit.A[:, None, :] + circuit.B[None, :, :], 0) @ circuit.U
    hat = np.fft.rfft(logits, axis=2)
    away = np.setdiff1d(np.arange(1, 30), ideal.frequencies)
    norm = np.linalg.norm(hat[:, :, 1:])
    assert np.linalg.norm(hat[:, :, away]) / norm <= proved.rest


@pytest.mark.parametrize("table", ["A", "B", "U"])
def test_the_radius_of_a_table_is_part_of_the_bound(table):
    """Two networks within a radius of the tables' own: the bound with that radius covers the distance of both."""
    circuit = noisy(13, 9)
    form, ideal = fit(circuit), extended_ideal(circuit)
    radius = 0.05
    moved = {name: getattr(circuit, name) for name in ("A", "B", "U")}
    way = 1 if table in "AB" else np.sign(np.random.default_rng(0).normal(size=moved[table].shape))
    moved[table] = moved[table] + radius * way
    other = Circuit(p=13, **moved)
    around = Circuit(p=13, A=circuit.A, B=circuit.B, U=circuit.U, radius={table: radius})
    bound, alone = (ideal_distance(one, form, ideal).to_ideal.value for one in (around, circuit))
    difference, _, own = truth(other, ideal)
    assert alone < difference / own <= bound


def test_rounding_is_part_of_the_bound(monkeypatch):
    """An ideal that is the network to rounding: in 40 digits they differ, and by no more than is said."""
    a = np.arange(5)
    A = 2 + np.cos(2 * np.pi / 5 * a)[:, None] * np.array([[0.3, 0.7]])
    U = np.stack([np.cos(2 * np.pi / 5 * a), np.sin(2 * np.pi / 5 * a)])
    circuit = Circuit(p=5, A=A, B=A, U=U)
    form, ideal = fit(circuit), extended_ideal(circuit, numbers=1000)
    proved = ideal_distance(circuit, form, ideal)
    assert ideal.relative_l2 <= proved.to_mlp.value < 1e-8
    assert proved.to_mlp.value > 0
    waves = ideal.waves_at(*every_input(5))
    with mpmath.workdps(40):
        squares = mpmath.mpf(0)
        for place, (row, column) in enumerate(zip(*every_input(5), strict=True)):
            h = [mpmath.mpf(A[row, i]) + mpmath.mpf(A[column, i]) for i in range(2)]
            for c in range(5):
                logit = mpmath.fsum(h[i] * mpmath.mpf(U[i, c]) for i in range(2))
                mean = mpmath.fsum(h[i] * mpmath.mpf(U[i, d]) for i in range(2) for d in range(5)) / 5
                own = mpmath.fsum(
                    (mpmath.mpc(complex(wave[place])) * mpmath.expj(2 * mpmath.pi * z * c / 5)).real
                    for z, wave in waves.items()
                )
                squares += (logit - mean - own) ** 2
        difference = mpmath.sqrt(squares)
    _, mlp, _ = truth(circuit, ideal)
    assert 0 < difference / mlp <= proved.to_mlp.value


def test_a_network_that_says_nothing_has_nothing_to_be_relative_to():
    circuit = noisy(11, 3)
    silent = Circuit(p=11, A=circuit.A, B=circuit.B, U=np.zeros((40, 11)))
    proved = ideal_distance(silent, fit(silent), extended_ideal(silent))
    assert proved.to_mlp is None
    assert proved.to_ideal is None
    assert proved.to_dict() == {"relative_l2_bound": None, "relative_to_ideal_bound": None, "rest_bound": 0.0}
