"""The networks in the package are what their provenance says, and behave."""

import dataclasses
import json

import pytest

from quadlens.certificates.record.digest import network_digest
from quadlens.circuits.bundled import DEFAULT, bundled, bundled_names, bundled_networks, bundled_path
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import evaluate
from quadlens.circuits.weights import circuit_from_weights
from quadlens.cli import main
from quadlens.errors import CheckpointError


def test_default_comes_first():
    assert bundled_names()[0] == DEFAULT
    assert isinstance(bundled(), Circuit)
    assert network_digest(bundled()) == network_digest(bundled(DEFAULT))


@pytest.mark.parametrize("name", bundled_names())
def test_network_is_the_one_that_was_trained(name):
    (described,) = [network for network in bundled_networks() if network.name == name]
    circuit = bundled(name)
    assert network_digest(circuit) == described.sha256
    assert described.sha256 == described.provenance["sha256"]
    assert circuit.weights is not None
    assert (circuit.p, circuit.neurons, circuit.activation) == (described.p, described.neurons, described.activation)
    measured = evaluate(circuit)
    assert measured.accuracy == described.accuracy == 1.0
    assert measured.min_margin > 0
    assert f"--p {circuit.p} --seed {described.provenance['seed']}" in described.command
    assert "torch" in described.provenance["versions"]
    assert bundled_path(name).stat().st_size < 1_000_000


def test_changed_weight_changes_the_digest():
    circuit = bundled()
    tensors = {key: tensor.copy() for key, tensor in circuit.weights.tensors.items()}
    tensors["b_in"][0, 0] += 1e-9
    changed = circuit_from_weights(dataclasses.replace(circuit.weights, tensors=tensors))
    assert network_digest(changed) != network_digest(circuit)


@pytest.mark.parametrize("name", ["p59", "../p59-seed0", ""])
def test_unknown_name_is_refused(name):
    with pytest.raises(CheckpointError, match=f"no bundled network is called '{name}'; there are {DEFAULT}"):
        bundled(name)


def test_models_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["models", "--json"])
    assert stop.value.code == 0
    listed = json.loads(capsys.readouterr().out)
    assert [network["name"] for network in listed] == list(bundled_names())
    assert all(network["accuracy"] == 1.0 and len(network["sha256"]) == 64 for network in listed)
    with pytest.raises(SystemExit) as stop:
        main(["models"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for network in bundled_networks():
        assert network.name in out
        assert network.command in out
