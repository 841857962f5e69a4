"""The grokking transformers: a dict with ``model``, or with ``state_dicts`` along the training, of which the last is
read.

The matrices are those of the pizza family (which descends from this one); attention is a causal softmax, so it depends
on the input and is read only with its constant part taken. Inputs are ``a, b, =``; the logit of ``=`` is left out,
which the circuit's provenance says.
"""

import math
from fractions import Fraction
from typing import Any

from quadlens.circuits.readers.config import Field, Flag, Integer, Text, Unused, agree, read_config
from quadlens.circuits.readers.pickled_config import plain_config
from quadlens.circuits.readers.pizza import read_transposed_state
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import looks_like_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.errors import UnsupportedModelError

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


def read(tree: Any, settings: Settings, where: str, source: str) -> Transformer:
    """Return the transformer; a given configuration overrides the one in the file."""
    own, given = _fields(tree, settings, where)
    fields = own | given
    if fields.get("num_layers", 1) != 1:
        raise UnsupportedModelError(f"{where} has {fields['num_layers']} layers; only one-layer networks are circuits")
    if fields.get("use_ln"):
        raise UnsupportedModelError(f"{where} has normalisation layers, which mix the inputs")
    held = _state(tree)
    # a bare state dict looks like the pizza family's, and is of this one where the user says so
    state, sizes = read_transposed_state(tree if held is None else held, where)
    sign = sizes["n_ctx"] == 3
    p = sizes["d_vocab"] - sign
    if "p" in fields:
        agree("p", fields["p"], p, where)
    record = Record(where=where, wanted=settings.task)
    origins = ((given, settings.label), (own, "the file's config"))
    record.task([(said.get("fn_name"), f"fn_name of {label}") for said, label in origins], p)
    said_activation = [(said.get("act_type"), f"act_type of {label}") for said, label in origins]
    activation = record.activation(settings, said_activation, ACTIVATIONS)
    record.said["attention"] = "softmax, the only one of this family"
    W_U = state.pop("W_U")
    embedding = state.pop("embedding")
    return Transformer(
        p=p,
        E=embedding[:p],
        E_eq=embedding[p:] if sign else None,
        W_U=W_U[:, :p],
        W_U_rest=W_U[:, p:] if sign else None,
        **state,
        share=Fraction(1),
        uniform=Fraction(0),
        scale=math.sqrt(sizes["d_head"]),
        activation=activation,
        source=source,
        family="grokking transformer",
        provenance=record.provenance(left_out=("=",) if sign else ()),
    )


def _fields(tree: Any, settings: Settings, where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the file's own configuration says, and what the given one says."""
    own = plain_config(tree, where)
    known = {key: value for key, value in own.items() if key in FIELDS}
    return (
        read_config(known, FIELDS, f"{where}: its config"),
        read_config(settings.config or {}, FIELDS, f"{where}: the config"),
    )
