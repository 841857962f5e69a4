"""A network as it leaves the trainer: the stored weights are those trained, a resumed training is the same training."""

import dataclasses

import numpy as np
import pytest
import torch

from quadlens.circuits.forward import evaluate
from quadlens.circuits.native import read, write
from quadlens.circuits.train import continue_training, initial_state
from quadlens.circuits.trained_network import (
    load_state,
    save_state,
    train,
    train_population,
    trained_networks,
    weights_of,
)
from quadlens.circuits.training_options import TrainingOptions
from quadlens.circuits.training_tables import tables_of
from quadlens.errors import CheckpointError, OptionError

SMALL = TrainingOptions(p=7, neurons=24, d_model=16, epochs=40)


def test_tables_of_the_stored_weights_are_the_trainers():
    state = initial_state(SMALL, (1, 2))
    continue_training(state, until=30)
    for row in range(2):
        circuit = trained_networks(state)[row].circuit()
        views = SMALL.layout.views(state.parameters[row : row + 1].double())
        for name, table in zip(("A", "B", "U", "S_a", "S_b"), tables_of(views), strict=True):
            # the same products in float64, summed in another order
            np.testing.assert_allclose(getattr(circuit, name), table[0].numpy(), rtol=0, atol=1e-13)
    assert not np.array_equal(weights_of(state, 0).tensors["E"], weights_of(state, 1).tensors["E"])


def test_network_survives_the_native_file_exactly(tmp_path):
    network = train(SMALL, 3)
    path = tmp_path / "network.safetensors"
    write(network.weights, path, provenance=network.provenance("quadlens train"))
    again = read(path)
    for name in ("A", "B", "U", "S_a", "S_b"):
        assert np.array_equal(getattr(again, name), getattr(network.circuit(), name))
    assert path.stat().st_size < 4 * SMALL.layout.size + 8192, "stored in more than float32"
    assert evaluate(again).accuracy == pytest.approx(network.score.accuracy)


def test_small_network_learns_modular_addition():
    network = train(TrainingOptions(p=29, neurons=64, d_model=64, epochs=1000), 0)
    assert network.epoch == 1000
    assert network.score.accuracy == 1.0 == network.score.test_accuracy
    assert evaluate(network.circuit()).min_margin > 0


def test_resumed_training_is_bitwise_the_uninterrupted_one(tmp_path):
    class Killed(Exception):
        pass

    def kill_after_half(fraction):
        if fraction > 0.6:
            raise Killed

    file = tmp_path / "state"
    with pytest.raises(Killed):
        train(SMALL, 0, resume_file=file, save_every=10, progress=kill_after_half)
    assert load_state(file, SMALL, (0,)).epoch == 20
    fractions = []
    resumed = train(SMALL, 0, resume_file=file, save_every=10, progress=fractions.append)
    assert fractions[0] > 0.5, "the first half was trained again"
    assert not file.exists()
    straight = train(SMALL, 0)
    for name, tensor in straight.weights.tensors.items():
        assert np.array_equal(tensor, resumed.weights.tensors[name])


def test_snapshots_are_the_networks_of_their_epochs():
    seen = []
    train(SMALL, 5, snapshot=seen.append, snapshot_epochs=(0, 4, 40))
    assert [network.epoch for network in seen] == [0, 4, 40]
    shorter = train(dataclasses.replace(SMALL, epochs=4), 5)
    assert np.array_equal(seen[1].weights.tensors["W_in"], shorter.weights.tensors["W_in"])


def test_population_is_bitwise_what_each_seed_gives_alone():
    fractions = []
    networks = train_population(SMALL, (0, 7), device="cpu", progress=fractions.append)
    assert [network.seed for network in networks] == [0, 7]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    for network in networks:
        alone = train(SMALL, network.seed)
        for name, tensor in alone.weights.tensors.items():
            assert np.array_equal(tensor, network.weights.tensors[name])


def test_device_that_is_not_there_is_refused():
    with pytest.raises(OptionError, match=r"device must be one of .*cpu on this machine, got 'tpu'"):
        train_population(SMALL, (0,), device="tpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 2e-3}, r"another training \(it differs in learning_rate\)"),
        ({"p": 11}, r"another training \(it differs in p\)"),
        ({"epochs": 41}, r"another training \(it differs in epochs\)"),
    ],
)
def test_state_of_another_training_is_refused(tmp_path, change, message):
    save_state(initial_state(SMALL, (0,)), tmp_path / "state")
    with pytest.raises(CheckpointError, match=message):
        load_state(tmp_path / "state", dataclasses.replace(SMALL, **change), (0,))
    with pytest.raises(CheckpointError, match=r"another training \(it differs in seeds\)"):
        load_state(tmp_path / "state", SMALL, (1,))


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x02\0\0\0\0\0\0\0{}"])
def test_file_that_is_no_state_is_refused(tmp_path, content):
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a saved training state"):
        load_state(tmp_path / "state", SMALL, (0,))


def test_state_with_nan_or_wrong_shape_is_refused(tmp_path):
    state = initial_state(SMALL, (0,))
    state.square[0, 3] = torch.nan
    save_state(state, tmp_path / "state")
    with pytest.raises(CheckpointError, match="tensor 'square' must be finite"):
        load_state(tmp_path / "state", SMALL, (0,))
    state.square = torch.zeros(1, 5)
    save_state(state, tmp_path / "state")
    with pytest.raises(CheckpointError, match=r"tensor 'square' must be finite torch\.float32 of shape"):
        load_state(tmp_path / "state", SMALL, (0,))
