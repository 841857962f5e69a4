"""Outputs of the network in a file that are no residue: on how many inputs would one of them be the answer?"""

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import preactivations, row_blocks, skip_logits
from quadlens.circuits.readers.transformer import Transformer
from quadlens.circuits.weights import Weights

MEASURED_OPERATIONS = 3 * 10**10
"""Above this many multiplications (a few seconds) it is not measured."""


def inputs_won(model: Transformer, circuit: Circuit) -> int | None:
    """Return on how many of all p² inputs an output left out is as large as the largest residue's, or larger.

    In float64, of the network that the circuit is: with its attention frozen, where it was. None where nothing is left
    out or there are too many inputs to run.
    """
    if model.W_U_rest is None or circuit.weights is None:
        return None
    outputs, n = circuit.p + model.W_U_rest.shape[1], circuit.neurons
    if circuit.p**2 * (outputs * n + 200 * outputs + 150 * n) > MEASURED_OPERATIONS:
        return None
    U, S_a, S_b = (_other(circuit.weights, table, model) for table in ("U", "S_a", "S_b"))
    apply, won = activation_named(circuit.activation).apply, 0
    for rows in row_blocks(circuit):
        hidden = apply(preactivations(circuit, rows))
        residues = hidden @ circuit.U + skip_logits(circuit, rows)
        others = hidden @ U + S_a[rows, None, :] + S_b[None, :, :]
        won += int((others.max(axis=-1) >= residues.max(axis=-1)).sum())
    return won


def _other(weights: Weights, table: str, model: Transformer) -> FloatArray:
    """Return what ``table`` would be with the other columns of the unembedding in place of the residues'."""
    rest = np.asarray(model.W_U_rest)
    rows = weights.neurons if table == "U" else weights.p
    total = np.zeros((rows, rest.shape[1]))
    for product in weights.tables.get(table, ()):
        *before, last = product.factors
        if last == "b_U":
            total += float(product.coefficient) * np.asarray(model.b_U_rest)
            continue
        value = weights.tensors[before[0]]
        for name in before[1:]:
            value = value @ weights.tensors[name]
        total += float(product.coefficient) * (value @ rest)
    return total
