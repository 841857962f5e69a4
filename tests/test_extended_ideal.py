"""The extended ideal: its distance is what its own outputs show, its curve descends, and planted structure is found."""

import numpy as np
import pytest

from quadlens.circuits.bundled import bundled, bundled_names
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.construct import construct
from quadlens.circuits.load import load
from quadlens.decomposition.extended_ideal import extended_ideal
from quadlens.decomposition.ladder import decompose
from quadlens.decomposition.shared_waveform import waveform_clusters
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import fit

EXACT = 1e-9  # of distances computed once by series and once by direct sums


def mlp_logits(circuit):
    hidden = np.maximum(circuit.A[:, None, :] + circuit.B[None, :, :], 0)
    if circuit.activation == "abs":
        hidden = np.abs(circuit.A[:, None, :] + circuit.B[None, :, :])
    logits = hidden @ circuit.U
    return logits - logits.mean(axis=-1, keepdims=True)


def distance_of(circuit, ideal):
    """The relative distance, from the ideal's own logits, entry by entry."""
    z = np.arange(1, (circuit.p - 1) // 2 + 1)
    wave = np.exp(2j * np.pi / circuit.p * np.outer(z, np.arange(circuit.p)))
    exact = mlp_logits(circuit)
    return np.linalg.norm(exact - (ideal.output_waves() @ wave).real) / np.linalg.norm(exact)


def noisy(p, seed, activation="relu"):
    rng = np.random.default_rng(seed)
    base = construct(p=p, frequencies=(1, 3), neurons=40)
    noise = [0.05 * np.abs(table).max() * rng.normal(size=table.shape) for table in (base.A, base.B, base.U)]
    return Circuit(p=p, A=base.A + noise[0], B=base.B + noise[1], U=base.U + noise[2], activation=activation)


@pytest.mark.parametrize(("p", "activation"), [(13, "relu"), (12, "relu"), (13, "abs")])
def test_the_distance_is_that_of_the_ideals_own_logits(p, activation):
    circuit = noisy(p, 0, activation)
    ideal = extended_ideal(circuit, target=0.1)
    assert distance_of(circuit, ideal) == pytest.approx(ideal.relative_l2, abs=EXACT)
    assert ideal.r_squared == 1 - ideal.relative_l2**2


def test_the_curve_descends_and_counts_two_numbers_a_point():
    ideal = extended_ideal(noisy(13, 1), target=0.1)
    curve = ideal.curve
    assert (np.diff(curve.relative_l2) <= 0).all()
    assert (np.diff(curve.parameters) == 2).all()
    place = np.flatnonzero(curve.parameters == ideal.parameters)[0]
    assert curve.relative_l2[place] == ideal.relative_l2
    assert curve.circuit_parameters == 3 * 13 * 40 + 2 * 13 * 13
    assert ideal.parameters == sum(w.parameters for w in ideal.waves) + 2 * (len(ideal.sums) + len(ideal.identity))


def test_no_invariant_function_beats_the_floor():
    circuit = noisy(11, 2)
    exact = mlp_logits(circuit)
    a, b, c = np.meshgrid(*[np.arange(11)] * 3, indexing="ij")
    difference, rest = (a - b) % 11, (a + b - c) % 11
    # the best function of both is the mean over all inputs and logits that share them
    sums, counts = np.zeros((11, 11)), np.zeros((11, 11))
    np.add.at(sums, (difference, rest), exact)
    np.add.at(counts, (difference, rest), 1)
    best = (sums / counts)[difference, rest]
    expected = np.linalg.norm(exact - best) / np.linalg.norm(exact)
    assert extended_ideal(circuit).curve.invariant_floor == pytest.approx(expected, abs=EXACT)


def test_a_planted_chain_of_doublings_is_found():
    p, k, n = 59, 15, 200
    phi = 2 * np.pi * np.arange(n) / n
    angle = 2 * np.pi / p * k * np.arange(p)[:, None] + phi
    A = np.cos(angle) - 0.1 * np.cos(2 * angle) + 0.15 * np.cos(4 * angle) + 0.1
    U = np.cos(2 * np.pi / p * k * np.arange(p) + 2 * phi[:, None])
    circuit = Circuit(p=p, A=A, B=A, U=U)
    ideal = extended_ideal(circuit, target=1e-3)
    wave = ideal.waves[0].A
    assert np.abs(wave - np.array([0, 1, -0.1, 0, 0.15, 0, 0])).max() < 1e-12
    assert ideal.relative_l2 <= 1e-3
    refined = decompose(circuit).stages[4].relative_l2_to_exact
    assert refined > 0.05  # what the wave at 4k = 1 (mod 59) is worth


def test_two_populations_need_two_waveforms():
    p, n = 23, 120
    phi = 2 * np.pi * np.arange(n) / n
    angle = 2 * np.pi / p * 4 * np.arange(p)[:, None] + phi
    lean = np.where(np.arange(n) % 2, 0.6, 1.4)
    circuit = Circuit(p=p, A=lean * np.cos(angle), B=(2 - lean) * np.cos(angle), U=np.cos(angle.T + phi[:, None]))
    one = extended_ideal(circuit, target=1e-2, clusters=(1,))
    two = extended_ideal(circuit, target=1e-2)
    assert one.relative_l2 > 0.02
    assert two.relative_l2 <= 1e-2
    clusters = waveform_clusters(fit(circuit), np.arange(n), 2)
    assert sorted(len(cluster) for cluster in clusters) == [60, 60]
    assert {tuple(np.unique(cluster % 2)) for cluster in clusters} == {(0,), (1,)}


def test_bundled_networks_and_gbmi_within_a_twentieth(shared):
    file = next((shared / "checkpoints" / "gbmi").glob("*.pth"))
    circuits = [*(bundled(name) for name in bundled_names()), load(file)]
    ideals = [extended_ideal(circuit) for circuit in circuits]
    assert np.median([ideal.relative_l2 for ideal in ideals]) <= 0.05
    for circuit, ideal in zip(circuits, ideals, strict=True):
        assert ideal.parameters < 0.01 * circuit.parameters
        if circuit.p < 100:
            assert ideal.relative_l2 < decompose(circuit).stages[4].relative_l2_to_exact


def test_json_keeps_the_ends_of_the_curve():
    ideal = extended_ideal(noisy(13, 5), target=0.1)
    shown = ideal.to_dict()
    assert shown["curve"][0]["parameters"] == ideal.curve.parameters[0]
    assert shown["curve"][-1]["r_squared"] == ideal.curve.r_squared[-1]
    assert len(shown["curve"]) <= 100
    assert shown["parameters"] == ideal.parameters


def test_progress_and_a_network_without_output():
    seen = []
    circuit = noisy(11, 3)
    extended_ideal(circuit, progress=seen.append)
    assert seen[-1] == 1.0
    silent = extended_ideal(Circuit(p=11, A=circuit.A, B=circuit.B, U=np.zeros((40, 11))))
    assert silent.relative_l2 == 0


def test_refusals():
    circuit = noisy(11, 4)
    with pytest.raises(OptionError, match="needs relu or abs, whose waveforms scale; got gelu"):
        extended_ideal(Circuit(p=11, A=circuit.A, B=circuit.B, U=circuit.U, activation="gelu"))
    with pytest.raises(OptionError, match="0 < target < 1"):
        extended_ideal(circuit, target=0.0)
    with pytest.raises(OptionError, match="clusters >= 1"):
        extended_ideal(circuit, clusters=())
