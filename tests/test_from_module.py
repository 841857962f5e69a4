"""A torch module becomes a circuit by running it: modules in many styles, each against its own logits on all inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import quadlens as ql
from quadlens.certificates.check import check
from quadlens.circuits.forward import logits
from quadlens.errors import CircuitError, OptionError, UnsupportedModelError

P, D, N = 7, 6, 10
A, B = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


class TwoArguments(nn.Module):
    """An embedding table for each input, a functional ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.out = nn.Embedding(P, N), nn.Embedding(P, N), nn.Linear(N, P)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.out(nn.functional.relu(self.left(a) + self.right(b)))


class Uniform(nn.Module):
    """A transformer on a, b, = with uniform attention, tied embeddings, a skip path, all positions returned."""

    def __init__(self, scores: float = 0.0, norm: bool = False) -> None:
        super().__init__()
        self.embed, self.pos = nn.Embedding(P + 1, D), nn.Parameter(torch.randn(3, D))
        self.value, self.mlp_in, self.mlp_out = nn.Linear(D, D), nn.Linear(D, N), nn.Linear(N, D)
        self.norm = nn.LayerNorm(D) if norm else nn.Identity()
        self.scores = scores

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens) + self.pos
        pattern = torch.softmax(self.scores * x @ x.transpose(1, 2), dim=-1)
        x = x + pattern @ self.value(x)
        x = x + self.mlp_out(self.mlp_in(self.norm(x)).clamp(min=0))
        return x @ self.embed.weight.T


class Raw(nn.Module):
    """Plain parameters and a power, a dictionary's worth of names that nobody knows, its logits in a record."""

    def __init__(self) -> None:
        super().__init__()
        self.u, self.v = nn.Parameter(torch.randn(2 * P, N)), nn.Parameter(torch.randn(N, P))

    def forward(self, joined: torch.Tensor) -> Any:
        return type("Output", (), {"logits": ((joined @ self.u) ** 2) @ self.v})()


class Hooked(nn.Module):
    """A hook point before an activation that is composed of others, as TransformerLens' gelu_new."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.blocks = nn.Embedding(P, D), nn.ModuleList([nn.Module()])
        self.blocks[0].mlp = nn.Module()
        self.blocks[0].mlp.W_in, self.blocks[0].mlp.W_out = nn.Linear(D, N), nn.Linear(N, P)
        self.blocks[0].mlp.hook_pre = nn.Identity()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mlp = self.blocks[0].mlp
        x = mlp.hook_pre(mlp.W_in(self.embed(tokens).sum(dim=1)))
        return mlp.W_out(0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))))


def sequential(activation: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(2 * P, N), activation, nn.Linear(N, P))


def tokens(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.stack([a, b], dim=1)


def with_sign(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.stack([a, b, torch.full_like(a, P)], dim=1)


def one_hots(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.cat([nn.functional.one_hot(a, P), nn.functional.one_hot(b, P)], dim=1).float()


STYLES: dict[str, tuple[Callable[[], nn.Module], dict[str, Any], str]] = {
    "two arguments": (TwoArguments, {}, "relu"),
    "transformer with =": (Uniform, {"inputs": with_sign}, "relu"),
    "raw parameters": (Raw, {"inputs": one_hots}, "square"),
    "hook point": (Hooked, {"preactivations": "blocks.0.mlp.hook_pre", "activation": "gelu_tanh"}, "gelu_tanh"),
    "hook point, found": (Hooked, {}, "gelu_tanh"),
    "sequential ReLU in place": (lambda: sequential(nn.ReLU(inplace=True)), {"inputs": one_hots}, "relu"),
    "sequential GELU": (lambda: sequential(nn.GELU()), {"inputs": one_hots}, "gelu"),
    "sequential GELU by tanh": (lambda: sequential(nn.GELU("tanh")), {"inputs": one_hots}, "gelu_tanh"),
    "sequential SiLU": (lambda: sequential(nn.SiLU()), {"inputs": one_hots}, "silu"),
    "sequential Tanh": (lambda: sequential(nn.Tanh()), {"inputs": one_hots}, "tanh"),
    "named activation module": (lambda: sequential(nn.ReLU()), {"inputs": one_hots, "preactivations": "1"}, "relu"),
    "named linear layer": (lambda: sequential(nn.ReLU()), {"inputs": one_hots, "preactivations": "0"}, "relu"),
}


def own_logits(model: nn.Module, inputs: Callable[..., Any] | None) -> np.ndarray:
    model = model.double()
    made = inputs(A.flatten(), B.flatten()) if inputs else None
    if made is None:
        two = isinstance(model, TwoArguments)
        out = model(A.flatten(), B.flatten()) if two else model(tokens(A.flatten(), B.flatten()))
    else:
        out = model(made.double() if made.is_floating_point() else made)
    out = getattr(out, "logits", out)
    return (out[:, -1] if out.dim() == 3 else out).detach().reshape(P, P, -1).numpy()


@pytest.mark.parametrize("style", STYLES)
def test_a_module_is_the_circuit_that_it_runs_as(style: str) -> None:
    make, said, activation = STYLES[style]
    model = make()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    circuit = ql.from_module(model, p=P, **said)
    assert circuit.activation == activation
    # the module is left as it was: its numbers, its dtype, its hooks
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    whole = own_logits(model, said.get("inputs"))
    got = logits(circuit, slice(0, P))
    np.testing.assert_allclose(got, whole[..., :P], rtol=0, atol=1e-12 * np.abs(whole).max())
    assert "measured on all 49 inputs" in circuit.provenance.said["module"]
    if whole.shape[-1] > P:
        assert circuit.provenance.left_out is not None
        assert circuit.provenance.left_out.largest_on == int((whole.argmax(axis=-1) >= P).sum())
    certificate = ql.certify(circuit, method="brute-force")
    assert check(certificate, circuit).accepted


@pytest.mark.parametrize("model", [lambda: Uniform(scores=0.1), lambda: Uniform(norm=True)])
def test_what_is_no_circuit_is_refused_with_the_size_or_frozen(model: Callable[[], nn.Module]) -> None:
    made = model()
    with pytest.raises(UnsupportedModelError, match=r"is no circuit .* a logit differs .*measured on all 49"):
        ql.from_module(made, p=P, inputs=with_sign)
    circuit = ql.from_module(made, p=P, inputs=with_sign, freeze=True)
    frozen = circuit.provenance.frozen
    assert frozen is not None
    whole = own_logits(made, with_sign)[..., :P]
    off = np.abs(logits(circuit, slice(0, P)) - whole).max()
    assert frozen.logit_change == pytest.approx(off, rel=1e-9)
    right = (np.arange(P)[:, None] + np.arange(P)) % P
    assert frozen.accuracy_before == (whole.argmax(axis=-1) == right).mean()
    assert frozen.attention_change is None
    assert "frozen" in ql.certify(circuit, method="brute-force").verdict
    assert check(ql.certify(circuit, method="brute-force"), circuit).accepted


def test_a_wrong_activation_or_place_is_seen() -> None:
    model = sequential(nn.ReLU())
    with pytest.raises(UnsupportedModelError, match="is no circuit with the activation gelu"):
        ql.from_module(model, p=P, inputs=one_hots, activation="gelu", preactivations="0")
    with pytest.raises(UnsupportedModelError, match="is no circuit"):
        ql.from_module(model, p=P, inputs=one_hots, activation="relu", preactivations="2")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"p": 2}, "p must be an integer >= 3, got 2"),
        ({"p": 7.0}, "p must be an integer >= 3"),
        ({"p": P, "preactivations": "mlp"}, "has no submodule 'mlp'; it has 0, 1, 2"),
        ({"p": P, "activation": "silu"}, r"calls no silu activation function \(called: relu\)"),
        ({"p": P, "inputs": None}, "cannot be run on two tensors of residues .* say with inputs="),
        ({"p": P + 1}, "cannot be run|has 7 outputs, p = 8"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(said: dict[str, Any], message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        ql.from_module(sequential(nn.ReLU()), **({"inputs": one_hots} | said))


def test_unknown_activations_are_refused() -> None:
    with pytest.raises(OptionError, match="activation must be one of relu"):
        ql.from_module(sequential(nn.ReLU()), p=P, inputs=one_hots, activation="softplus")
    with pytest.raises(CircuitError, match=r"calls no known activation function \(called: none\)"):
        ql.from_module(sequential(nn.Softplus()), p=P, inputs=one_hots)


def test_a_page_about_it_names_what_it_is() -> None:
    circuit = ql.from_module(TwoArguments(), p=P)
    assert circuit.family == "torch module"
    assert circuit.provenance.said["activation"] == "relu, by the function that it calls, relu"
