"""A state dict checked against a family's list: exactly these tensors, with shapes that fit each other."""

from collections.abc import Mapping, Set
from typing import Any

from quadlens.arrays import FloatArray
from quadlens.circuits.limits import MAX_TENSORS
from quadlens.circuits.safe_torch import float_array
from quadlens.errors import CheckpointError, UnsupportedModelError
from quadlens.untrusted_text import one_line

Shape = tuple[str, ...]

_LAYERS = "has more than one layer; only one-layer networks are circuits"
_UNSUPPORTED = {
    "blocks.1.": _LAYERS,
    "ln1.": "has normalisation layers, which mix the inputs",
    "ln2.": "has normalisation layers, which mix the inputs",
    "ln_final.": "has normalisation layers, which mix the inputs",
    "ln.": "has normalisation layers, which mix the inputs",
    "norm": "has normalisation layers, which mix the inputs",
    "W_gate": "has a gated MLP, which multiplies two functions of the input",
    "l2.": "has a second hidden layer (types B and C of the linear family); only one is supported",
}


def looks_like_state(value: object, *names: str) -> bool:
    """Say whether ``value`` is a dict with all of these keys."""
    return isinstance(value, dict) and all(name in value for name in names)


def read_state(
    state: object,
    required: Mapping[str, Shape],
    where: str,
    *,
    optional: Mapping[str, Shape] | None = None,
    ignored: Set[str] = frozenset(),
    sizes: Mapping[str, int] | None = None,
) -> tuple[dict[str, FloatArray], dict[str, int]]:
    """Return the tensors by name, and the size of every dimension that ``required`` and ``optional`` name.

    Parameters
    ----------
    required, optional : tensor name -> the names of its dimensions, such as ``("d_model", "d_mlp")``
    ignored : names that may be there and are not read
    sizes : dimensions that are known beforehand

    Raises
    ------
    UnsupportedModelError
        If the names show a network of another kind (more layers, normalisation).
    CheckpointError
        If a tensor is missing, unknown, not a finite float tensor, or of a shape that does not fit.
    """
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise CheckpointError(f"{where} must hold a dict of tensors by name, got {type(state).__name__}")
    if len(state) > MAX_TENSORS:
        raise CheckpointError(f"{where} holds {len(state)} tensors; at most {MAX_TENSORS} are read")
    refuse_by_name(state, where)
    known = {**required, **(optional or {})}
    missing = [name for name in required if name not in state]
    if missing:
        raise CheckpointError(f"{where} lacks the tensors {', '.join(missing)}")
    unknown = sorted(name for name in state if name not in known and name not in ignored)
    if unknown:
        named = ", ".join(one_line(repr(name), 60) for name in unknown[:4])
        raise CheckpointError(
            f"{where} has tensors that this family does not: {named}{' …' if len(unknown) > 4 else ''}"
        )
    bound: dict[str, int] = dict(sizes or {})
    arrays = {}
    for name, dimensions in known.items():
        if name not in state:
            continue
        arrays[name] = float_array(state[name], f"{where}: tensor {name}")
        _bind(arrays[name].shape, dimensions, bound, f"{where}: tensor {name}")
    return arrays, bound


def refuse_by_name(state: Mapping[str, Any], where: str) -> None:
    """Refuse a network whose tensors' names show that it is not a circuit, with the reason."""
    for name in state:
        for part, reason in _UNSUPPORTED.items():
            if part in name:
                raise UnsupportedModelError(f"{where} {reason} (tensor {one_line(name, 60)})")


def _bind(shape: tuple[int, ...], dimensions: Shape, bound: dict[str, int], label: str) -> None:
    fits = len(shape) == len(dimensions)
    if fits:
        fits = all(bound.setdefault(name, size) == size for name, size in zip(dimensions, shape, strict=True))
    if not fits:
        wanted = ", ".join(f"{name} = {bound[name]}" if name in bound else name for name in dimensions)
        raise CheckpointError(f"{label} must have shape ({wanted}), got {shape}")
