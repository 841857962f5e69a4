"""gbmi and TransformerLens 1 to 3: a state dict with a configuration, pickled or not, and perhaps a run's JSON one.

Attention is ``r / n_ctx + (1 − r) · softmax`` with the run's ``attention_rate`` ``r``: constant, ``1 / n_ctx``, where
``r = 1``. TransformerLens itself has ``r = 0``. Inputs are ``a, b`` or ``a, b, =``, outputs p or p + 1.
"""

import math
from collections.abc import Mapping
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
from quadlens.circuits.readers.pickled_config import KEYS, NOT_PLAIN, plain_config
from quadlens.circuits.readers.settings import Record, Settings
from quadlens.circuits.readers.state_dict import looks_like_state, read_state
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.safe_torch import dimensions
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
OWN_NAMES = ("blocks.", "embed.", "pos_embed.", "unembed.", "ln", "rotary", "hook_")
"""How the names of everything that TransformerLens' forward pass may use begin."""
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


def read(tree: Any, settings: Settings, where: str, source: str) -> Transformer:
    """Return the transformer; a given configuration (a run's JSON, or its experiment part) overrides the file's own."""
    held = plain_config(tree, where)
    odd = sorted(key for key in held if key in HARMLESS and held[key] is NOT_PLAIN)
    if odd:
        raise CheckpointError(f"{where}: its {_key(tree)} holds {', '.join(odd)} that are not plain values")
    own, given = _experiment(tree, held, settings, where)
    experiment = own | given
    _refuse_other_networks(experiment, held, where)
    record = Record(where=where, wanted=settings.task)
    origins = ((given, settings.label), (own, "the file's run_config"))
    rate = _attention_rate(record, origins, held, where)
    found = state_of(tree)
    extra = [name for name in found or () if isinstance(name, str) and not name.startswith(OWN_NAMES)]
    state, sizes = read_state(found, TENSORS, where, optional=BIASES, ignored=IGNORED | set(extra))
    if extra:
        more = " …" if len(extra) > 4 else ""
        names = ", ".join(one_line(name, 40) for name in extra[:4])
        record.assumed.append(f"the tensors {names}{more} take no part: TransformerLens has none of these names")
    p, sign = _sizes(experiment, sizes, where)
    record.task([(said.get("fn_name"), f"fn_name of {label}") for said, label in origins], p)
    named = [(said.get("act_fn"), f"act_fn of {label}") for said, label in origins]
    if held:
        named.append((_text(held.get("act_fn")), f"act_fn of the file's {_key(tree)}"))
    activation = record.activation(settings, named, ACTIVATIONS)
    biases = {
        name: state[f"blocks.0.attn.{name}"] for name in ("b_Q", "b_K", "b_V") if f"blocks.0.attn.{name}" in state
    }
    if "blocks.0.attn.b_O" in state:
        biases["b_O"] = state["blocks.0.attn.b_O"][None]
    W_U, b_U = state["unembed.W_U"], state.get("unembed.b_U")
    if b_U is not None:
        biases["b_U"] = b_U[None, :p]
    rest = sizes["d_vocab_out"] > p
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
        W_U=W_U[:, :p],
        W_U_rest=W_U[:, p:] if rest else None,
        b_U_rest=b_U[None, p:] if rest and b_U is not None else None,
        share=1 - rate,
        uniform=rate / sizes["n_ctx"],
        scale=_scale(held, sizes["d_head"], where),
        activation=activation,
        source=source,
        family="gbmi",
        provenance=record.provenance(left_out=("=",) if rest else ()),
    )


def _key(tree: Mapping[str, Any]) -> str:
    return next(key for key in KEYS if tree.get(key) is not None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _sizes(experiment: Mapping[str, Any], sizes: Mapping[str, int], where: str) -> tuple[int, bool]:
    """Return p, and whether there is a third token, ``=``, at which the network is read out."""
    vocabulary, outputs = sizes["d_vocab"], sizes["d_vocab_out"]
    sign = bool(experiment.get("use_end_of_sequence", sizes["n_ctx"] == 3))
    p = experiment.get("p", outputs if outputs == vocabulary - 1 else vocabulary - sign)
    if outputs not in (p, p + 1):
        agree("p", p, outputs, where)
    # a vocabulary may have a token for = that no input uses
    if sign or vocabulary != p + 1:
        agree("p + use_end_of_sequence", p + sign, vocabulary, where)
    return p, sign


def _scale(held: Mapping[str, Any], d_head: int, where: str) -> float:
    """Return what TransformerLens divides the scores by."""
    if not held.get("use_attn_scale", True):
        return 1.0
    scale = held.get("attn_scale", -1.0)
    if type(scale) not in (int, float) or not -1e300 < scale < 1e300:
        raise CheckpointError(f"{where}: attn_scale must be a number, got {shown(scale)}")
    return float(scale) if scale > 0 else math.sqrt(d_head)


def _attention_rate(record: Record, origins: Any, held: Mapping[str, Any], where: str) -> Fraction:
    said = [(experiment.get("attention_rate"), f"attention_rate of {label}") for experiment, label in origins]
    rate = next((value for value, _ in said if value is not None), None)
    if rate is None and held:
        record.assumed.append("attention is TransformerLens' own softmax: the file has its configuration and no rate")
        return Fraction(0)
    if rate is None:
        raise CheckpointError(
            f"{where} does not say its attention_rate, which the attention depends on; give it with --config (a JSON"
            ' file): {"attention_rate": 0} for the softmax that TransformerLens itself has, {"attention_rate": 1} if'
            " training replaced it by 1/n_ctx for every token (in Python attention=)"
        )
    record.choose("attention", [(f"{float(rate):g}/n_ctx + {float(1 - rate):g} softmax", said_by) for v, said_by in said
                                if v == rate][:1])
    return Fraction(rate)


def _experiment(
    tree: Any, held: Mapping[str, Any], settings: Settings, where: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the file's own configurations say of the run, and what the given one says."""
    own = tree.get("run_config") if isinstance(tree, dict) else None
    read: list[dict[str, Any]] = []
    for given, label in ((own, f"{where}: its run_config"), (settings.config, f"{where}: the config")):
        if given is None:
            read.append({})
            continue
        if not isinstance(given, dict):
            raise CheckpointError(f"{label} must be a dict, got {type(given).__name__}")
        experiment = given
        if "experiment" in given:
            read_config(given, RUN, label)
            experiment = given["experiment"]
        if not isinstance(experiment, dict):
            raise CheckpointError(f"{label}: experiment must be a dict, got {type(experiment).__name__}")
        read.append(read_config(experiment, EXPERIMENT, label))
    known = {key: value for key, value in held.items() if key in RUN_KEYS and value is not NOT_PLAIN}
    return read_config(known, EXPERIMENT, f"{where}: its configuration") | read[0], read[1]


RUN_KEYS = ("p", "attention_rate", "fn_name", "use_end_of_sequence")
"""What a configuration in the file may say of the run besides what TransformerLens puts there."""


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
