"""``load``: a file of any family into a circuit, the family recognised, the attention convention carried along."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from quadlens.circuits import freeze_attention as freezing
from quadlens.circuits import native
from quadlens.circuits.bundled import bundled_names, bundled_path
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.input_file import STANDARD_INPUT, map_file, read_file
from quadlens.circuits.left_out import inputs_won
from quadlens.circuits.limits import Budget, Limits, spend_evaluation, spend_tables
from quadlens.circuits.number_range import require_range
from quadlens.circuits.numpy_archive import looks_like_npz, read_npz
from quadlens.circuits.provenance import ADDITION
from quadlens.circuits.readers import by_roles, gbmi, linear, nanda, one_hot, pizza, rep_theory
from quadlens.circuits.readers.settings import UNSAID_TASK, Settings
from quadlens.circuits.readers.transformer import Transformer, transformer_weights
from quadlens.circuits.readers.wrappers import unwrapped
from quadlens.circuits.safe_torch import read_torch, require_torch
from quadlens.circuits.safetensors_file import Content, looks_like_safetensors, read_tensors
from quadlens.circuits.strict_json import parse_object
from quadlens.circuits.tasks import AUTO, Task, measured_task, renumbered, task_from
from quadlens.circuits.tensor_listing import listing
from quadlens.circuits.torch_zip import looks_like_zip
from quadlens.circuits.weights import Weights, circuit_from_weights
from quadlens.errors import CheckpointError, CircuitError, UnsupportedModelError, kind_of
from quadlens.untrusted_text import one_line

# in the order in which they are tried: the more particular first
READERS: tuple[ModuleType, ...] = (rep_theory, gbmi, pizza, nanda, linear, one_hot)
FAMILIES = (*(reader.NAME for reader in (gbmi, pizza, nanda, linear, one_hot)), "native", rep_theory.NAME)
_SIDECARS = (
    (re.compile(r"model_([A-Za-z0-9]+)\.pt", re.ASCII), "config_{}.json"),
    (re.compile(r"([A-Za-z0-9_]+)_model\.pt", re.ASCII), "{}_cfg.json"),
)
"""How a checkpoint's name gives the name of the configuration beside it: pizza's and rep-theory's way."""


def load(
    path: str | os.PathLike[str],
    *,
    family: str | None = None,
    config: str | os.PathLike[str] | None = None,
    activation: str | None = None,
    map_names: str | os.PathLike[str] | None = None,
    task: str | None = None,
    freeze_attention: bool = False,
    max_bytes: int | None = None,
    mapped: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Circuit:
    """Read a checkpoint of any supported family into a circuit.

    Parameters
    ----------
    path : the file, or the name of a bundled network where there is no file of that name; ``-`` is standard input
    family : one of ``FAMILIES``, where it is not to be recognised
    config : the JSON file that describes the checkpoint; without it ``config_ID.json`` beside ``model_ID.pt``, or
        ``NAME_cfg.json`` beside ``NAME_model.pt``, is used
    activation : a name in ``quadlens.activations.ACTIVATIONS``, where nothing beside the tensors says it
    map_names : a JSON file that says what each tensor is, ``{name: role}``, for a file of no known family: torch,
        safetensors or npz; the roles are those of ``from_tensors``
    task : ``"a - b"``, ``"2a + 3b"`` …, or ``"auto"`` to measure it; without it what the file says, else ``"a + b"``
    freeze_attention : take the constant part of input-dependent attention; the measured deviation is then in the
        circuit's ``provenance``, and ``load_measured`` returns it
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
        activation=activation,
        map_names=map_names,
        task=task,
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
    activation: str | None = None,
    map_names: str | os.PathLike[str] | None = None,
    task: str | None = None,
    freeze_attention: bool = False,
    max_bytes: int | None = None,
    mapped: bool = False,
    progress: Callable[[float], None] | None = None,
) -> tuple[Circuit, freezing.FrozenAttention | None]:
    """Do what ``load`` does, and return what freezing attention changed (None where attention is constant)."""
    given: object = path
    if not isinstance(given, str | os.PathLike):
        raise CheckpointError(
            f"load takes a path, got {kind_of(path)}; from_module and from_state_dict take what is in memory"
        )
    if path in bundled_names() and not os.path.exists(path):
        path = bundled_path(os.fspath(path))
    piped = os.fspath(path) == STANDARD_INPUT
    where, source = ("standard input",) * 2 if piped else (one_line(path), str(path))
    budget = Budget(where=where, limits=Limits() if max_bytes is None else Limits(max_bytes=max_bytes))
    if family is not None and family not in FAMILIES:
        raise CheckpointError(f"family must be one of {', '.join(FAMILIES)}, got {one_line(repr(family), 40)}")
    if mapped:
        if family not in (None, "native"):
            raise CheckpointError(f"only native safetensors files can be mapped; the {family} family is read")
        if config is not None:
            raise CheckpointError(f"{where} is mapped: a native file says everything itself; leave out the config")
        return _native(map_file(path, budget), source, activation, task, budget), None
    content = read_file(path, budget)
    if looks_like_safetensors(content) and native.is_native_content(content):
        if family not in (None, "native"):
            raise CheckpointError(f"{where} is a safetensors file; the {family} family keeps torch checkpoints")
        if config is not None or map_names is not None:
            what = "the config" if map_names is None else "the mapping"
            raise CheckpointError(f"{where} is a native file, which says everything itself; leave out {what}")
        return _native(content, source, activation, task, budget), None
    settings = replace(_settings(path, config, activation, budget.limits), task=task)
    of_torch = not (looks_like_safetensors(content) or looks_like_npz(content))
    tree = [_tree(content, family, budget)]
    del content
    if map_names is not None:
        roles = Budget(where=one_line(map_names), limits=budget.limits)
        mapping = parse_object(read_file(map_names, roles, "bytes of JSON"), roles.where)
        circuit, frozen = circuit_of_model(
            lambda: by_roles.read(_tensors(tree.pop(), mapping), mapping, settings, budget, source),
            task=task,
            freeze_attention=freeze_attention,
            budget=budget,
            progress=progress,
        )
    else:
        circuit, frozen = circuit_of_tree(
            tree.pop(),  # whose tensors are let go of when their tables are made
            family,
            settings,
            task=task,
            freeze_attention=freeze_attention,
            budget=budget,
            source=source,
            what=" is a torch checkpoint" if of_torch else ": quadlens did not write this file of tensors, which is",
            progress=progress,
        )
    named = replace(circuit.provenance, file=None if piped else one_line(Path(path).name, 200))
    return replace(circuit, provenance=named), frozen


def _tree(content: bytes, family: str | None, budget: Budget) -> Any:
    """Return what a file that is not native holds: a torch checkpoint, or tensors by name."""
    where = budget.where
    if looks_like_safetensors(content) or looks_like_npz(content):
        if family == "native":
            raise CheckpointError(f"{where}: quadlens did not write this file, so it is not a native one")
        require_torch()
        import torch

        held = read_npz(content, budget) if looks_like_npz(content) else read_tensors(content, budget)[0]
        return {name: torch.from_numpy(np.array(array)) for name, array in held.items()}
    if content[:1] == b"\x80":
        raise CheckpointError(
            f"{where} is a bare pickle, which could run code; save it again with torch.save (1.6 or later)"
        )
    if content.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{where} is a pointer of git-lfs, not the file itself; get that with: git lfs pull")
    if not looks_like_zip(content):
        raise CheckpointError(
            f"{where} is neither a torch checkpoint (a zip file) nor safetensors: it starts with"
            f" {one_line(repr(content[:8]), 60)}"
        )
    if family == "native":
        raise CheckpointError(f"{where} is a torch checkpoint; the native family keeps safetensors")
    return read_torch(content, budget)


def _tensors(tree: Any, mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the dict of tensors in a file whose names the mapping speaks of."""
    candidates = [candidate for candidate in unwrapped(tree) if isinstance(candidate, dict)]
    candidates += [value for value in (tree.values() if isinstance(tree, dict) else ()) if isinstance(value, dict)]
    named = {name: value for name, value in tree.items() if isinstance(name, str)} if isinstance(tree, dict) else {}
    found = next((held for held in (named, *candidates) if mapping.keys() <= held.keys()), named)
    return {name: value for name, value in found.items() if isinstance(name, str) and hasattr(value, "shape")}


def _native(content: Content, source: str, activation: str | None, task: str | None, budget: Budget) -> Circuit:
    circuit = native.from_bytes(content, source, budget)
    if activation not in (None, circuit.activation):
        raise CheckpointError(
            f"{one_line(source)} says that its activation is {circuit.activation}, not {one_line(activation, 40)};"
            " leave the activation out"
        )
    own = circuit.provenance.task
    if task not in (None, AUTO) and str(task_from(str(task), circuit.p)) != own:
        raise CheckpointError(f"{one_line(source)} says that its task is {own}; leave the task out")
    return circuit


def circuit_of_tree(
    tree: Any,
    family: str | None,
    settings: Settings,
    *,
    task: str | None = None,
    freeze_attention: bool,
    budget: Budget,
    source: str,
    what: str = " is a torch checkpoint",
    progress: Callable[[float], None] | None = None,
) -> tuple[Circuit, freezing.FrozenAttention | None]:
    """Return the circuit of what a torch checkpoint holds, and what freezing attention changed.

    The budget's ``where`` names it in messages, ``source`` in the circuit.
    """
    where, held = budget.where, [tree]
    del tree

    def read() -> Weights | Transformer:
        reader, state = _recognised(held.pop(), family, where, what)
        model: Weights | Transformer = reader.read(state, settings, where, source)
        return model

    return circuit_of_model(
        read, task=task, freeze_attention=freeze_attention, budget=budget, progress=progress
    )


def circuit_of_model(
    read: Callable[[], Weights | Transformer],
    *,
    task: str | None = None,
    freeze_attention: bool,
    budget: Budget,
    progress: Callable[[float], None] | None = None,
) -> tuple[Circuit, freezing.FrozenAttention | None]:
    """Return the circuit of what a reader reads, its inputs numbered for its task, and what freezing changed."""
    where = budget.where
    try:
        model = read()
        said = model.provenance.task
        if task is not None and task != AUTO and "task" in model.provenance.said:
            wanted = str(task_from(task, model.p))
            if wanted != said:
                raise UnsupportedModelError(f"{where} says that its task is {said}, not {wanted}; leave the task out")
        if task == AUTO:
            model = _of_measured_task(model, freeze_attention, budget)
        elif task is not None or said != ADDITION:
            model = _of_task(model, task_from(said if task is None else task, model.p), "the user")
        if isinstance(model, Weights):
            return _circuit(model, budget), None
        constant = model.constant_pattern
        if constant is not None:
            return _measured(model, _circuit(transformer_weights(model, constant), budget)), None
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
        circuit = replace(circuit, provenance=replace(circuit.provenance, frozen=measured.record))
        return _measured(model, circuit), measured
    except CircuitError as error:
        raise CheckpointError(f"{where}: {one_line(error, 300)}") from None


def _of_task(model: Weights | Transformer, task: Task, who: str) -> Weights | Transformer:
    said, given = dict(model.provenance.said), model.provenance
    assumed = tuple(sentence for sentence in given.assumed if sentence != UNSAID_TASK)
    said.setdefault("task", f"{task}, by {who}")
    return renumbered(replace(model, provenance=replace(given, said=said, assumed=assumed)), task)


def _of_measured_task(model: Weights | Transformer, freeze_attention: bool, budget: Budget) -> Weights | Transformer:
    """Return the model with its inputs numbered for the task that it was seen to answer; the file's word is held to."""
    circuit, _ = circuit_of_model(
        lambda: replace(model, provenance=replace(model.provenance, task=ADDITION)),
        freeze_attention=freeze_attention,
        budget=Budget(where=budget.where, limits=budget.limits),
    )
    found, said = measured_task(circuit, budget.where), model.provenance.task
    if "task" in model.provenance.said and str(found) != said:
        raise UnsupportedModelError(f"{budget.where} says that its task is {said}, and answers {found}: which is it?")
    return _of_task(model, found, f"measuring its answers on all {model.p**2} inputs")


def _measured(model: Transformer, circuit: Circuit) -> Circuit:
    """Return the circuit, its record saying on how many inputs an output that it leaves out would be the answer."""
    left_out = circuit.provenance.left_out
    if left_out is None:
        return circuit
    left_out = replace(left_out, largest_on=inputs_won(model, circuit))
    return replace(circuit, provenance=replace(circuit.provenance, left_out=left_out))


def _circuit(weights: Weights, budget: Budget) -> Circuit:
    spend_tables(weights.p, weights.neurons, budget)
    spend_evaluation(weights, budget)
    circuit = circuit_from_weights(weights)
    require_range(circuit)
    return circuit


def _recognised(tree: Any, family: str | None, where: str, what: str) -> tuple[Any, Any]:
    """Return the reader, and what it is to read: the tree, with what training code wrapped around it taken off."""
    candidates = list(unwrapped(tree))
    for candidate in candidates:
        for reader in READERS:
            if (family is None or family == reader.NAME) and reader.recognise(candidate):
                return reader, candidate
    for reader in READERS:
        if family == reader.NAME:
            return reader, tree
    raise CheckpointError(
        f"{where}{what} of no known family ({', '.join(FAMILIES)}): {listing(candidates[-1])}"
    )


def _settings(
    path: str | os.PathLike[str], config: str | os.PathLike[str] | None, activation: str | None, limits: Limits
) -> Settings:
    """Return what is said beside the file: in the configuration given, else in the one that its name leads to."""
    folder = None if os.fspath(path) == STANDARD_INPUT else Path(os.path.realpath(path)).parent.name
    if config is None:
        found = ((pattern.fullmatch(Path(path).name), form) for pattern, form in _SIDECARS)
        beside = [Path(path).with_name(form.format(named[1])) for named, form in found if named]
        config = next((name for name in beside if os.path.exists(name)), None)
        if config is None:
            return Settings(activation=activation, folder=folder)
    budget = Budget(where=one_line(config), limits=limits)
    content = parse_object(read_file(config, budget, "bytes of JSON"), budget.where)
    return Settings(config=content, label=one_line(Path(config).name, 80), activation=activation, folder=folder)
