"""The hand-written gradient against automatic differentiation of the network as a transformer; determinism; options."""

import dataclasses

import numpy as np
import pytest
import torch

from quadlens.activations import ACTIVATIONS
from quadlens.circuits.train import (
    TrainingState,
    _subnormals_flushed,
    continue_training,
    initial_state,
    score,
)
from quadlens.circuits.training_options import TrainingOptions
from quadlens.circuits.training_tables import CPU_BLOCK_BYTES, DIFFERENTIABLE, GradientOfTables
from quadlens.errors import OptionError

SMALL = TrainingOptions(p=7, neurons=24, d_model=16, epochs=40)


def token_loss(state: TrainingState, parameters: torch.Tensor) -> torch.Tensor:
    """The loss of one network, token by token: attention 1/2 to both tokens at the last position, MLP, unembedding."""
    w = {name: view[0] for name, view in state.options.layout.views(parameters).items()}
    pairs = state.train[0].nonzero().squeeze(1)
    a, b = pairs // state.options.p, pairs % state.options.p
    embedded = torch.stack((w["E"][a], w["E"][b]), 1)
    heads = embedded @ w["W_V"]
    stream = embedded[:, 1] + heads.mean(1) @ w["W_O"]
    hidden = DIFFERENTIABLE[state.options.activation][0](stream @ w["W_in"] + w["b_in"])
    logits = (stream + hidden @ w["W_out"] + w["b_out"]) @ w["W_U"]
    return torch.nn.functional.cross_entropy(logits.double(), (a + b) % state.options.p)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_gradient_is_that_of_the_transformer(activation):
    options = dataclasses.replace(SMALL, activation=activation)
    state = initial_state(options, (3,))
    continue_training(state, until=15)  # away from zero biases
    parameters = state.parameters.double().requires_grad_()
    (expected,) = torch.autograd.grad(token_loss(state, parameters), parameters)
    found = torch.empty_like(state.parameters)
    GradientOfTables(options.layout, activation, state.train)(state.parameters, found)
    # float32 products of up to 49·24 terms against float64
    assert (found - expected).abs().max() <= 2e-6 * expected.abs().max()
    assert not found.equal(torch.zeros_like(found))


def test_blocks_of_rows_do_not_change_the_gradient_beyond_rounding(monkeypatch):
    state = initial_state(SMALL, (1,))
    whole, rows = torch.empty_like(state.parameters), torch.empty_like(state.parameters)
    gradient_of = GradientOfTables(SMALL.layout, "relu", state.train)
    assert gradient_of.rows == SMALL.p
    gradient_of(state.parameters, whole)
    monkeypatch.setattr("quadlens.circuits.training_tables.CPU_BLOCK_BYTES", CPU_BLOCK_BYTES // 2**9)
    by_rows = GradientOfTables(SMALL.layout, "relu", state.train)
    assert 1 <= by_rows.rows < SMALL.p
    by_rows(state.parameters, rows)
    assert (whole - rows).abs().max() <= 2e-6 * whole.abs().max()


def test_optimizer_is_adamw():
    state = initial_state(SMALL, (2,))
    reference = torch.nn.Parameter(state.parameters.clone())
    optimizer = torch.optim.AdamW([reference], lr=1.0, betas=(0.9, 0.98), weight_decay=1.0)
    gradient_of = GradientOfTables(SMALL.layout, "relu", state.train)
    for epoch in range(1, 26):
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1, epoch / 10)
        reference.grad = torch.empty_like(reference)
        with torch.no_grad():
            gradient_of(reference.detach(), reference.grad)
        optimizer.step()
    continue_training(state, until=25)
    # the two round differently, and Adam divides small gradients by small spreads
    assert (state.parameters - reference).abs().max() <= 1e-5


def test_same_seed_same_bits_and_another_seed_another_network():
    first, second, other = (initial_state(SMALL, (seed,)) for seed in (4, 4, 5))
    for state in (first, second, other):
        continue_training(state)
    assert first.parameters.equal(second.parameters)
    assert not first.parameters.equal(other.parameters)
    assert not first.train.equal(other.train)


def test_stopping_and_continuing_changes_no_bit():
    through, stopped = initial_state(SMALL, (0,)), initial_state(SMALL, (0,))
    continue_training(through)
    continue_training(stopped, until=13)
    assert stopped.epoch == 13
    continue_training(stopped)
    assert through.parameters.equal(stopped.parameters)


def test_subnormal_numbers_are_flushed_only_while_it_trains():
    tiny, seen = torch.tensor(1e-40), []
    with _subnormals_flushed():
        assert float(tiny * 1) == 0
        with _subnormals_flushed():
            pass
        assert float(tiny * 1) == 0  # whoever wanted it before still has it
    continue_training(
        initial_state(SMALL, (0,)),
        until=2,
        at_epoch=lambda state: seen.append(float(tiny * 1)),
        epochs_to_visit=(0, 1, 2),
        progress=lambda fraction: seen.append(float(tiny * 1)),
    )
    assert len(seen) == 5
    assert min(seen) > 0
    assert float(tiny * 1) > 0


def test_batched_networks_learn_what_each_learns_alone():
    together = initial_state(SMALL, (0, 1, 2))
    continue_training(together, until=20)
    for row, seed in enumerate(together.seeds):
        alone = initial_state(SMALL, (seed,))
        assert alone.train[0].equal(together.train[row])
        continue_training(alone, until=20)
        # batched matrix products may round otherwise than single ones
        assert (alone.parameters[0] - together.parameters[row]).abs().max() <= 1e-5


def test_training_share_and_its_score():
    state = initial_state(SMALL, (0,))
    assert int(state.train.sum()) == SMALL.training_pairs == round(0.8 * 49)
    before = score(state)[0]
    continue_training(state)
    after = score(state)[0]
    assert after.train_loss < before.train_loss
    right = after.train_accuracy * SMALL.training_pairs + after.test_accuracy * (49 - SMALL.training_pairs)
    assert after.accuracy == pytest.approx(right / 49)
    everything = initial_state(dataclasses.replace(SMALL, train_fraction=1.0), (0,))
    assert score(everything)[0].test_loss is None


def test_visits_and_progress():
    seen, fractions = [], []
    continue_training(
        initial_state(SMALL, (0,)),
        at_epoch=lambda state: seen.append(state.epoch),
        epochs_to_visit=(0, 1, 7, 40, 99),
        progress=fractions.append,
    )
    assert seen == [0, 1, 7, 40]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("p", 2, "p must be an integer >= 3, got 2"),
        ("p", 59.0, "p must be an integer >= 3, got 59.0"),
        ("neurons", 0, "neurons must be an integer >= 1"),
        ("d_model", -1, "d_model must be an integer >= 1"),
        ("epochs", True, "epochs must be an integer >= 1"),
        ("activation", "softplus", "activation must be one of relu"),
        ("train_fraction", 0.0, "train_fraction must be > 0 and <= 1"),
        ("train_fraction", 1.5, "train_fraction must be > 0 and <= 1"),
        ("train_fraction", 1e-4, "leaves none to train on"),
        ("learning_rate", 0.0, "learning_rate must be > 0 and finite"),
        ("learning_rate", np.nan, "learning_rate must be > 0 and finite"),
        ("weight_decay", -1e-3, "weight_decay must be >= 0 and finite"),
        ("weight_decay", np.inf, "weight_decay must be >= 0 and finite"),
        ("beta_1", 1.0, "beta_1 must be >= 0 and < 1"),
    ],
)
def test_options_outside_their_range_are_refused(option, value, message):
    with pytest.raises(OptionError, match=message):
        dataclasses.replace(SMALL, **{option: value})


@pytest.mark.parametrize("seeds", [(), (-1,), (0.5,)])
def test_seeds_must_be_whole_numbers(seeds):
    with pytest.raises(OptionError, match="seeds must be one or more integers >= 0"):
        initial_state(SMALL, seeds)


def test_divergence_is_refused():
    state = initial_state(dataclasses.replace(SMALL, learning_rate=1e30), (0,))
    with pytest.raises(OptionError, match="training diverged"):
        continue_training(state)
