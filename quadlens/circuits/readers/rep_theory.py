"""The rep-theory networks: an MLP on two embeddings joined, or a TransformerLens transformer with two tensors more.

    logits = relu([W_x[a], W_y[b]] W) W_U

The first half of ``W``'s rows reads ``a``, the second ``b``. The transformer reads ``a, b, =`` and its attention is
TransformerLens' own softmax; its tensors ``x_embed`` and ``y_embed`` take no part. ``NAME_cfg.json`` lies beside
``NAME_model.pt``.
"""

from dataclasses import replace
from typing import Any

from quadlens.circuits.readers import gbmi
from quadlens.circuits.readers.config import Field, Integer, Text, Unused, agree, read_config
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import looks_like_state, read_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.weights import Product, Weights
from quadlens.errors import UnsupportedModelError
from quadlens.untrusted_text import shown

NAME = "rep-theory"
MODELS = ("OneLayerMLP", "Transformer")
TABLES = {"W_x": ("p", "d_x"), "W_y": ("p", "d_y"), "W": ("d_x+d_y", "d_mlp"), "W_U": ("d_mlp", "p")}

FIELDS: dict[str, Field] = {
    "model": Text(),
    "group": Text(),
    "group_parameter": Integer(low=3, high=10**6),
    **dict.fromkeys(("lr", "weight_decay", "betas", "layers", "frac_train", "seed", "num_epochs"), Unused()),
}


def recognise(tree: Any) -> bool:
    """Say whether a loaded checkpoint is of this family."""
    return looks_like_state(tree, "W_x", "W_y", "W", "W_U") or looks_like_state(tree, "x_embed", "y_embed", "embed.W_E")


def read(tree: Any, settings: Settings, where: str, source: str) -> Weights | Transformer:
    """Return the weights of the MLP, or the transformer."""
    fields = read_config(settings.config or {}, FIELDS, f"{where}: the config")
    model, group = fields.get("model"), fields.get("group")
    if model is not None and model not in MODELS:
        raise UnsupportedModelError(f"{where}: its model is {shown(model)}; supported: {', '.join(MODELS)}")
    if group not in (None, "CyclicGroup"):
        raise UnsupportedModelError(f"{where} was trained on the group {shown(group)}; only the cyclic group is a + b")
    task = None if group is None else "add"
    record = Record(where=where, wanted=settings.task)
    if looks_like_state(tree, "embed.W_E"):
        said = Settings(
            config={"attention_rate": 0, "act_fn": "relu"}
            | ({} if task is None else {"fn_name": task, "p": fields.get("group_parameter")}),
            label=f"the {NAME} family",
            activation=settings.activation,
            task=settings.task,
        )
        transformer = gbmi.read(tree, said, where, source)
        return replace(transformer, family=f"{NAME} transformer")
    state, sizes = read_state(tree, TABLES, where)
    if "group_parameter" in fields:
        agree("group_parameter", fields["group_parameter"], sizes["p"], where)
    agree("d_x + d_y", sizes["d_x"] + sizes["d_y"], sizes["d_x+d_y"], where)
    record.task([(task, f"group of {settings.label}")], sizes["p"])
    # the family's code applies ReLU and has no setting for it
    activation = record.activation(settings, [("ReLU", f"the {NAME} family, which has no other")], {"ReLU": "relu"})
    tensors = {name: state[name] for name in ("W_x", "W_y", "W_U")}
    tensors |= {"W.x": state["W"][: sizes["d_x"]], "W.y": state["W"][sizes["d_x"] :]}
    tables = {"A": ("W_x", "W.x"), "B": ("W_y", "W.y"), "U": ("W_U",)}
    return Weights(
        p=sizes["p"],
        neurons=sizes["d_mlp"],
        tensors=tensors,
        tables={table: (Product(factors=factors),) for table, factors in tables.items()},
        activation=activation,
        source=source,
        family=f"{NAME} MLP",
        provenance=record.provenance(),
    )
