"""Two-layer MLPs on summed one-hot inputs, or on a trained embedding (the networks of arXiv 2602.16849).

``logits = act(x_a W + x_b W) V`` with no bias, so ``A = B = W``. The file does not name its activation: it is taken
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
    state = tree.get("model", tree) if isinstance(tree, dict) else None
    return looks_like_state(state, "mlp.W_in", "mlp.W_out")


def read(tree: Any, settings: Settings, where: str, source: str) -> Weights:
    """Return the weights of a checkpoint's state dict."""
    fields = read_config(settings.config or {}, FIELDS, f"{where}: the config")
    state = tree.get("model", tree) if isinstance(tree, dict) else tree
    embedded = isinstance(state, dict) and "embed.W_E" in state
    required = {"mlp.W_in": ("d_mlp", "d_embed" if embedded else "p"), "mlp.W_out": ("p", "d_mlp")}
    if embedded:
        required["embed.W_E"] = ("d_embed", "p")
    arrays, sizes = read_state(state, required, where, ignored=IGNORED)
    if "p" in fields:
        agree("p", fields["p"], sizes["p"], where)
    record = Record(where=where)
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
    tensors = {"W_in": arrays["mlp.W_in"].T, "W_out": arrays["mlp.W_out"].T}
    if embedded:
        tensors["E"] = arrays["embed.W_E"].T
    wave = (Product(factors=("E", "W_in") if embedded else ("W_in",)),)
    return Weights(
        p=sizes["p"],
        neurons=sizes["d_mlp"],
        tensors=tensors,
        tables={"A": wave, "B": wave, "U": (Product(factors=("W_out",)),)},
        activation=activation,
        source=source,
        family="one-hot MLP",
        provenance=record.provenance(),
    )
