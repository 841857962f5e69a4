"""Networks as people keep them: other families, names, wrappers and views, each against a pass without the reader."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quadlens.circuits.forward import evaluate, logits
from quadlens.circuits.load import load
from quadlens.errors import CheckpointError, UnsupportedModelError
from tests.test_readers_transformers import (
    P,
    all_inputs,
    column_forward,
    column_shapes,
    random_state,
    row_forward,
    row_shapes,
)

N, D = 10, 6
TOLERANCE = 1e-11
"""Of float64 sums of some hundred products, relative to the largest logit."""


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def assert_reads_as(circuit: Any, expected: torch.Tensor) -> None:
    want = expected.numpy().reshape(P, P, -1)[..., :P]
    got = logits(circuit, slice(0, P))
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())


def rep_mlp() -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    state = {"W_x": randn(P, 3), "W_y": randn(P, 4), "W": randn(7, N), "W_U": randn(N, P)}
    a, b = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")
    joined = torch.cat([state["W_x"][a], state["W_y"][b]], dim=-1)
    return state, torch.relu(joined @ state["W"]) @ state["W_U"]


def test_rep_theory_mlps_read_as_they_run(tmp_path: Path) -> None:
    state, expected = rep_mlp()
    torch.save(state, tmp_path / "C7_MLP_model.pt")
    circuit = load(tmp_path / "C7_MLP_model.pt")
    assert circuit.family == "rep-theory MLP"
    assert_reads_as(circuit, expected)
    cfg = tmp_path / "C7_MLP_cfg.json"
    cfg.write_text(json.dumps({"model": "OneLayerMLP", "group": "CyclicGroup", "group_parameter": P}))
    assert load(tmp_path / "C7_MLP_model.pt").provenance.said["task"] == "a + b, by group of C7_MLP_cfg.json"
    for change, message in (
        ({"group": "SymmetricGroup"}, "trained on the group 'SymmetricGroup'"),
        ({"model": "TwoLayerMLP"}, "its model is 'TwoLayerMLP'"),
        ({"group_parameter": P + 1}, "group_parameter = 8, the tensors say 7"),
    ):
        cfg.write_text(json.dumps(change))
        with pytest.raises(CheckpointError, match=message):
            load(tmp_path / "C7_MLP_model.pt")
    cfg.unlink()
    state["W"] = randn(8, N)
    torch.save(state, tmp_path / "C7_MLP_model.pt")
    with pytest.raises(CheckpointError, match=r"d_x \+ d_y = 7, the tensors say 8"):
        load(tmp_path / "C7_MLP_model.pt")


def test_rep_theory_transformers_have_softmax_attention(tmp_path: Path) -> None:
    state = random_state(row_shapes(P + 1, 3)) | {"x_embed": randn(P + 1, D), "y_embed": randn(P + 1, D)}
    path = tmp_path / "C7_T_model.pt"
    torch.save(state, path)
    with pytest.raises(UnsupportedModelError, match="attention depends on the input"):
        load(path)
    for name in ("W_Q", "W_K", "b_Q", "b_K"):
        state[f"blocks.0.attn.{name}"].zero_()
    torch.save(state, path)
    circuit = load(path, freeze_attention=True)
    # frozen weights are rounded to multiples of 2^-40
    expected = row_forward(state, torch.relu, 0)(all_inputs(sign=P)).numpy().reshape(P, P, P)
    np.testing.assert_allclose(logits(circuit, slice(0, P)), expected, rtol=0, atol=1e-10 * np.abs(expected).max())
    assert circuit.family == "rep-theory transformer, attention frozen"
    assert "x_embed, y_embed take no part" in " ".join(circuit.provenance.assumed)


def test_real_rep_theory_networks(shared: Path) -> None:
    folder = shared / "checkpoints" / "rep-theory"
    circuit = load(folder / "C113_MLP_seed1_model.pt")
    state = torch.load(folder / "C113_MLP_seed1_model.pt", map_location="cpu", weights_only=True)
    state = {name: tensor.double() for name, tensor in state.items()}
    a, b = torch.meshgrid(torch.arange(113), torch.arange(113), indexing="ij")
    own = torch.relu(torch.cat([state["W_x"][a], state["W_y"][b]], dim=-1) @ state["W"]) @ state["W_U"]
    right = own.gather(-1, ((a + b) % 113)[..., None])[..., 0]
    others = own.scatter(-1, ((a + b) % 113)[..., None], -torch.inf).amax(-1)
    measured = evaluate(circuit)
    assert measured.accuracy == 1.0
    assert measured.min_margin == pytest.approx(float((right - others).min()), abs=1e-10)
    with pytest.raises(UnsupportedModelError, match="attention depends on the input"):
        load(folder / "C113_T_seed1_model.pt")


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("names", ["mlp", "fc"])
def test_one_hot_inputs_may_be_joined_and_have_torch_s_names(
    tmp_path: Path, biases: bool, joined: bool, names: str
) -> None:
    W_in, W_out = randn(N, 2 * P if joined else P), randn(P, N)
    state = {"mlp.W_in": W_in, "mlp.W_out": W_out} if names == "mlp" else {"fc1.weight": W_in, "fc2.weight": W_out}
    b_in, b_out = torch.zeros(N), torch.zeros(P)
    if biases:
        b_in, b_out = randn(N), randn(P)
        state |= {"mlp.b_in": b_in, "mlp.b_out": b_out} if names == "mlp" else {"fc1.bias": b_in, "fc2.bias": b_out}
    torch.save(state, tmp_path / "net.pt")
    one = torch.eye(P, dtype=torch.float64)
    a, b = one[:, None].expand(P, P, P), one[None].expand(P, P, P)
    inputs = torch.cat([a, b], dim=-1) if joined else a + b
    expected = torch.relu(inputs @ W_in.T + b_in) @ W_out.T + b_out
    assert_reads_as(load(tmp_path / "net.pt", activation="relu"), expected)
    torch.save(state | {next(iter(state)): randn(N, P + 1)}, tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=r"must have shape \(p = 8, d_mlp = 10\), got \(7, 10\)"):
        load(tmp_path / "net.pt", activation="relu")


def mlp_state() -> dict[str, torch.Tensor]:
    return {"mlp.W_in": randn(N, P), "mlp.W_out": randn(P, N)}


def with_prefix(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + name: tensor for name, tensor in state.items()}


WRAPPED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "module.": lambda state: with_prefix("module.", state),
    "_orig_mod.": lambda state: with_prefix("_orig_mod.", state),
    "model.": lambda state: with_prefix("model.", state),
    "_orig_mod.module.": lambda state: with_prefix("_orig_mod.module.", state),
    "model_state_dict": lambda state: {"model_state_dict": state, "epoch": 3},
    "state_dict": lambda state: {"state_dict": state, "optimizer_state_dict": {"state": {}, "param_groups": []}},
    "lightning": lambda state: {"state_dict": with_prefix("model.", state), "epoch": 3},
    "net, module.": lambda state: {"net": with_prefix("module.", state), "acc": 1.0},
    "twice": lambda state: {"model": {"state_dict": state}},
}


@pytest.mark.parametrize("case", WRAPPED)
@pytest.mark.parametrize("family", ["one-hot", "pizza", "gbmi", "rep-theory", "linear"])
def test_wrappers_and_prefixes_are_taken_off(tmp_path: Path, case: str, family: str) -> None:
    config: dict[str, Any] | None = None
    if family == "one-hot":
        state = mlp_state()
    elif family == "rep-theory":
        state = rep_mlp()[0]
    elif family == "linear":
        state = {"embed.weight": randn(P, D), "l1.weight": randn(N, D), "l1.bias": randn(N)}
        state["unembed.weight"] = randn(P, N)
    elif family == "pizza":
        state, config = random_state(column_shapes(P, 2)), {"attn_coeff": 0}
    else:
        state, config = random_state(row_shapes(P, 2)), {"attention_rate": 1}
    if config is not None:
        (tmp_path / "c.json").write_text(json.dumps(config))
    said: dict[str, Any] = {"activation": "relu"} | ({} if config is None else {"config": tmp_path / "c.json"})
    torch.save(state, tmp_path / "bare.pt")
    bare = load(tmp_path / "bare.pt", **said)
    torch.save(WRAPPED[case](state), tmp_path / "wrapped.pt")
    wrapped = load(tmp_path / "wrapped.pt", **said)
    assert wrapped.family == bare.family
    assert np.array_equal(wrapped.A, bare.A)
    assert np.array_equal(wrapped.S_b, bare.S_b)


def test_a_configuration_beside_a_wrapped_state_dict_is_read(tmp_path: Path) -> None:
    state = random_state(row_shapes(P, 2))
    content = {"model_state_dict": with_prefix("module.", state), "config": {"act_fn": "gelu", "attention_rate": 1}}
    torch.save(content, tmp_path / "a.pt")
    circuit = load(tmp_path / "a.pt")
    assert circuit.activation == "gelu"
    expected = row_forward(state, torch.nn.functional.gelu, 1)(all_inputs())
    assert_reads_as(circuit, expected)


def test_transposed_and_tied_tensors_are_read(tmp_path: Path) -> None:
    W = randn(P, N)
    torch.save({"mlp.W_in": W.T, "mlp.W_out": W}, tmp_path / "a.pt")
    circuit = load(tmp_path / "a.pt", activation="relu")
    assert np.array_equal(circuit.A, W.numpy())
    assert np.array_equal(circuit.U, W.numpy().T)
    # a slice of a larger storage: its numbers lie apart, each on its own
    wide = randn(2 * P, 2 * N)
    torch.save({"mlp.W_in": wide[:P, ::2].T, "mlp.W_out": wide[P:, 1::2]}, tmp_path / "a.pt")
    assert np.array_equal(load(tmp_path / "a.pt", activation="relu").U, wide[P:, 1::2].numpy().T)


def test_the_pizza_family_in_a_wrapper_is_not_taken_for_the_grokking_one(tmp_path: Path) -> None:
    state = random_state(column_shapes(P, 2))
    torch.save({"state_dict": state}, tmp_path / "a.pt")
    (tmp_path / "c.json").write_text('{"attn_coeff": 0, "act_fn": "ReLU"}')
    circuit = load(tmp_path / "a.pt", config=tmp_path / "c.json")
    assert_reads_as(circuit, column_forward(state, torch.relu, 0, causal=False)(all_inputs()))


def test_an_unknown_file_is_told_its_tensors_and_what_to_do(tmp_path: Path) -> None:
    torch.save({"weights_of_mine": {"first": randn(P, N), "second": randn(N, P)}, "epoch": 3}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path / "a.pt")
    message = str(caught.value)
    assert "it holds the tensors first (7, 10), second (10, 7)" in message
    assert '{"first": "?", "second": "?"}' in message
    for way in ("--map-names FILE.json", "quadlens.from_tensors", "quadlens.Circuit", "quadlens.from_module"):
        assert way in message
    torch.save({"epoch": 3}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="it holds dict without tensors by name"):
        load(tmp_path / "a.pt")


def test_a_neighbour_that_is_refused_comes_with_the_remedy(tmp_path: Path) -> None:
    torch.save({"model": mlp_state(), "tried": Fraction(1, 2)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"torch\.save\(model\.state_dict\(\)"):
        load(tmp_path / "a.pt", activation="relu")


def test_a_bare_transformer_lens_dict_is_told_both_attentions(tmp_path: Path) -> None:
    torch.save(random_state(row_shapes(P, 2)), tmp_path / "a.pt")
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path / "a.pt", activation="relu")
    assert '{"attention_rate": 0} for the softmax' in str(caught.value)
    assert '{"attention_rate": 1} if training replaced it' in str(caught.value)
