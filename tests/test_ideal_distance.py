"""The proved distance of the MLP from an extended ideal: no less than the true one, ideals without sense included."""

from dataclasses import replace

import numpy as np
import pytest

from quadlens.certificates.ladder import group_sums as rounded
from quadlens.certificates.ladder import ideal_distance as module
from quadlens.certificates.ladder.ideal_distance import ideal_distance
from quadlens.circuits.bundled import bundled
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.extended_ideal import extended_ideal
from quadlens.decomposition.ideal_outputs import ideal_blocks
from quadlens.form.amplitude_phase import fit
from tests.planted_networks import noisy, own_logits


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


@pytest.mark.parametrize("evaluated", [0, 64])
@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("p", [3, 5, 8, 12, 13, 23])
def test_the_bound_holds_on_networks_without_sense(p, activation, evaluated, monkeypatch):
    monkeypatch.setattr(module, "MOST_EVALUATED", evaluated)
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
            if evaluated and proved.to_mlp is not None:
                assert proved.to_mlp.value * mlp <= difference * (1 + 1e-6) + 1e-7 * mlp


@pytest.mark.parametrize(
    ("name", "evaluated", "ratio"), [("p59-seed0", 0, 1.1), ("p59-seed1", 0, 1.1), ("p59-seed1", 24, 1.05)]
)
def test_what_is_not_evaluated_costs_little(name, evaluated, ratio, monkeypatch):
    monkeypatch.setattr(module, "MOST_EVALUATED", evaluated)
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
    if evaluated == 0:
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


def test_the_rounding_of_the_networks_sums_is_part_of_the_bound(monkeypatch):
    """Sums moved towards the ideal by all that rounding may do to them, made larger to be seen."""
    circuit = noisy(13, 9)
    form, ideal = fit(circuit), extended_ideal(circuit)
    real, unit = module.group_sums, 1e-5
    difference, _, own = truth(circuit, ideal)
    outputs = np.concatenate([block.outputs for block in ideal_blocks(ideal)], axis=1)
    network = np.fft.rfft(np.maximum(circuit.A[:, None, :] + circuit.B[None, :, :], 0) @ circuit.U, axis=2) * (2 / 13)
    way = np.zeros((13, 13, 6), dtype=np.complex128)
    way[..., np.array(ideal.frequencies) - 1] = np.moveaxis(outputs, 0, -1)
    way -= network[..., 1:]
    tops = np.abs(circuit.U).max(axis=1)

    def moved(activation, waves, *given):
        lost = 2 * unit * float(waves.size @ tops[waves.group.members])
        sums = real(activation, waves, *given)
        return lambda rows: sums(rows) + np.minimum(1, lost / np.abs(way[rows])) * way[rows]

    monkeypatch.setattr(module, "group_sums", moved)
    assert ideal_distance(circuit, form, ideal).to_ideal.value < difference / own
    monkeypatch.setattr(rounded, "gamma", lambda k: unit)
    assert ideal_distance(circuit, form, ideal).to_ideal.value >= difference / own


def test_the_radius_of_the_ideals_outputs_is_part_of_the_bound(monkeypatch):
    """Outputs moved towards the network's by their radius: the ideal itself is as far as before."""
    circuit = noisy(13, 9)
    form, ideal = fit(circuit), extended_ideal(circuit)
    difference, mlp, _ = truth(circuit, ideal)
    x = np.maximum(circuit.A[:, None, :] + circuit.B[None, :, :], 0) @ circuit.U
    there = np.fft.rfft(x, axis=2)[:, :, list(ideal.frequencies)] * (2 / 13)

    def moved(one):
        for block in ideal_blocks(one):
            way = np.moveaxis(there[block.rows], 2, 0) - block.outputs
            step = np.minimum(1, 0.2 / np.abs(way)) * way
            yield replace(block, outputs=block.outputs + step, radius=block.radius + 0.2)

    plain = ideal_distance(circuit, form, ideal).to_mlp.value
    monkeypatch.setattr(module, "ideal_blocks", moved)
    assert difference / mlp <= ideal_distance(circuit, form, ideal).to_mlp.value
    monkeypatch.setattr(
        module, "ideal_blocks", lambda one: (replace(block, radius=0 * block.radius) for block in moved(one))
    )
    assert ideal_distance(circuit, form, ideal).to_mlp.value < plain


def test_a_network_that_says_nothing_has_nothing_to_be_relative_to():
    circuit = noisy(11, 3)
    silent = Circuit(p=11, A=circuit.A, B=circuit.B, U=np.zeros((40, 11)))
    proved = ideal_distance(silent, fit(silent), extended_ideal(silent))
    assert proved.to_mlp is None
    assert proved.to_ideal is None
    assert proved.to_dict() == {"relative_l2_bound": None, "relative_to_ideal_bound": None, "rest_bound": 0.0}
