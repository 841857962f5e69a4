"""Networks in memory: a torch module with TransformerLens parameter names becomes a circuit without that library."""

import numpy as np
import pytest
import torch

import quadlens as ql
from quadlens.circuits.forward import logits
from quadlens.errors import CheckpointError, OptionError, UnsupportedModelError

P, D, H, N = 11, 8, 2, 16


class Attention(torch.nn.Module):
    """Uniform attention; ``pattern`` is what a hook on a TransformerLens model would set."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        for name in ("W_Q", "W_K", "W_V"):
            setattr(self, name, torch.nn.Parameter(torch.randn(H, D, D // H) / D**0.5))
        self.W_O = torch.nn.Parameter(torch.randn(H, D // H, D) / D**0.5)
        self.b_V = torch.nn.Parameter(torch.randn(H, D // H))
        self.b_Q, self.b_K = (torch.nn.Parameter(torch.zeros(H, D // H)) for _ in range(2))
        self.b_O = torch.nn.Parameter(torch.randn(D))
        self.register_buffer("mask", torch.ones(tokens, tokens, dtype=torch.bool).tril())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = torch.einsum("ntd,hde->nthe", x, self.W_V) + self.b_V
        return torch.einsum("nhe,hed->nd", values.mean(dim=1), self.W_O) + self.b_O


def bag(**values: torch.Tensor) -> torch.nn.Module:
    module = torch.nn.Module()
    for name, value in values.items():
        module.register_parameter(name, torch.nn.Parameter(value))
    return module


class OneLayer(torch.nn.Module):
    """What a user has: a one-layer transformer whose parameters are called as TransformerLens calls them."""

    def __init__(self, end_token: bool = False) -> None:
        super().__init__()
        tokens = 2 + end_token
        self.end_token = end_token
        self.embed = bag(W_E=torch.randn(P + end_token, D))
        self.pos_embed = bag(W_pos=torch.randn(tokens, D))
        self.unembed = bag(W_U=torch.randn(D, P), b_U=torch.randn(P))
        block = torch.nn.Module()
        block.attn = Attention(tokens)
        block.mlp = bag(W_in=torch.randn(D, N), b_in=torch.randn(N), W_out=torch.randn(N, D), b_out=torch.randn(D))
        self.blocks = torch.nn.ModuleList([block])

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        block = self.blocks[0]
        x = self.embed.W_E[tokens] + self.pos_embed.W_pos
        x = x[:, -1] + block.attn(x)
        x = x + torch.relu(x @ block.mlp.W_in + block.mlp.b_in) @ block.mlp.W_out + block.mlp.b_out
        return x @ self.unembed.W_U + self.unembed.b_U

    def all_logits(self) -> np.ndarray:
        a, b = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")
        columns = [a.flatten(), b.flatten()] + ([torch.full((P * P,), P)] if self.end_token else [])
        with torch.no_grad():
            return self(torch.stack(columns, dim=1)).reshape(P, P, P).numpy()


@pytest.fixture(params=[False, True], ids=["a b", "a b ="])
def module(request: pytest.FixtureRequest) -> OneLayer:
    torch.manual_seed(0)
    return OneLayer(end_token=request.param).double()


@pytest.mark.parametrize("family", ["transformer-lens", "gbmi"])
def test_the_circuit_computes_what_the_module_computes(module: OneLayer, family: str) -> None:
    circuit = ql.from_state_dict(module.state_dict(), family=family, attention="uniform", activation="relu")
    expected = module.all_logits()
    # both are float64 sums of at most 100 products of numbers of order 10
    np.testing.assert_allclose(logits(circuit, slice(None)), expected, rtol=0, atol=1e-11 * np.abs(expected).max())
    assert circuit.weights is not None


def test_parameters_arrays_and_half_precision_are_read_exactly(module: OneLayer) -> None:
    state = module.half().state_dict()
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    parameters = dict(module.named_parameters())
    said = {"family": "gbmi", "attention": "uniform", "activation": "relu"}
    tables = [ql.from_state_dict(given, **said).U for given in (state, arrays, parameters)]
    assert (tables[0] == tables[1]).all()
    assert (tables[0] == tables[2]).all()


def test_a_view_is_read(module: OneLayer) -> None:
    state = module.state_dict()
    whole = ql.from_state_dict(state, family="gbmi", attention="uniform", activation="relu")
    state["unembed.W_U"] = state["unembed.W_U"].T.contiguous().T
    assert (ql.from_state_dict(state, family="gbmi", attention="uniform", activation="relu").U == whole.U).all()


def test_softmax_attention_is_refused_and_can_be_frozen(module: OneLayer) -> None:
    with pytest.raises(UnsupportedModelError, match="depends on the input"):
        ql.from_state_dict(module.state_dict(), family="gbmi", attention="softmax", activation="relu")
    said = {"family": "gbmi", "attention": "softmax", "activation": "relu"}
    frozen = ql.from_state_dict(module.state_dict(), **said, freeze_attention=True)
    assert "frozen" in frozen.family


def test_the_convention_must_be_said_and_known(module: OneLayer) -> None:
    state = module.state_dict()
    with pytest.raises(CheckpointError, match="does not say its attention_rate"):
        ql.from_state_dict(state, family="gbmi")
    with pytest.raises(OptionError, match="must be one of uniform, softmax, got 'ones'"):
        ql.from_state_dict(state, family="gbmi", attention="ones")
    with pytest.raises(OptionError, match="it has no attention"):
        ql.from_state_dict(state, family="one-hot", attention="uniform")
    with pytest.raises(CheckpointError, match=r"family must be one of gbmi, .*transformer-lens, got 'native'"):
        ql.from_state_dict(state, family="native")


def test_readers_stay_strict(module: OneLayer) -> None:
    state = module.state_dict()
    less = {name: tensor for name, tensor in state.items() if name != "unembed.W_U"}
    with pytest.raises(CheckpointError, match=r"lacks the tensors unembed\.W_U"):
        ql.from_state_dict(less, family="gbmi", attention="uniform", activation="relu")
    with pytest.raises(CheckpointError, match=r"mlp\.W_in must be a tensor or an array"):
        ql.from_state_dict({"mlp.W_in": object()}, family="one-hot")
    state["blocks.0.mlp.b_in"][0] = float("nan")
    with pytest.raises(CheckpointError, match=r"my network: tensor blocks\.0\.mlp\.b_in holds 1 NaN"):
        ql.from_state_dict(state, family="gbmi", attention="uniform", activation="relu", source="my network")


def test_one_hot_matrices_need_three_lines() -> None:
    W_in, W_out = np.random.default_rng(0).normal(size=(2, N, P))
    state = {"mlp.W_in": W_in, "mlp.W_out": W_out.T}
    circuit = ql.from_state_dict(state, family="one-hot", config={"act_type": "Quad"})
    assert (circuit.A == W_in.T).all()
    assert circuit.activation == "square"


def test_the_grokking_names_are_read() -> None:
    torch.manual_seed(1)
    shapes = {"blocks.0.attn.W_O": (D, D), "blocks.0.mlp.W_in": (N, D), "blocks.0.mlp.b_in": (N,)}
    shapes |= {"blocks.0.mlp.W_out": (D, N), "blocks.0.mlp.b_out": (D,), "embed.W_E": (D, P + 1)}
    shapes |= {"pos_embed.W_pos": (3, D), "unembed.W_U": (D, P + 1)}
    shapes |= {f"blocks.0.attn.{name}": (H, D // H, D) for name in ("W_Q", "W_K", "W_V")}
    state = {name: torch.randn(shape) for name, shape in shapes.items()}
    circuit = ql.from_state_dict(state, family="nanda", attention="softmax", activation="relu", freeze_attention=True)
    assert (circuit.p, circuit.neurons) == (P, N)
