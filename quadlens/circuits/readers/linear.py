"""The pizza family's linear models: an MLP on embedded inputs, no attention.

Type A: ``act((e_a + e_b) W + b) U``. Type X: the same with an embedding for each input. Type D: inputs joined, so the
first half of ``W``'s rows reads ``a`` and the second half ``b``. Types B and C have a second hidden layer and are
refused.
"""

from typing import Any

from quadlens.circuits.readers.config import Field, Integer, Text, Unused, agree, read_config
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import looks_like_state, read_state
from quadlens.circuits.weights import Product, Weights
from quadlens.errors import CheckpointError, UnsupportedModelError
from quadlens.untrusted_text import one_line

NAME = "linear"

FIELDS: dict[str, Field] = {
    "C": Integer(low=3, high=10**6),
    "n_vocab": Integer(low=3, high=10**6),
    "model_type": Text(),
    "func": Text(),
    "funcs": Text(),
    **dict.fromkeys(("d_model", "d_hidden", "epoch", "lr", "weight_decay", "frac", "runid"), Unused()),
}


def recognise(tree: Any) -> bool:
    """Say whether a loaded checkpoint is of this family."""
    return looks_like_state(tree, "l1.weight", "unembed.weight")


def read(tree: Any, settings: Settings, where: str, source: str) -> Weights:
    """Return the weights of a state dict; the type is seen from its shapes, and must be the configuration's."""
    fields = read_config(settings.config or {}, FIELDS, f"{where}: the config")
    kind = fields.get("model_type")
    if kind in ("B", "C"):
        raise UnsupportedModelError(f"{where}: linear type {kind} has a second hidden layer; only one is supported")
    apart = isinstance(tree, dict) and "embed1.weight" in tree
    embeddings = ("embed1.weight", "embed2.weight") if apart else ("embed.weight",)
    required = dict.fromkeys(embeddings, ("p", "d_embed")) | {
        "l1.weight": ("d_mlp", "d_in"),
        "l1.bias": ("d_mlp",),
        "unembed.weight": ("p", "d_mlp"),
    }
    state, sizes = read_state(tree, required, where)
    joined = sizes["d_in"] == 2 * sizes["d_embed"] and not apart
    seen = "X" if apart else "D" if joined else "A"
    if not joined:
        agree("the inputs of l1", sizes["d_in"], sizes["d_embed"], where)
    if kind is not None and kind != seen:
        shown = one_line(repr(kind), 40)
        raise CheckpointError(f"{where}: the config says type {shown}, the tensors are of type {seen}")
    for name in ("C", "n_vocab"):
        if name in fields:
            agree(name, fields[name], sizes["p"], where)
    record = Record(where=where, wanted=settings.task)
    record.task([(fields.get(name), f"{name} of {settings.label}") for name in ("funcs", "func")], sizes["p"])
    # the family's code applies ReLU and has no setting for it
    activation = record.activation(settings, [("ReLU", "the family, which has no other")], {"ReLU": "relu"})
    W = state["l1.weight"].T
    tensors = {"E": state[embeddings[0]], "b_in": state["l1.bias"][None], "W_U": state["unembed.weight"].T}
    if apart:
        tensors["E_b"] = state["embed2.weight"]
    if joined:
        tensors |= {"W_in.a": W[: sizes["d_embed"]], "W_in.b": W[sizes["d_embed"] :]}
    else:
        tensors["W_in"] = W
    from_a = Product(factors=("E", "W_in.a" if joined else "W_in"))
    from_b = Product(factors=("E_b" if apart else "E", "W_in.b" if joined else "W_in"))
    return Weights(
        p=sizes["p"],
        neurons=sizes["d_mlp"],
        tensors=tensors,
        tables={"A": (from_a,), "B": (from_b, Product(factors=("b_in",))), "U": (Product(factors=("W_U",)),)},
        activation=activation,
        source=source,
        family=f"pizza linear {seen}",
        provenance=record.provenance(),
    )
