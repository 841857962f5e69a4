"""The grokking transformers: a dict with ``model``, or with ``state_dicts`` along the training, of which the last is
read.

The matrices are those of the pizza family (which descends from this one); attention is a causal softmax, so it depends
on the input and is read only with its constant part taken. Inputs are ``a, b, =``; the logit of ``=`` is left out.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from quadlens.circuits.readers.config import Field, Flag, Integer, Text, Unused, activation_from, agree, read_config
from quadlens.circuits.readers.pizza import read_transposed_state
from quadlens.circuits.readers.state_dict import looks_like_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.safe_torch import PickledConfig
from quadlens.errors import CheckpointError, UnsupportedModelError
from quadlens.untrusted_text import one_line

NAME = "nanda"
ACTIVATIONS = {"ReLU": "relu", "GeLU": "gelu"}

FIELDS: dict[str, Field] = {
    "p": Integer(low=3, high=10**6),
    "act_type": Text(),
    "fn_name": Text(),
    "num_layers": Integer(low=1, high=1000),
    "use_ln": Flag(),
    **dict.fromkeys(("d_vocab", "d_model", "d_mlp", "n_ctx", "num_heads", "d_head", "device"), Unused()),
    **dict.fromkeys(("lr", "weight_decay", "frac_train", "num_epochs", "save_models", "save_every"), Unused()),
    **dict.fromkeys(("stopping_thresh", "seed", "batch_style", "take_metrics_every_n_epochs"), Unused()),
}


def _state(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return None
    if "model" in tree:
        return tree["model"]
    states = tree.get("state_dicts")
    return states[-1] if isinstance(states, list) and states else None


def recognise(tree: Any) -> bool:
    """Say whether a loaded checkpoint is of this family."""
    return looks_like_state(_state(tree), "blocks.0.attn.W_O", "blocks.0.mlp.W_in", "embed.W_E")


def read(tree: Any, config: Mapping[str, Any] | None, where: str, source: str) -> Transformer:
    """Return the transformer; a given ``config`` overrides the one in the file."""
    fields = _fields(tree, config, where)
    if fields.get("num_layers", 1) != 1:
        raise UnsupportedModelError(f"{where} has {fields['num_layers']} layers; only one-layer networks are circuits")
    if fields.get("use_ln"):
        raise UnsupportedModelError(f"{where} has normalisation layers, which mix the inputs")
    if fields.get("fn_name", "add") != "add":
        raise UnsupportedModelError(
            f"{where} was trained on {one_line(repr(fields['fn_name']), 40)}; only a + b mod p is analysed"
        )
    held = _state(tree)
    # a bare state dict looks like the pizza family's, and is of this one where the user says so
    state, sizes = read_transposed_state(tree if held is None else held, where)
    sign = sizes["n_ctx"] == 3
    p = sizes["d_vocab"] - sign
    if "p" in fields:
        agree("p", fields["p"], p, where)
    embedding = state.pop("embedding")
    return Transformer(
        p=p,
        E=embedding[:p],
        E_eq=embedding[p:] if sign else None,
        W_U=state.pop("W_U")[:, :p],
        **state,
        share=Fraction(1),
        uniform=Fraction(0),
        scale=math.sqrt(sizes["d_head"]),
        activation=activation_from(fields.get("act_type", "ReLU"), ACTIVATIONS, where),
        source=source,
        family="grokking transformer",
    )


def _fields(tree: Any, config: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    own = tree.get("config") if isinstance(tree, dict) else None
    if isinstance(own, PickledConfig):
        own = vars(own)
    if own is not None and not isinstance(own, dict):
        raise CheckpointError(f"{where}: its config must be a dict, got {type(own).__name__}")
    known = {key: value for key, value in (own or {}).items() if key in FIELDS}
    fields = read_config(known, FIELDS, f"{where}: its config")
    return fields | read_config(config or {}, FIELDS, f"{where}: the config")
