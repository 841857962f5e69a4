"""``load``: a file of any family into a circuit, the family recognised, the attention convention carried along."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from quadlens.circuits import freeze_attention as freezing
from quadlens.circuits import native
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.input_file import map_file, read_file
from quadlens.circuits.limits import Budget, Limits, check_range, spend_evaluation, spend_tables
from quadlens.circuits.readers import gbmi, linear, nanda, one_hot, pizza
from quadlens.circuits.readers.transformer import transformer_weights
from quadlens.circuits.safe_torch import read_torch
from quadlens.circuits.safetensors_file import looks_like_safetensors
from quadlens.circuits.strict_json import parse_object
from quadlens.circuits.torch_zip import looks_like_zip
from quadlens.circuits.weights import Weights, circuit_from_weights
from quadlens.errors import CheckpointError, CircuitError, UnsupportedModelError
from quadlens.untrusted_text import one_line

# in the order in which they are tried: the more particular first
READERS: tuple[ModuleType, ...] = (gbmi, pizza, nanda, linear, one_hot)
FAMILIES = (*(reader.NAME for reader in READERS), "native")
_SIDECAR = re.compile(r"model_([A-Za-z0-9]+)\.pt", re.ASCII)

def load(
    path: str | os.PathLike[str],
    *,
    family: str | None = None,
    config: str | os.PathLike[str] | None = None,
    freeze_attention: bool = False,
    max_bytes: int | None = None,
    mapped: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Circuit:
    """Read a checkpoint of any supported family into a circuit.

    Parameters
    ----------
    family : one of ``FAMILIES``, where it is not to be recognised
    config : the JSON file that describes the checkpoint; without it ``config_ID.json`` beside ``model_ID.pt`` is used
    freeze_attention : take the constant part of input-dependent attention; the measured deviation is then in the
    circuit's
        ``source``, and ``load_measured`` returns it
    max_bytes : largest file, and largest memory for tables; the default is ``limits.MAX_BYTES``
    mapped : map a native file into memory in place of reading it: float64 tables are not copied, and their pages are
        read when they are used. The file must not change while the circuit is in use.

    Raises
    ------
    CheckpointError
        If the file is not a checkpoint of a known family, or is damaged or hostile.
    UnsupportedModelError
        If the network is not a constant-attention one-layer circuit.
    """
    return load_measured(
        path,
        family=family,
        config=config,
        freeze_attention=freeze_attention,
        max_bytes=max_bytes,
        mapped=mapped,
        progress=progress,
    )[0]


def load_measured(
    path: str | os.PathLike[str],
    *,
    family: str | None = None,
    config: str | os.PathLike[str] | None = None,
    freeze_attention: bool = False,
    max_bytes: int | None = None,
    mapped: bool = False,
    progress: Callable[[float], None] | None = None,
) -> tuple[Circuit, freezing.FrozenAttention | None]:
    """Do what ``load`` does, and return what freezing attention changed (None where attention is constant)."""
    where, source = one_line(path), str(path)
    budget = Budget(where=where, limits=Limits() if max_bytes is None else Limits(max_bytes=max_bytes))
    if family is not None and family not in FAMILIES:
        raise CheckpointError(f"family must be one of {', '.join(FAMILIES)}, got {one_line(repr(family), 40)}")
    if mapped:
        if family not in (None, "native"):
            raise CheckpointError(f"only native safetensors files can be mapped; the {family} family is read")
        if config is not None:
            raise CheckpointError(f"{where} is mapped: a native file says everything itself; leave out the config")
        return native.from_bytes(map_file(path, budget), source, budget), None
    content = read_file(path, budget)
    if looks_like_safetensors(content):
        if family not in (None, "native"):
            raise CheckpointError(f"{where} is a safetensors file; the {family} family keeps torch checkpoints")
        if config is not None:
            raise CheckpointError(f"{where} is a native file, which says everything itself; leave out the config")
        return native.from_bytes(content, source, budget), None
    if content[:1] == b"\x80":
        raise CheckpointError(
            f"{where} is a bare pickle, which could run code; save it again with torch.save (1.6 or later)"
        )
    if not looks_like_zip(content):
        raise CheckpointError(
            f"{where} is neither a torch checkpoint (a zip file) nor safetensors: it starts with"
            f" {one_line(repr(content[:8]), 60)}"
        )
    if family == "native":
        raise CheckpointError(f"{where} is a torch checkpoint; the native family keeps safetensors")
    settings = _read_config(path, config, budget.limits)
    tree = [read_torch(content, budget)]
    del content
    return circuit_of_tree(
        tree.pop(),  # whose tensors are let go of when their tables are made
        family,
        settings,
        freeze_attention=freeze_attention,
        budget=budget,
        source=source,
        progress=progress,
    )


def circuit_of_tree(
    tree: Any,
    family: str | None,
    settings: Mapping[str, Any] | None,
    *,
    freeze_attention: bool,
    budget: Budget,
    source: str,
    progress: Callable[[float], None] | None = None,
) -> tuple[Circuit, freezing.FrozenAttention | None]:
    """Return the circuit of what a torch checkpoint holds, and what freezing attention changed.

    The budget's ``where`` names it in messages, ``source`` in the circuit.
    """
    where = budget.where
    try:
        model = _reader(tree, family, where).read(tree, settings, where, source)
        del tree
        if isinstance(model, Weights):
            return _circuit(model, budget), None
        constant = model.constant_pattern
        if constant is not None:
            return _circuit(transformer_weights(model, constant), budget), None
        if not freeze_attention:
            raise UnsupportedModelError(
                f"{where}: its attention depends on the input (softmax with weight {float(model.share):g}), so it is"
                " no sum of a function of a and a function of b; --freeze-attention takes the constant part"
            )
        needed = 16 * model.p**2 * model.heads * model.pos.shape[0]
        budget.spend("bytes of tables", needed, "its attention on all inputs needs")
        pattern = freezing.mean_pattern(freezing.attention(model))
        named = replace(model, family=f"{model.family}, attention frozen")
        circuit = _circuit(transformer_weights(named, pattern), budget)
        measured = freezing.measure_freezing(model, circuit, pattern, progress=progress)
        return replace(circuit, source=f"{source} ({measured.summary})"), measured
    except CircuitError as error:
        raise CheckpointError(f"{where}: {one_line(error, 300)}") from None


def _circuit(weights: Weights, budget: Budget) -> Circuit:
    spend_tables(weights.p, weights.neurons, budget)
    spend_evaluation(weights, budget)
    circuit = circuit_from_weights(weights)
    check_range(circuit, budget.where)
    return circuit


def _reader(tree: Any, family: str | None, where: str) -> Any:
    for reader in READERS:
        if family == reader.NAME or (family is None and reader.recognise(tree)):
            return reader
    keys = ", ".join(one_line(repr(key), 40) for key in list(tree)[:6]) if isinstance(tree, Mapping) else ""
    raise CheckpointError(
        f"{where} is a torch checkpoint of no known family ({', '.join(FAMILIES)}): it holds {type(tree).__name__}"
        f" {keys}"
    )


def _read_config(
    path: str | os.PathLike[str], config: str | os.PathLike[str] | None, limits: Limits
) -> dict[str, Any] | None:
    """Return the configuration file's object: the one given, or the one that lies beside the checkpoint by its name."""
    if config is None:
        named = _SIDECAR.fullmatch(Path(path).name)
        beside = Path(path).with_name(f"config_{named[1]}.json") if named else None
        if beside is None or not os.path.exists(beside):
            return None
        config = beside
    budget = Budget(where=one_line(config), limits=limits)
    return parse_object(read_file(config, budget, "bytes of JSON"), budget.where)
