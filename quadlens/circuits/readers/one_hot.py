"""Two-layer MLPs on one-hot inputs, summed or joined, or on a trained embedding (the networks of arXiv 2602.16849).

``logits = act(x_a W + x_b W) V`` with no bias, so ``A = B = W``. Where ``W`` reads 2p inputs, ``x_a`` and ``x_b`` are
joined: its first p columns (as stored) read ``a``, the others ``b``. ``fc1.weight, fc1.bias, fc2.weight, fc2.bias`` are
the same network under torch's names, with biases. The file does not name its activation: it is taken
from the configuration, else from the folder that training wrote and that the file really lies in
(``p_23_dmlp_512_ReLU_…``), if its sizes are the tensors'; else it is asked for.
"""

import re
from typing import Any

from quadlens.circuits.readers.config import Field, Integer, Text, Unused, agree, read_config
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import looks_like_state, read_state
from quadlens.circuits.weights import Product, Weights
from quadlens.untrusted_text import one_line

NAME = "one-hot"
ACTIVATIONS = {"ReLU": "relu", "GeLU": "gelu", "Quad": "square"}
IGNORED = frozenset({"mlp.basis"})
NAMES = {"fc1.weight": "mlp.W_in", "fc1.bias": "mlp.b_in", "fc2.weight": "mlp.W_out", "fc2.bias": "mlp.b_out"}
_FOLDER = re.compile(r"p_([0-9]{1,7})_dmlp_([0-9]{1,7})_([A-Za-z]+)_.*", re.ASCII)

FIELDS: dict[str, Field] = {
    "p": Integer(low=3, high=10**6),
    "act_type": Text(),
    "fn_name": Text(),
    **dict.fromkeys(("d_vocab", "d_model", "d_mlp", "embed_type", "init_type", "init_scale", "freq_num"), Unused()),
    **dict.fromkeys(("frac_train", "batch_style", "num_epochs", "lr", "weight_decay", "optimizer"), Unused()),
    **dict.fromkeys(("stopping_thresh", "save_models", "save_every", "seed"), Unused()),
}


def recognise(tree: Any) -> bool:
    """Say whether a loaded checkpoint is of this family."""
    return looks_like_state(_state(tree), "mlp.W_in", "mlp.W_out")


def _size(state: Any, name: str, dimension: int) -> int:
    """Return a tensor's size before it is checked; -1 where it has none."""
    shape = tuple(getattr(state.get(name), "shape", ())) if isinstance(state, dict) else ()
    return int(shape[dimension]) if len(shape) == 2 else -1


def _state(tree: Any) -> Any:
    state = tree.get("model", tree) if isinstance(tree, dict) else tree
    if not looks_like_state(state, "fc1.weight", "fc2.weight"):
        return state
    return {NAMES.get(name, name) if isinstance(name, str) else name: tensor for name, tensor in state.items()}


def read(tree: Any, settings: Settings, where: str, source: str) -> Weights:
    """Return the weights of a checkpoint's state dict."""
    fields = read_config(settings.config or {}, FIELDS, f"{where}: the config")
    state = _state(tree)
    embedded = isinstance(state, dict) and "embed.W_E" in state
    read_by = "d_embed" if embedded else "p"
    joined = _size(state, "mlp.W_in", 1) == 2 * _size(state, *(("embed.W_E", 0) if embedded else ("mlp.W_out", 0)))
    required = {"mlp.W_in": ("d_mlp", "d_in" if joined else read_by), "mlp.W_out": ("p", "d_mlp")}
    if embedded:
        required["embed.W_E"] = ("d_embed", "p")
    biases = {"mlp.b_in": ("d_mlp",), "mlp.b_out": ("p",)}
    arrays, sizes = read_state(state, required, where, optional=biases, ignored=IGNORED)
    width = sizes[read_by]
    if "p" in fields:
        agree("p", fields["p"], sizes["p"], where)
    record = Record(where=where, wanted=settings.task)
    record.task([(fields.get("fn_name"), f"fn_name of {settings.label}")], sizes["p"])
    folder = _FOLDER.fullmatch(settings.folder or "")
    of_this = folder is not None and (int(folder[1]), int(folder[2])) == (sizes["p"], sizes["d_mlp"])
    by_folder = str(folder[3]) if folder is not None and of_this else None
    activation = record.activation(
        settings,
        [
            (fields.get("act_type"), f"act_type of {settings.label}"),
            (by_folder, f"the name of its folder, {one_line(settings.folder or '', 80)}"),
        ],
        ACTIVATIONS,
    )
    W_in = arrays["mlp.W_in"].T
    tensors = {"W_in.a": W_in[:width], "W_in.b": W_in[width:]} if joined else {"W_in": W_in}
    tensors["W_out"] = arrays["mlp.W_out"].T
    tensors |= {name: arrays[f"mlp.{name}"][None] for name in ("b_in", "b_out") if f"mlp.{name}" in arrays}
    if embedded:
        tensors["E"] = arrays["embed.W_E"].T
    before = ("E",) if embedded else ()
    a, b = (Product(factors=(*before, name)) for name in (("W_in.a", "W_in.b") if joined else ("W_in", "W_in")))
    tables = {"A": [a], "B": [b], "U": [Product(factors=("W_out",))], "S_b": []}
    for name, table in (("b_in", "B"), ("b_out", "S_b")):
        tables[table] += [Product(factors=(name,))] if name in tensors else []
    return Weights(
        p=sizes["p"],
        neurons=sizes["d_mlp"],
        tensors=tensors,
        tables={table: tuple(products) for table, products in tables.items() if products},
        activation=activation,
        source=source,
        family="one-hot MLP",
        provenance=record.provenance(),
    )
