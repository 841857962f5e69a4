"""The pizza family's transformers: a bare state dict, with the attention coefficient in a JSON file beside it.

Attention is ``c · softmax + (1 − c)``, not masked: all **ones** at ``c = 0``. With ``diff_vocab`` the tokens of ``b``
are ``b + C``; with ``eqn_sign`` a last token is appended and read out. The logits of ``b``'s own tokens and of the
last one are left out, which the circuit's provenance says.
"""

import math
from fractions import Fraction
from typing import Any

from quadlens.circuits.readers.config import (
    Field,
    Flag,
    Integer,
    Number,
    Text,
    Unused,
    agree,
    read_config,
)
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import looks_like_state, read_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.errors import CheckpointError, UnsupportedModelError

NAME = "pizza"
ACTIVATIONS = {"ReLU": "relu", "GeLU": "gelu", "Tanh": "tanh"}

FIELDS: dict[str, Field] = {
    "C": Integer(low=3, high=10**6),
    "n_heads": Integer(low=1, high=1000),
    "d_model": Integer(low=1, high=10**6),
    "d_head": Integer(low=1, high=10**6),
    "n_layers": Integer(low=1, high=1000),
    "act_fn": Text(),
    "attn_coeff": Number(low=0, high=1),
    "diff_vocab": Flag(),
    "eqn_sign": Flag(),
    "use_linear": Flag(),
    "funcs": Text(),
    "func": Text(),
    **dict.fromkeys(("name", "attention_dir", "runid", "early_stop"), Unused()),
    **dict.fromkeys(("epoch", "batch_size", "lr", "weight_decay", "frac"), Unused()),
}

TENSORS = {
    "embed.W_E": ("d_model", "d_vocab"),
    "pos_embed.W_pos": ("n_ctx", "d_model"),
    "unembed.W_U": ("d_model", "d_vocab"),
    "blocks.0.attn.W_Q": ("n_heads", "d_head", "d_model"),
    "blocks.0.attn.W_K": ("n_heads", "d_head", "d_model"),
    "blocks.0.attn.W_V": ("n_heads", "d_head", "d_model"),
    "blocks.0.attn.W_O": ("d_model", "n_heads*d_head"),
    "blocks.0.mlp.W_in": ("d_mlp", "d_model"),
    "blocks.0.mlp.b_in": ("d_mlp",),
    "blocks.0.mlp.W_out": ("d_model", "d_mlp"),
    "blocks.0.mlp.b_out": ("d_model",),
}
IGNORED = frozenset({"blocks.0.attn.mask"})


def recognise(tree: Any) -> bool:
    """Say whether a loaded checkpoint is of this family."""
    return looks_like_state(tree, "blocks.0.attn.W_O", "blocks.0.mlp.W_in", "embed.W_E")


def read(tree: Any, settings: Settings, where: str, source: str) -> Transformer:
    """Return the transformer of a state dict and its configuration."""
    if settings.config is None:
        raise CheckpointError(
            f"{where}: the pizza family keeps its attention coefficient beside the checkpoint; give that file with"
            " --config"
        )
    named = f"{where}: the config"
    fields = read_config(settings.config, FIELDS, named)
    if "attn_coeff" not in fields:
        raise CheckpointError(f"{named} lacks attn_coeff, which the attention depends on")
    if fields.get("n_layers", 1) != 1:
        raise UnsupportedModelError(f"{named} says {fields['n_layers']} layers; only one-layer networks are circuits")
    if fields.get("use_linear"):
        raise UnsupportedModelError(f"{named} says use_linear, an MLP on joined embeddings that is not supported")
    share = fields["attn_coeff"]
    state, sizes = read_transposed_state(tree, where)
    apart, sign = fields.get("diff_vocab", False), fields.get("eqn_sign", False)
    p = fields.get("C", (sizes["d_vocab"] - sign) // (1 + apart))
    agree("C·(1 + diff_vocab) + eqn_sign", p * (1 + apart) + sign, sizes["d_vocab"], where)
    for name in ("n_heads", "d_model", "d_head"):
        if name in fields:
            agree(name, fields[name], sizes[name], where)
    record = Record(where=where, wanted=settings.task)
    record.task([(fields.get("funcs"), f"funcs of {settings.label}"), (fields.get("func"), "func of it")], p)
    activation = record.activation(settings, [(fields.get("act_fn"), f"act_fn of {settings.label}")], ACTIVATIONS)
    record.said["attention"] = f"{float(share):g} softmax + {1 - float(share):g}, by attn_coeff of {settings.label}"
    record.shape_flags(fields, ("diff_vocab", "eqn_sign"), settings.label)
    embedding = state.pop("embedding")
    W_U = state.pop("W_U")
    names = ("the tokens of b",) * apart + ("=",) * sign
    return Transformer(
        p=p,
        E=embedding[:p],
        E_b=embedding[p : 2 * p] if apart else None,
        E_eq=embedding[-1:] if sign else None,
        W_U=W_U[:, :p],
        W_U_rest=W_U[:, p:] if names else None,
        **state,
        share=share,
        uniform=Fraction(1) - share,
        scale=math.sqrt(sizes["d_head"]),
        activation=activation,
        source=source,
        family="pizza transformer",
        provenance=record.provenance(left_out=names),
    )


def read_transposed_state(tree: Any, where: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a column-vector state dict's matrices in row-vector convention, and their sizes."""
    state, sizes = read_state(tree, TENSORS, where, ignored=IGNORED)
    heads, d_head = sizes["n_heads"], sizes["d_head"]
    agree("n_heads·d_head", heads * d_head, sizes["n_heads*d_head"], where)
    read = {
        "embedding": state["embed.W_E"].T,
        "pos": state["pos_embed.W_pos"],
        "W_O": state["blocks.0.attn.W_O"].T.reshape(heads, d_head, -1),
        "W_in": state["blocks.0.mlp.W_in"].T,
        "b_in": state["blocks.0.mlp.b_in"][None],
        "W_out": state["blocks.0.mlp.W_out"].T,
        "b_out": state["blocks.0.mlp.b_out"][None],
        "W_U": state["unembed.W_U"],
    }
    read |= {name: state[f"blocks.0.attn.{name}"].transpose(0, 2, 1) for name in ("W_Q", "W_K", "W_V")}
    return read, sizes
