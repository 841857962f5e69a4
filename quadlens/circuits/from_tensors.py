"""A network of one's own from its tensors, by saying what each of them is."""

from collections.abc import Mapping
from typing import Any

from quadlens.circuits.circuit import Circuit
from quadlens.circuits.in_memory import ATTENTION, as_tensor
from quadlens.circuits.limits import Budget, Limits
from quadlens.circuits.load import circuit_of_model
from quadlens.circuits.readers import by_roles
from quadlens.circuits.readers.settings import Settings
from quadlens.errors import CheckpointError, OptionError
from quadlens.untrusted_text import one_line


def from_tensors(
    tensors: Mapping[str, Any],
    mapping: Mapping[str, str],
    *,
    activation: str,
    attention: str | None = None,
    freeze_attention: bool = False,
    source: str = "memory",
    max_bytes: int | None = None,
) -> Circuit:
    """Return the circuit of tensors of any names, given what each is.

    Parameters
    ----------
    tensors : name -> tensor (of torch, or an array)
    mapping : name -> role: ``E, E_a, E_b, W_in, W_in_a, W_in_b, b_in, W_out, b_out, W_U, b_U`` (a network with one
        hidden layer, ``x @ W``), or ``A, B, U, S_a, S_b`` (the tables), or the names of TransformerLens; with ``.T``
        where a matrix is stored the other way round. Tensors that it does not name take no part.
    activation : a name in ``quadlens.activations.ACTIVATIONS``
    attention : ``"uniform"`` or ``"softmax"``, for the names of TransformerLens
    freeze_attention : take the constant part of input-dependent attention

    Raises
    ------
    CheckpointError
        If a name or a role is unknown, or the shapes do not fit.
    OptionError
        If the activation or the attention is not a known one.

    Examples
    --------
    >>> import numpy as np
    >>> first, second = np.random.default_rng(0).normal(size=(2, 8, 5))
    >>> from_tensors({"w1": first, "w2": second}, {"w1": "W_in.T", "w2": "W_out"}, activation="relu").neurons
    8
    """
    conventions = ATTENTION["gbmi"]
    if attention is not None and attention not in conventions:
        raise OptionError(f"attention must be one of {', '.join(conventions)}, got {one_line(repr(attention), 40)}")
    config = None if attention is None else conventions[attention]
    if not isinstance(mapping, Mapping):
        raise CheckpointError(f"the mapping must be a dict of tensor names to roles, got {type(mapping).__name__}")
    settings = Settings(config=config, label="what was given in memory", activation=activation)
    budget = Budget(where=one_line(source), limits=Limits() if max_bytes is None else Limits(max_bytes=max_bytes))
    held = {name: as_tensor(tensors[name], name) for name in tensors}
    circuit, _ = circuit_of_model(
        lambda: by_roles.read(held, mapping, settings, budget, source),
        freeze_attention=freeze_attention,
        budget=budget,
    )
    return circuit
