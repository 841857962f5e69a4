"""Every transformer family: random checkpoints, run token by token as their own code would, and read as circuits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quadlens.circuits.forward import logits
from quadlens.circuits.load import load, load_measured
from quadlens.errors import CheckpointError, UnsupportedModelError

P, D, HEADS, D_HEAD, D_MLP = 7, 6, 2, 3, 10

# float64 checkpoints of order 1: some hundred operations of relative error 1e-16 each
FLOAT64 = 1e-11

Forward = Callable[[torch.Tensor], torch.Tensor]
State = dict[str, torch.Tensor]


def random_state(shapes: dict[str, tuple[int, ...]], dtype: torch.dtype = torch.float64) -> State:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator, dtype=dtype) / 2 for name, shape in shapes.items()}


def column_shapes(vocabulary: int, context: int) -> dict[str, tuple[int, ...]]:
    return {
        "embed.W_E": (D, vocabulary),
        "pos_embed.W_pos": (context, D),
        "blocks.0.attn.W_K": (HEADS, D_HEAD, D),
        "blocks.0.attn.W_Q": (HEADS, D_HEAD, D),
        "blocks.0.attn.W_V": (HEADS, D_HEAD, D),
        "blocks.0.attn.W_O": (D, HEADS * D_HEAD),
        "blocks.0.attn.mask": (context, context),
        "blocks.0.mlp.W_in": (D_MLP, D),
        "blocks.0.mlp.b_in": (D_MLP,),
        "blocks.0.mlp.W_out": (D, D_MLP),
        "blocks.0.mlp.b_out": (D,),
        "unembed.W_U": (D, vocabulary),
    }


def column_forward(
    state: State, act: Callable[[torch.Tensor], torch.Tensor], coefficient: float, causal: bool
) -> Forward:
    """Run the pizza family (or, with a mask, the one it descends from) on tokens of shape (batch, context)."""
    state = {name: tensor.double() for name, tensor in state.items()}
    patterns: list[torch.Tensor] = []

    def forward(tokens: torch.Tensor) -> torch.Tensor:
        x = state["embed.W_E"].T[tokens] + state["pos_embed.W_pos"]
        heads = []
        for head in range(HEADS):
            query, key, value = (x @ state[f"blocks.0.attn.W_{name}"][head].T for name in "QKV")
            scores = query @ key.transpose(1, 2) / D_HEAD**0.5
            if causal:
                hidden = torch.ones_like(scores[0]).triu(1).bool()
                scores = scores.masked_fill(hidden, -torch.inf)
            pattern = torch.softmax(scores, dim=-1) * coefficient + (1 - coefficient)
            patterns.append(pattern[:, -1])
            heads.append(pattern @ value)
        x = x + torch.cat(heads, dim=-1) @ state["blocks.0.attn.W_O"].T
        hidden = act(x @ state["blocks.0.mlp.W_in"].T + state["blocks.0.mlp.b_in"])
        x = x + hidden @ state["blocks.0.mlp.W_out"].T + state["blocks.0.mlp.b_out"]
        return (x @ state["unembed.W_U"])[:, -1]

    forward.patterns = patterns  # type: ignore[attr-defined]
    return forward


def row_shapes(vocabulary: int, context: int, *, biases: bool = True) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "embed.W_E": (vocabulary, D),
        "pos_embed.W_pos": (context, D),
        **{f"blocks.0.attn.W_{name}": (HEADS, D, D_HEAD) for name in "QKV"},
        "blocks.0.attn.W_O": (HEADS, D_HEAD, D),
        "blocks.0.mlp.W_in": (D, D_MLP),
        "blocks.0.mlp.b_in": (D_MLP,),
        "blocks.0.mlp.W_out": (D_MLP, D),
        "blocks.0.mlp.b_out": (D,),
        "unembed.W_U": (D, P),
    }
    if biases:
        shapes |= {f"blocks.0.attn.b_{name}": (HEADS, D_HEAD) for name in "QKV"}
        shapes |= {"blocks.0.attn.b_O": (D,), "unembed.b_U": (P,)}
    return shapes


def row_forward(state: State, act: Callable[[torch.Tensor], torch.Tensor], rate: float) -> Forward:
    """Run a TransformerLens one-layer transformer whose pattern is mixed with the uniform one, as gbmi does."""
    state = {name: tensor.double() for name, tensor in state.items() if tensor.is_floating_point()}
    patterns: list[torch.Tensor] = []

    def bias(name: str) -> torch.Tensor:
        return state.get(name, torch.zeros(()).double())

    def forward(tokens: torch.Tensor) -> torch.Tensor:
        x = state["embed.W_E"][tokens] + state["pos_embed.W_pos"]
        out = bias("blocks.0.attn.b_O")
        for head in range(HEADS):
            query, key, value = (
                x @ state[f"blocks.0.attn.W_{name}"][head]
                + (state[f"blocks.0.attn.b_{name}"][head] if f"blocks.0.attn.b_{name}" in state else 0)
                for name in "QKV"
            )
            scores = query @ key.transpose(1, 2) / D_HEAD**0.5
            scores = scores.masked_fill(torch.ones_like(scores[0]).triu(1).bool(), -torch.inf)
            pattern = rate / tokens.shape[1] + (1 - rate) * torch.softmax(scores, dim=-1)
            patterns.append(pattern[:, -1])
            out = out + pattern @ value @ state["blocks.0.attn.W_O"][head]
        x = x + out
        hidden = act(x @ state["blocks.0.mlp.W_in"] + state["blocks.0.mlp.b_in"])
        x = x + hidden @ state["blocks.0.mlp.W_out"] + state["blocks.0.mlp.b_out"]
        return (x @ state["unembed.W_U"] + bias("unembed.b_U"))[:, -1]

    forward.patterns = patterns  # type: ignore[attr-defined]
    return forward


def all_inputs(offset_b: int = 0, sign: int | None = None) -> torch.Tensor:
    a, b = torch.meshgrid(torch.arange(P), torch.arange(P), indexing="ij")
    tokens = [a.reshape(-1), b.reshape(-1) + offset_b]
    if sign is not None:
        tokens.append(torch.full((P * P,), sign))
    return torch.stack(tokens, dim=1)


def network_logits(forward: Forward, tokens: torch.Tensor) -> np.ndarray:
    return forward(tokens)[:, :P].reshape(P, P, P).numpy()


def assert_reads_as(circuit: Any, expected: np.ndarray, tolerance: float = FLOAT64) -> None:
    np.testing.assert_allclose(
        logits(circuit, slice(0, P)), expected, rtol=0, atol=tolerance * np.abs(expected).max()
    )


def save_pizza(folder: Path, state: State, config: dict[str, Any]) -> Path:
    torch.save(state, folder / "model_abc123.pt")
    (folder / "config_abc123.json").write_text(json.dumps({"act_fn": "ReLU"} | config))
    return folder / "model_abc123.pt"


ACTS = {"ReLU": torch.relu, "GeLU": torch.nn.functional.gelu, "Tanh": torch.tanh}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("apart", "sign"), [(0, 0), (1, 0), (0, 1), (True, True)])
def test_pizza_transformers_read_as_they_run(tmp_path: Path, act: str, apart: int, sign: int) -> None:
    vocabulary = P * (1 + apart) + sign
    state = random_state(column_shapes(vocabulary, 2 + sign))
    config = {"C": P, "n_layers": 1, "act_fn": act, "attn_coeff": 0, "diff_vocab": apart, "eqn_sign": sign}
    circuit = load(save_pizza(tmp_path, state, config))
    tokens = all_inputs(P * apart, vocabulary - 1 if sign else None)
    assert_reads_as(circuit, network_logits(column_forward(state, ACTS[act], 0, causal=False), tokens))
    if sign and not apart:
        spread = circuit.B - circuit.A
        np.testing.assert_allclose(spread, np.broadcast_to(spread[:1], spread.shape), atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_dtype_is_read_exactly(tmp_path: Path, dtype: torch.dtype) -> None:
    state = random_state(column_shapes(P, 2), dtype)
    circuit = load(save_pizza(tmp_path, state, {"attn_coeff": 0}))
    assert circuit.weights is not None
    stored = state["blocks.0.mlp.W_in"].double().numpy().T
    np.testing.assert_array_equal(circuit.weights.tensors["W_in"], stored)
    assert_reads_as(circuit, network_logits(column_forward(state, torch.relu, 0, causal=False), all_inputs()))


def gbmi_file(
    folder: Path, state: State, rate: float | None = 1, *, lightning: bool = False, **experiment: Any
) -> Path:
    state = state | {"blocks.0.attn.mask": torch.ones(2, 2).bool(), "blocks.0.attn.IGNORE": torch.tensor(-torch.inf)}
    path = folder / ("run.ckpt" if lightning else "run.pth")
    if lightning:
        content: dict[str, Any] = {"state_dict": {f"model.{name}": t for name, t in state.items()}, "epoch": 3}
    else:
        experiment = {"p": P, "n_layers": 1, "act_fn": "relu", "fn_name": "add"} | experiment
        if rate is not None:
            experiment["attention_rate"] = rate
        content = {"model": state, "run_config": {"experiment": experiment, "seed": 1}, "wandb_id": None}
    torch.save(content, path)
    return path


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("act", ["relu", "gelu", "gelu_new", "silu"])
def test_gbmi_files_read_as_they_run(tmp_path: Path, sign: int, biases: bool, act: str) -> None:
    state = random_state(row_shapes(P + sign, 2 + sign, biases=biases))
    path = gbmi_file(tmp_path, state, act_fn=act, use_end_of_sequence=bool(sign))
    run = {
        "relu": torch.relu,
        "gelu": torch.nn.functional.gelu,
        "gelu_new": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        "silu": torch.nn.functional.silu,
    }[act]
    expected = network_logits(row_forward(state, run, 1), all_inputs(sign=P if sign else None))
    assert_reads_as(load(path), expected)


def test_a_lightning_checkpoint_needs_its_attention_rate_from_a_config(tmp_path: Path) -> None:
    state = random_state(row_shapes(P, 2))
    path = gbmi_file(tmp_path, state, lightning=True)
    with pytest.raises(CheckpointError, match="does not say its attention_rate"):
        load(path)
    (tmp_path / "run.json").write_text('{"attention_rate": 1}')
    with pytest.raises(CheckpointError, match="does not say its activation; give it with --activation"):
        load(path, config=tmp_path / "run.json")
    circuit = load(path, config=tmp_path / "run.json", activation="relu")
    assert_reads_as(circuit, network_logits(row_forward(state, torch.relu, 1), all_inputs()))


def test_a_given_config_overrides_the_file(tmp_path: Path) -> None:
    path = gbmi_file(tmp_path, random_state(row_shapes(P, 2)), rate=0.5)
    (tmp_path / "run.json").write_text('{"experiment": {"attention_rate": 1.0}, "seed": 0}')
    assert load(path, config=tmp_path / "run.json").p == P


def nanda_file(folder: Path, state: State, **extra: Any) -> Path:
    torch.save({"model": state, "epoch": 10, "train_losses": [0.5], **extra}, folder / "final.pth")
    return folder / "final.pth"


FROZEN_CASES = ["pizza", "pizza =", "gbmi", "gbmi =", "nanda", "nanda states"]


def frozen_case(case: str, folder: Path) -> tuple[Path, Forward, torch.Tensor]:
    sign = case.endswith("=") or case.startswith("nanda")
    tokens = all_inputs(sign=P if sign else None)
    if case.startswith("gbmi"):
        state = random_state(row_shapes(P + sign, 2 + sign))
        return gbmi_file(folder, state, rate=0.25), row_forward(state, torch.relu, 0.25), tokens
    state = random_state(column_shapes(P + sign, 2 + sign))
    if case.startswith("pizza"):
        config = {"attn_coeff": 0.75, "eqn_sign": sign}
        return save_pizza(folder, state, config), column_forward(state, torch.relu, 0.75, causal=False), tokens
    path = nanda_file(folder, state, config={"act_type": "ReLU"})
    if case == "nanda states":
        other = random_state(column_shapes(P + sign, 2 + sign), torch.float32)
        torch.save({"state_dicts": [other, state], "config": {"p": P, "act_type": "ReLU", "lr": 1e-3}}, path)
    return path, column_forward(state, torch.relu, 1, causal=True), tokens


@pytest.mark.parametrize("case", FROZEN_CASES)
def test_input_dependent_attention_is_refused_or_frozen_with_its_measured_deviation(
    tmp_path: Path, case: str
) -> None:
    path, forward, tokens = frozen_case(case, tmp_path)
    with pytest.raises(UnsupportedModelError, match="attention depends on the input"):
        load(path)
    circuit, frozen = load_measured(path, freeze_attention=True)
    assert frozen is not None
    expected = network_logits(forward, tokens)
    kept = logits(circuit, slice(0, P))
    patterns = torch.stack(forward.patterns).numpy()  # type: ignore[attr-defined]
    # frozen weights are means rounded to multiples of 2^-40
    np.testing.assert_allclose(frozen.pattern, patterns.mean(axis=1), rtol=0, atol=2.0**-40)
    assert frozen.attention_change.value == pytest.approx(np.abs(patterns - frozen.pattern[:, None]).max(), rel=1e-9)
    # the deviation is the distance between the network's own logits and the circuit's
    assert frozen.logit_change.value == pytest.approx(np.abs(expected - kept).max(), rel=1e-9)
    right = (np.arange(P)[:, None] + np.arange(P)) % P
    before, after = ((table.argmax(axis=-1) == right).mean() for table in (expected, kept))
    assert (frozen.accuracy_before.value, frozen.accuracy_after.value) == (before, after)
    assert "attention frozen" in circuit.family
    assert circuit.provenance.frozen == frozen.record
    assert circuit.source == str(path)
    assert "all 49 inputs" in frozen.summary


@pytest.mark.parametrize("case", FROZEN_CASES)
def test_freezing_attention_that_is_already_constant_changes_nothing(tmp_path: Path, case: str) -> None:
    """With no queries and keys the softmax is uniform: freezing must give the network back."""
    path, _, tokens = frozen_case(case, tmp_path)
    content = torch.load(path, weights_only=True)
    state = content if case.startswith("pizza") else content.get("model", content.get("state_dicts", [None])[-1])
    for name in ("W_Q", "W_K", "b_Q", "b_K"):
        if f"blocks.0.attn.{name}" in state:
            state[f"blocks.0.attn.{name}"].zero_()
    torch.save(content, path)
    circuit, frozen = load_measured(path, freeze_attention=True)
    if case.startswith("gbmi"):
        forward = row_forward(state, torch.relu, 0.25)
    else:
        forward = column_forward(state, torch.relu, 0.75 if case.startswith("pizza") else 1, case.startswith("nanda"))
    # a frozen weight is rounded to a multiple of 2^-40
    assert_reads_as(circuit, network_logits(forward, tokens), tolerance=1e-10)
    assert frozen is not None
    assert frozen.attention_change.value <= 2.0**-40


def test_freezing_is_not_asked_of_constant_attention(tmp_path: Path) -> None:
    path = save_pizza(tmp_path, random_state(column_shapes(P, 2)), {"attn_coeff": 0})
    circuit, frozen = load_measured(path, freeze_attention=True)
    assert frozen is None
    assert circuit.family == "pizza transformer"


def _without(name: str) -> Callable[[State], State]:
    return lambda state: {key: tensor for key, tensor in state.items() if key != name}


def _with(name: str, tensor: torch.Tensor) -> Callable[[State], State]:
    return lambda state: state | {name: tensor}


REFUSED_STATES: dict[str, tuple[Callable[[State], State], str]] = {
    "missing": (_without("blocks.0.mlp.b_in"), r"lacks the tensors blocks\.0\.mlp\.b_in"),
    "unknown": (_with("extra", torch.ones(1)), "tensors that this family does not: 'extra'"),
    "two layers": (_with("blocks.1.mlp.W_in", torch.ones(1)), "more than one layer"),
    "normalisation": (_with("blocks.0.ln1.w_ln", torch.ones(1)), "normalisation layers"),
    "wrong shape": (
        _with("blocks.0.mlp.W_out", torch.ones(D, D_MLP + 1)),
        r"W_out must have shape \(d_model = 6,"
        r" d_mlp = 10\)",
    ),
    "mismatched p": (
        _with("unembed.W_U", torch.ones(D, P + 1)),
        r"must have shape \(d_model = 6, d_vocab = 7\), got"
        r" \(6, 8\)",
    ),
    "heads": (_with("blocks.0.attn.W_O", torch.ones(D, 5)), r"n_heads·d_head = 6, the tensors say 5"),
    "nan": (_with("pos_embed.W_pos", torch.full((2, D), torch.nan)), r"tensor pos_embed\.W_pos holds 12 NaN"),
    "infinite": (_with("pos_embed.W_pos", torch.full((2, D), torch.inf)), "NaN or infinite"),
    "integers": (_with("pos_embed.W_pos", torch.ones(2, D, dtype=torch.int64)), "float dtype .* got int64"),
    "not a tensor": (lambda state: state | {"embed.W_E": [1.0]}, "embed.W_E must be a tensor, got list"),  # type: ignore[dict-item]
    "stride 0": (_with("unembed.W_U", torch.ones(1).expand(D, P)), "contiguous and stored in full"),
    "overlapping": (_with("unembed.W_U", torch.ones(99).as_strided((D, P), (2, 3))), "contiguous and stored in full"),
    "three positions": (_with("pos_embed.W_pos", torch.ones(3, D)), "2 position embeddings, got 3"),
}


@pytest.mark.parametrize("case", REFUSED_STATES)
def test_a_state_dict_that_does_not_fit_is_refused_by_name(tmp_path: Path, case: str) -> None:
    change, message = REFUSED_STATES[case]
    state = change(random_state(column_shapes(P, 2)))
    with pytest.raises(CheckpointError, match=message) as caught:
        load(save_pizza(tmp_path, state, {"attn_coeff": 0}))
    assert "model_abc123.pt" in str(caught.value)
    assert str(caught.value).isprintable()


REFUSED_CONFIGS = {
    "no coefficient": ({"C": P}, "lacks attn_coeff"),
    "coefficient": ({"attn_coeff": 1.5}, "attn_coeff must be a number in 0..1, got 1.5"),
    "beyond float64": ({"attn_coeff": 10**400}, "attn_coeff must be a number in 0..1"),
    "text": ({"attn_coeff": "0"}, "attn_coeff must be a number"),
    "layers": ({"attn_coeff": 0, "n_layers": 2}, "says 2 layers"),
    "linear": ({"attn_coeff": 0, "use_linear": True}, "use_linear"),
    "activation": ({"attn_coeff": 0, "act_fn": "Swish"}, "activation 'Swish' is not supported"),
    "p": ({"attn_coeff": 0, "C": P + 1}, "the config says .* = 8, the tensors say 7"),
    "p two": ({"attn_coeff": 0, "C": 2}, r"C must be an integer in 3\.\."),
    "flag": ({"attn_coeff": 0, "eqn_sign": 2}, "eqn_sign must be true or false"),
    "unknown": ({"attn_coeff": 0, "weights": "../../secret"}, "unknown key 'weights'"),
}


@pytest.mark.parametrize("case", REFUSED_CONFIGS)
def test_a_config_that_does_not_fit_is_refused(tmp_path: Path, case: str) -> None:
    config, message = REFUSED_CONFIGS[case]
    with pytest.raises(CheckpointError, match=message):
        load(save_pizza(tmp_path, random_state(column_shapes(P, 2)), config))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"attn_coeff": NaN}', "NaN is not a JSON number"),
        ('{"attn_coeff": 0, "attn_coeff": 1}', "a key is given twice"),
        ("[" * 100_000, "nested deeper than 32 levels"),
        ("[]", "must be a JSON object, got list"),
        ('{"attn_coeff": ' + "9" * 5000 + "}", "not valid JSON"),
        ("", "is empty"),
        ("\x1b[2J", "is not valid JSON"),
    ],
)
def test_a_config_that_is_not_strict_json_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = save_pizza(tmp_path, random_state(column_shapes(P, 2)), {})
    (tmp_path / "config_abc123.json").write_text(text)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(path)
    assert str(caught.value).isprintable()


def test_a_pizza_checkpoint_without_its_config_is_refused(tmp_path: Path) -> None:
    torch.save(random_state(column_shapes(P, 2)), tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="keeps its attention coefficient beside the checkpoint"):
        load(tmp_path / "weights.pt")


def test_two_residues_are_refused(tmp_path: Path) -> None:
    state = random_state(column_shapes(2, 2))
    with pytest.raises(CheckpointError, match="p >= 3"):
        load(save_pizza(tmp_path, state, {"attn_coeff": 0}))


@pytest.mark.parametrize(
    ("experiment", "message"),
    [
        ({"n_layers": 2}, "has 2 layers"),
        ({"normalization_type": "LN"}, "normalisation layers"),
        ({"fn_name": "subtract"}, "trained on 'subtract'"),
        ({"act_fn": "solu"}, "activation 'solu' is not supported"),
        ({"p": P + 1}, "the config says p = 8, the tensors say 7"),
        ({"use_end_of_sequence": True}, r"p \+ use_end_of_sequence = 8, the tensors say 7"),
        ({"unheard_of": 1}, "unknown key 'unheard_of'"),
    ],
)
def test_a_gbmi_run_that_is_not_a_circuit_is_refused(
    tmp_path: Path, experiment: dict[str, Any], message: str
) -> None:
    path = gbmi_file(tmp_path, random_state(row_shapes(P, 2)), **experiment)
    with pytest.raises(CheckpointError, match=message):
        load(path)


def test_a_family_can_be_named_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    path = gbmi_file(tmp_path, random_state(row_shapes(P, 2)))
    assert load(path, family="gbmi").family == "gbmi"
    with pytest.raises(CheckpointError, match="lacks the tensors embed"):
        load(path, family="linear")
    with pytest.raises(CheckpointError, match="family must be one of gbmi, pizza, nanda, linear, one-hot, native"):
        load(path, family="clock")
    with pytest.raises(CheckpointError, match="the native family keeps safetensors"):
        load(path, family="native")


def test_a_bare_state_dict_is_a_grokking_transformer_s_where_the_family_says_so(tmp_path: Path) -> None:
    path, _, _ = frozen_case("nanda", tmp_path)
    whole = load(path, freeze_attention=True)
    torch.save(torch.load(path, weights_only=True)["model"], path)
    with pytest.raises(CheckpointError, match="the pizza family keeps its attention coefficient beside the checkpoint"):
        load(path, freeze_attention=True)
    bare = load(path, family="nanda", activation="relu", freeze_attention=True)
    assert bare.family == whole.family
    np.testing.assert_array_equal(bare.B, whole.B)
