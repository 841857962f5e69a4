"""The families without attention: linear models and one-hot MLPs, each compared with a plain forward pass."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quadlens.circuits.forward import logits
from quadlens.circuits.load import load
from quadlens.errors import CheckpointError, UnsupportedModelError

P, D, N = 7, 4, 10
TOLERANCE = 1e-12  # some ten float64 operations on numbers of order 1


def randn(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape) * 31 + len(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def linear_state(kind: str) -> dict[str, torch.Tensor]:
    names = ("embed1.weight", "embed2.weight") if kind == "X" else ("embed.weight",)
    state = {name: randn(P, D) + index for index, name in enumerate(names)}
    state |= {"l1.weight": randn(N, 2 * D if kind == "D" else D), "l1.bias": randn(N), "unembed.weight": randn(P, N)}
    return state


def linear_forward(kind: str, state: dict[str, torch.Tensor], a: int, b: int) -> torch.Tensor:
    if kind == "X":
        x = state["embed1.weight"][a] + state["embed2.weight"][b]
    elif kind == "D":
        x = torch.cat([state["embed.weight"][a], state["embed.weight"][b]])
    else:
        x = state["embed.weight"][a] + state["embed.weight"][b]
    return torch.relu(state["l1.weight"] @ x + state["l1.bias"]) @ state["unembed.weight"].T


def save(folder: Path, content: Any, config: dict[str, Any] | None = None) -> Path:
    torch.save(content, folder / "model_xyz.pt")
    if config is not None:
        (folder / "config_xyz.json").write_text(json.dumps(config))
    return folder / "model_xyz.pt"


@pytest.mark.parametrize("kind", "AXD")
@pytest.mark.parametrize("configured", [False, True])
def test_linear_models_read_as_they_run(tmp_path: Path, kind: str, configured: bool) -> None:
    state = linear_state(kind)
    config = {"C": P, "n_vocab": P, "model_type": kind, "d_model": D, "func": None} if configured else None
    circuit = load(save(tmp_path, state, config))
    assert circuit.family == f"pizza linear {kind}"
    got = logits(circuit, slice(0, P))
    for a in range(P):
        for b in range(P):
            np.testing.assert_allclose(
                got[a, b], linear_forward(kind, state, a, b).numpy(), rtol=0, atol=TOLERANCE * 1e2
            )


def test_a_second_hidden_layer_is_refused(tmp_path: Path) -> None:
    state = linear_state("A") | {"l2.weight": randn(N, N), "l2.bias": randn(N)}
    with pytest.raises(UnsupportedModelError, match="second hidden layer"):
        load(save(tmp_path, state))
    with pytest.raises(UnsupportedModelError, match="linear type B has a second hidden layer"):
        load(save(tmp_path, linear_state("A"), {"model_type": "B"}))


@pytest.mark.parametrize(
    ("change", "config", "message"),
    [
        ({}, {"model_type": "D"}, "config says type 'D', the tensors are of type A"),
        ({}, {"C": P + 1}, "config says C = 8, the tensors say 7"),
        ({"l1.weight": randn(N, D + 1)}, None, "the inputs of l1 = 5, the tensors say 4"),
        (
            {"unembed.weight": randn(P + 1, N)},
            None,
            r"unembed\.weight must have shape \(p = 7, d_mlp = 10\), got \(8, 10\)",
        ),
        ({"l1.bias": randn(N, 1)}, None, r"l1\.bias must have shape \(d_mlp = 10\), got \(10, 1\)"),
    ],
)
def test_linear_models_that_do_not_fit_are_refused(
    tmp_path: Path, change: dict[str, torch.Tensor], config: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load(save(tmp_path, linear_state("A") | change, config))


ACTS = {"ReLU": torch.relu, "GeLU": torch.nn.functional.gelu, "Quad": torch.square}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("embedded", [False, True])
def test_one_hot_networks_read_as_they_run(tmp_path: Path, act: str, embedded: bool) -> None:
    state = {"mlp.W_in": randn(N, D if embedded else P), "mlp.W_out": randn(P, N), "mlp.basis": randn(P, P)}
    if embedded:
        state["embed.W_E"] = randn(D, P)
    folder = tmp_path / f"p_{P}_dmlp_{N}_{act}_random_scale_0.1_decay_0_1"
    folder.mkdir()
    torch.save(
        {"model": state, "train_loss": 0.1, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3}]}},
        folder / "f.pth",
    )
    circuit = load(folder / "f.pth")
    np.testing.assert_array_equal(circuit.A, circuit.B)
    inputs = torch.eye(P, dtype=torch.float64)
    if embedded:
        inputs = inputs @ state["embed.W_E"].T
    hidden = ACTS[act]((inputs[:, None] + inputs[None]) @ state["mlp.W_in"].T)
    expected = (hidden @ state["mlp.W_out"].T).numpy()
    np.testing.assert_allclose(
        logits(circuit, slice(0, P)), expected, rtol=0, atol=1e2 * TOLERANCE * np.abs(expected).max()
    )


def test_a_one_hot_network_takes_its_activation_from_the_config_first(tmp_path: Path) -> None:
    path = save(tmp_path, {"model": {"mlp.W_in": randn(N, P), "mlp.W_out": randn(P, N)}})
    with pytest.raises(CheckpointError, match="does not say its activation; give it with --activation"):
        load(path)
    assert load(path, activation="abs").activation == "abs"
    (tmp_path / "c.json").write_text('{"act_type": "Quad", "p": 7}')
    assert load(path, config=tmp_path / "c.json").activation == "square"
    (tmp_path / "c.json").write_text('{"act_type": "Id"}')
    with pytest.raises(UnsupportedModelError, match="activation 'Id' is not supported"):
        load(path, config=tmp_path / "c.json")
    (tmp_path / "c.json").write_text('{"fn_name": "subtract"}')
    with pytest.raises(UnsupportedModelError, match="trained on 'subtract'"):
        load(path, config=tmp_path / "c.json")
