"""A network that is in memory: its state dict into a circuit, by the same strict readers as a file's.

Nothing is imported but torch: a TransformerLens model and a plain torch module with the same parameter names give the
same state dict.
"""

from collections.abc import Mapping
from typing import Any

from quadlens.circuits.circuit import Circuit
from quadlens.circuits.limits import Budget, Limits
from quadlens.circuits.load import FAMILIES, circuit_of_tree
from quadlens.circuits.readers.settings import Settings
from quadlens.errors import CheckpointError, OptionError, kind_of
from quadlens.untrusted_text import one_line

ALIASES = {"transformer-lens": "gbmi"}
"""Families under the name of the library that their parameter names come from."""

ATTENTION: dict[str, dict[str, dict[str, float]]] = {
    "gbmi": {"uniform": {"attention_rate": 1.0}, "softmax": {"attention_rate": 0.0}},
    "pizza": {"ones": {"attn_coeff": 0.0}, "softmax": {"attn_coeff": 1.0}},
    "nanda": {"softmax": {}},
}
"""For each family with attention: the conventions it knows, as its configuration says them."""


def from_state_dict(
    state: Mapping[str, Any],
    *,
    family: str,
    attention: str | None = None,
    activation: str | None = None,
    config: Mapping[str, Any] | None = None,
    freeze_attention: bool = False,
    source: str = "memory",
    max_bytes: int | None = None,
) -> Circuit:
    """Return the circuit of a network in memory, from its ``state_dict()``.

    Parameters
    ----------
    state : parameter name -> tensor (of torch, or an array), on any device
    family : whose parameter names these are; ``"transformer-lens"`` is ``"gbmi"``
    attention : ``"uniform"`` (1/n_ctx for every token), ``"ones"`` (1 for every token) or ``"softmax"``, for families
        that have attention, where ``config`` does not say it
    activation : a name in ``quadlens.activations.ACTIVATIONS``, where ``config`` does not say it: no state dict does
    config : what else the family keeps beside its weights, such as ``{"act_fn": "gelu"}``
    freeze_attention : take the constant part of input-dependent attention
    source : what the circuit is to say about where it comes from

    Raises
    ------
    OptionError
        If the family does not know that attention.
    CheckpointError
        If the names, shapes or values are not exactly the family's.
    UnsupportedModelError
        If the network is not a constant-attention one-layer circuit.

    Examples
    --------
    >>> import numpy as np
    >>> W_in, W_out = np.random.default_rng(0).normal(size=(2, 8, 5))
    >>> from_state_dict({"mlp.W_in": W_in, "mlp.W_out": W_out.T}, family="one-hot", activation="relu").neurons
    8
    """
    given: object = state
    if not isinstance(given, Mapping):
        raise CheckpointError(
            f"state must be a mapping of names to tensors, as model.state_dict() is; got {kind_of(state)}"
        )
    name = ALIASES.get(family, family)
    known = [*FAMILIES, *ALIASES]
    if name not in FAMILIES or name == "native":
        choices = ", ".join(choice for choice in known if choice != "native")
        raise CheckpointError(f"family must be one of {choices}, got {one_line(repr(family), 40)}")
    said = None if config is None else dict(config)
    if attention is not None:
        conventions = ATTENTION.get(name, {})
        if attention not in conventions:
            have = f"one of {', '.join(conventions)}" if conventions else "left out: it has no attention"
            raise OptionError(f"attention of the {family} family must be {have}, got {attention!r}")
        said = (said or {}) | conventions[attention]
    tree: Any = {key: as_tensor(value, key) for key, value in state.items()}
    circuit, _ = circuit_of_tree(
        {"model": tree} if name == "nanda" else tree,
        name,
        Settings(config=said, label="what was given in memory", activation=activation),
        freeze_attention=freeze_attention,
        budget=Budget(where=one_line(source), limits=Limits() if max_bytes is None else Limits(max_bytes=max_bytes)),
        source=source,
    )
    return circuit


def as_tensor(value: Any, name: object) -> Any:
    """Return the value as a dense tensor in main memory; what it must be for its family is checked later."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.detach().cpu().contiguous()
    try:
        return torch.tensor(value).contiguous()
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{one_line(name, 60)} must be a tensor or an array: {one_line(error, 200)}") from None
