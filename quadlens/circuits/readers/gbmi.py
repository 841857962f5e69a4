"""gbmi (TransformerLens 2): the state dict with a pickled configuration and a JSON one; or a Lightning checkpoint.

Attention is ``r / n_ctx + (1 − r) · softmax`` with the run's ``attention_rate`` ``r``: constant, ``1 / n_ctx``, where
``r = 1``.
"""

import math
from collections.abc import Mapping
from typing import Any

from quadlens.circuits.readers.config import (
    Field,
    Flag,
    Integer,
    Number,
    Text,
    Unused,
    activation_from,
    agree,
    read_config,
)
from quadlens.circuits.readers.state_dict import looks_like_state, read_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.safe_torch import PickledConfig, dimensions
from quadlens.errors import CheckpointError, UnsupportedModelError
from quadlens.untrusted_text import one_line, shown

NAME = "gbmi"
ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "gelu_new": "gelu_tanh", "silu": "silu"}

EXPERIMENT: dict[str, Field] = {
    "p": Integer(low=3, high=10**6),
    "attention_rate": Number(low=0, high=1),
    "act_fn": Text(),
    "n_layers": Integer(low=1, high=1000),
    "use_end_of_sequence": Flag(),
    "seq_len": Integer(low=1, high=1000),
    "normalization_type": Text(),
    "fn_name": Text(),
    **dict.fromkeys(
        (
            *("_target_", "d_model", "n_heads", "d_mlp", "use_log1p", "use_float64_log", "init_mode", "zero_biases"),
            *("training_ratio", "optimizer_kwargs", "use_scheduler", "version_number", "model_config"),
            *("n_train_samples", "n_test_samples", "d_head", "weight_decay", "attn_only"),
        ),
        Unused(),
    ),
}
RUN: dict[str, Field] = {
    "experiment": Unused(),
    **dict.fromkeys(
        (
            *("deterministic", "seed", "batch_size", "validation_batch_size", "train_for", "log_every_n_steps"),
            *("validate_every", "checkpoint_every", "float32_matmul_precision"),
        ),
        Unused(),
    ),
}

# fields of the pickled configuration that would change the network, with the values under which they do not
HARMLESS = {
    "n_layers": 1,
    "normalization_type": None,
    "attn_only": False,
    "parallel_attn_mlp": False,
    "gated_mlp": False,
    "use_local_attn": False,
    "final_rms": False,
    "post_embedding_ln": False,
    "use_normalization_before_and_after": False,
    "positional_embedding_type": "standard",
    "num_experts": None,
    "n_key_value_heads": None,
}

_HEADS = ("n_heads", "d_model", "d_head")
TENSORS = {
    "embed.W_E": ("d_vocab", "d_model"),
    "pos_embed.W_pos": ("n_ctx", "d_model"),
    **{f"blocks.0.attn.{name}": _HEADS for name in ("W_Q", "W_K", "W_V")},
    "blocks.0.attn.W_O": ("n_heads", "d_head", "d_model"),
    "blocks.0.mlp.W_in": ("d_model", "d_mlp"),
    "blocks.0.mlp.b_in": ("d_mlp",),
    "blocks.0.mlp.W_out": ("d_mlp", "d_model"),
    "blocks.0.mlp.b_out": ("d_model",),
    "unembed.W_U": ("d_model", "d_vocab_out"),
}
BIASES = {
    **{f"blocks.0.attn.{name}": ("n_heads", "d_head") for name in ("b_Q", "b_K", "b_V")},
    "blocks.0.attn.b_O": ("d_model",),
    "unembed.b_U": ("d_vocab_out",),
}
IGNORED = frozenset({"blocks.0.attn.mask", "blocks.0.attn.IGNORE"})
PREFIX = "model."


def state_of(tree: Any) -> Any:
    """Return the state dict in a loaded checkpoint, names without the prefix that Lightning gives them, or None."""
    if not isinstance(tree, dict):
        return None
    state = tree.get("model", tree.get("state_dict", tree))
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        return None
    if "state_dict" in tree and "model" not in tree:
        return {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
    return state


def recognise(tree: Any) -> bool:
    """Say whether a loaded checkpoint is of this family: its output matrix is kept by heads."""
    state = state_of(tree)
    if not looks_like_state(state, "blocks.0.attn.W_O", "blocks.0.mlp.W_in", "embed.W_E"):
        return False
    return looks_like_state(tree, "run_config") or dimensions(state["blocks.0.attn.W_O"]) == 3


def read(tree: Any, config: Mapping[str, Any] | None, where: str, source: str) -> Transformer:
    """Return the transformer; a given ``config`` (a run's JSON, or its experiment part) overrides the file's own."""
    experiment = _experiment(tree, config, where)
    pickled = tree.get("model_config") if isinstance(tree, dict) else None
    # only plain values are looked at: comparing a tensor would make another tensor
    fields = vars(pickled) if isinstance(pickled, PickledConfig) else {}
    settings = {key: value for key, value in fields.items() if value is None or type(value) in (bool, int, float, str)}
    odd = sorted(key for key in fields if key in HARMLESS and key not in settings)
    if odd:
        raise CheckpointError(f"{where}: its model_config holds {', '.join(odd)} that are not plain values")
    _refuse_other_networks(experiment, settings, where)
    if "attention_rate" not in experiment:
        raise CheckpointError(
            f"{where} does not say its attention_rate, which the attention depends on; give it with --config"
            ' (a JSON file such as {"attention_rate": 1})'
        )
    rate = experiment["attention_rate"]
    state, sizes = read_state(state_of(tree), TENSORS, where, optional=BIASES, ignored=IGNORED)
    p, n_ctx = sizes["d_vocab_out"], sizes["n_ctx"]
    if "p" in experiment:
        agree("p", experiment["p"], p, where)
    sign = experiment.get("use_end_of_sequence", n_ctx == 3)
    agree("p + use_end_of_sequence", p + sign, sizes["d_vocab"], where)
    biases = {
        name: state[f"blocks.0.attn.{name}"] for name in ("b_Q", "b_K", "b_V") if f"blocks.0.attn.{name}" in state
    }
    rows = {"b_O": "blocks.0.attn.b_O", "b_U": "unembed.b_U"}
    biases |= {name: state[key][None] for name, key in rows.items() if key in state}
    named = experiment.get("act_fn", settings.get("act_fn", "relu"))
    return Transformer(
        p=p,
        E=state["embed.W_E"][:p],
        E_eq=state["embed.W_E"][p:] if sign else None,
        pos=state["pos_embed.W_pos"],
        **{name: state[f"blocks.0.attn.{name}"] for name in ("W_Q", "W_K", "W_V", "W_O")},
        **biases,
        W_in=state["blocks.0.mlp.W_in"],
        b_in=state["blocks.0.mlp.b_in"][None],
        W_out=state["blocks.0.mlp.W_out"],
        b_out=state["blocks.0.mlp.b_out"][None],
        W_U=state["unembed.W_U"],
        share=1 - rate,
        uniform=rate / n_ctx,
        scale=math.sqrt(sizes["d_head"]) if settings.get("use_attn_scale", True) else 1.0,
        activation=activation_from(named if isinstance(named, str) else "", ACTIVATIONS, where),
        source=source,
        family="gbmi",
    )


def _experiment(tree: Any, config: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    """Return what the run's configuration says, the given one over the file's own."""
    read: dict[str, Any] = {}
    own = tree.get("run_config") if isinstance(tree, dict) else None
    for given, label in ((own, f"{where}: its run_config"), (config, f"{where}: the config")):
        if given is None:
            continue
        if not isinstance(given, dict):
            raise CheckpointError(f"{label} must be a dict, got {type(given).__name__}")
        experiment = given
        if "experiment" in given:
            read_config(given, RUN, label)
            experiment = given["experiment"]
        if not isinstance(experiment, dict):
            raise CheckpointError(f"{label}: experiment must be a dict, got {type(experiment).__name__}")
        read |= read_config(experiment, EXPERIMENT, label)
    return read


def _refuse_other_networks(experiment: Mapping[str, Any], settings: Mapping[str, Any], where: str) -> None:
    for key, allowed in HARMLESS.items():
        if settings.get(key, allowed) != allowed:
            raise UnsupportedModelError(f"{where}: its network has {key} = {shown(settings[key])}, not supported")
    for key in ("attn_scores_soft_cap", "output_logits_soft_cap"):
        cap = settings.get(key, -1.0)
        if type(cap) not in (int, float) or not cap <= 0:
            raise UnsupportedModelError(f"{where}: its network has {key} = {shown(cap)}, not supported")
    if experiment.get("n_layers", 1) != 1:
        raise UnsupportedModelError(
            f"{where} has {experiment['n_layers']} layers; only one-layer networks are circuits"
        )
    if "normalization_type" in experiment:
        raise UnsupportedModelError(f"{where} has normalisation layers, which mix the inputs")
    if experiment.get("fn_name", "add") != "add":
        raise UnsupportedModelError(
            f"{where} was trained on {one_line(repr(experiment['fn_name']), 40)}; only a + b mod p is analysed"
        )
