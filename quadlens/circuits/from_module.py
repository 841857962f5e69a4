r"""A network of one's own by running it: any torch module whose logits are those of a circuit.

The activation's input is seen, and set, while the module runs on inputs ``(a, b)``: the tables are

    A, B      the parts of the preactivations that depend on a, on b     (means over the other)
    U[i]      what the logits change when neuron i alone is 1
    S_a, S_b  the parts of the logits with every neuron at 0

all in float64, of a copy of the module. Then the circuit's logits are compared with the module's own on **all** p²
inputs, and what is off by more than ``tolerance`` is refused: nothing about the module has to be believed.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import logits, margins
from quadlens.circuits.module_probe import Probe, probes
from quadlens.circuits.provenance import Freezing, LeftOut, Provenance
from quadlens.circuits.readers.settings import UNSAID_TASK
from quadlens.digits import at_most
from quadlens.errors import CircuitError, QuadlensError, UnsupportedModelError, kind_of
from quadlens.untrusted_text import one_line

TOLERANCE = 1e-8
"""Largest difference of a logit, over the largest logit, at which a module still is the circuit."""

FAMILY = "torch module"
NEURONS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """The module against the circuit, measured on all inputs."""

    off: float
    largest: float
    before: int
    after: int
    others_win: int


def from_module(
    model: Any,
    *,
    p: int,
    activation: str | None = None,
    preactivations: str | None = None,
    inputs: Callable[[Any, Any], Any] | None = None,
    freeze: bool = False,
    tolerance: float = TOLERANCE,
) -> Circuit:
    """Return the circuit that a torch module is, found by running it and checked on all p² inputs.

    Parameters
    ----------
    model : a torch module; its output is ``(inputs, outputs)``, or ``(inputs, positions, outputs)`` and read at the
        last position; outputs beyond the p-th are left out, which the circuit's provenance says
    activation : its name in ``quadlens.activations.ACTIVATIONS``; where it is not given, that of the function that is
        called (``relu``, ``gelu``, …)
    preactivations : the name of the submodule whose output is the activation's input (a linear layer, or a hook point
        such as ``blocks.0.mlp.hook_pre``), where no known activation function is called
    inputs : of two tensors of residues, a and b, makes what the module is called with (a tuple is several arguments);
        by default a and b where it takes two, else the tokens ``[a, b]``
    freeze : take the part that is a sum of a function of a and one of b, however far it is from the module
    tolerance : the largest difference of a logit, over the largest logit, that is accepted

    Raises
    ------
    UnsupportedModelError
        If the module's logits are not those of such a circuit: with what was measured.
    CircuitError
        If it cannot be run, or its activation is not known.

    Examples
    --------
    >>> import torch
    >>> class Mine(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.table, self.out = torch.nn.Embedding(7, 9), torch.nn.Linear(9, 7)
    ...     def forward(self, a, b):
    ...         return self.out(torch.relu(self.table(a) + self.table(b)))
    >>> from_module(Mine(), p=7).neurons
    9
    """
    from torch.nn import Module

    if not isinstance(model, Module):
        raise CircuitError(f"from_module takes a torch.nn.Module, got {kind_of(model)}; load takes a path")
    if isinstance(p, bool) or not isinstance(p, int) or p < 3:
        raise CircuitError(f"p must be an integer >= 3, got {p!r:.40}")
    if activation is not None:
        activation_named(activation)
    try:
        own = copy.deepcopy(model).cpu().double().eval()
    except Exception as error:
        raise CircuitError(f"the module cannot be copied in float64: {one_line(error, 200)}") from None
    found = probes(own, p, inputs, activation, preactivations)
    best: tuple[Circuit, _Comparison] | None = None
    for probe in found:
        try:
            circuit = _tables(probe, p)
        except QuadlensError:
            continue
        measured = _compare(probe, circuit)
        if best is None or measured.off < best[1].off:
            best = circuit, measured
        if measured.off <= tolerance * measured.largest:
            break
    if best is None:
        raise CircuitError("no activation's input of the module depends on a and b as a table of neurons does")
    circuit, measured = best
    said = (
        f"a logit differs by at most {at_most(measured.off)} (measured on all {p * p} inputs), the largest is"
        f" {measured.largest:.3g}"
    )
    if not measured.off <= tolerance * measured.largest and not freeze:
        raise UnsupportedModelError(
            f"the module is no circuit with the activation {circuit.activation}: {said}. Its preactivations or skip"
            " path are no sum of a function of a and one of b (attention that depends on the input, normalisation), or"
            " activation= or preactivations= is another; freeze=True takes the part that is such a sum"
        )
    return replace(circuit, provenance=_provenance(circuit, measured, said, tolerance))


def _provenance(circuit: Circuit, measured: _Comparison, said: str, tolerance: float) -> Provenance:
    inputs, given = circuit.p**2, circuit.provenance
    frozen = None
    if not measured.off <= tolerance * measured.largest:
        frozen = Freezing(
            inputs=inputs,
            attention_change=None,
            logit_change=measured.off,
            accuracy_before=measured.before / inputs,
            accuracy_after=measured.after / inputs,
        )
    left_out = given.left_out and LeftOut(names=given.left_out.names, largest_on=measured.others_win)
    return replace(given, said={**given.said, "module": said}, left_out=left_out, frozen=frozen)


def _tables(probe: Probe, p: int) -> Circuit:
    """Return the circuit that the probe sees, its provenance naming the outputs that are no residues."""
    first, outputs = probe.row(0)
    n, V = first.shape[1], outputs.shape[1]
    if p > V:
        raise UnsupportedModelError(f"the module has {V} outputs, p = {p} residues need {p}")
    hidden, skip = (np.zeros((2, p, width)) for width in (n, V))
    for a in range(p):
        pre, _ = probe.row(a)
        _, still = probe.row(a, set_to=np.zeros(n))
        for sums, block in ((hidden, pre), (skip, still)):
            sums[0, a] = block.mean(axis=0)
            sums[1] += block / p
    act = activation_named(probe.activation).apply
    zero, one = (float(x) for x in act(np.array([0.0, 1.0])))
    U = np.empty((n, V))
    base = probe.at_zero(np.zeros((1, n)))[0]
    for start in range(0, n, NEURONS_AT_ONCE):
        each = np.eye(n)[start : start + NEURONS_AT_ONCE]
        U[start : start + len(each)] = (probe.at_zero(each) - base) / (one - zero)
    # with every neuron at act(0), what the neurons add is a constant, and no part of the skip path
    half = 0.5
    A, B = (part - half * part.mean(axis=0) for part in hidden)
    S_a, S_b = (part - half * part.mean(axis=0) for part in skip)
    S_b = S_b - zero * U.sum(axis=0)
    more = tuple(f"output {index}" for index in range(p, min(V, p + 60)))
    return Circuit(
        p=p,
        A=A,
        B=B,
        U=U[:, :p],
        S_a=S_a[:, :p],
        S_b=S_b[:, :p],
        activation=probe.activation,
        source="a torch module",
        family=FAMILY,
        provenance=Provenance(
            said={"activation": f"{probe.activation}, by {probe.where}"},
            assumed=(UNSAID_TASK, "the tables were measured by running the module, in float64: they are the circuit"),
            left_out=LeftOut(names=more) if more else None,
        ),
    )


def _compare(probe: Probe, circuit: Circuit) -> _Comparison:
    p = circuit.p
    off, largest, before, after, others = 0.0, 0.0, 0, 0, 0
    for a in range(p):
        rows = slice(a, a + 1)
        _, given = probe.row(a)
        kept, residues = logits(circuit, rows), given[None, :, :p]
        off = max(off, _largest(kept - residues))
        largest = max(largest, _largest(residues))
        before += int((margins(residues, rows) > 0).sum())
        after += int((margins(kept, rows) > 0).sum())
        if given.shape[1] > p:
            others += int((given[:, p:].max(axis=1) >= given[:, :p].max(axis=1)).sum())
    return _Comparison(off=off, largest=largest, before=before, after=after, others_win=others)


def _largest(values: FloatArray) -> float:
    return float(np.abs(values).max())


