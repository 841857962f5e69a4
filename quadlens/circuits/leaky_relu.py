r"""Leaky ReLU is ReLU and a linear map, so a network with it is a circuit with ReLU: no method needs to know it.

With slope α below zero, ``act(x) = α x + (1 − α) max(x, 0)`` for every real x. Hence, with ``A, B, U, S_a, S_b`` of the
network,

    U' = (1 − α) U,   S_a' = S_a + α A U,   S_b' = S_b + α B U,

exactly: the tables are products of the same stored matrices, so that every proof is about these.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.weights import Product, Weights, circuit_from_weights
from quadlens.errors import CircuitError


def leaky_relu(circuit: Circuit, slope: float) -> Circuit:
    """Return the ReLU circuit of the network with ``circuit``'s weights and the leaky ReLU of this slope below zero.

    Parameters
    ----------
    circuit : read with the activation ``relu``; with stored weights, or tables that are the network exactly
    slope : α; torch's default is 0.01. Its float64 value is taken as exact.

    Raises
    ------
    CircuitError
        If the activation is not relu, its tables are known within a radius only, or α is not a number in [−1, 1).

    Examples
    --------
    >>> import numpy as np
    >>> one = Circuit(p=3, A=-np.eye(3), B=np.zeros((3, 3)), U=np.eye(3))
    >>> leaky_relu(one, 0.25).S_a.tolist()[0]
    [-0.25, 0.0, 0.0]
    """
    if circuit.activation != "relu":
        raise CircuitError(f"read the network with the activation relu to make it leaky; it has {circuit.activation}")
    number = isinstance(slope, (int, float)) and not isinstance(slope, bool)
    if not number or not -1 <= slope < 1:
        raise CircuitError(f"the slope of a leaky ReLU must be a number >= -1 and < 1, got {slope!r:.40}")
    weights = circuit.weights or _of_tables(circuit)
    alpha, tables = Fraction(slope), dict(weights.tables)
    for table, first in (("S_a", "A"), ("S_b", "B")):
        around = [
            Product(factors=(*left.factors, *right.factors), coefficient=alpha * left.coefficient * right.coefficient)
            for left in tables.get(first, ())
            for right in tables.get("U", ())
        ]
        tables[table] = (*tables.get(table, ()), *(around if alpha else ()))
    tables["U"] = tuple(
        Product(factors=product.factors, coefficient=(1 - alpha) * product.coefficient)
        for product in tables.get("U", ())
    )
    said = {**weights.provenance.said, "activation": f"leaky ReLU of slope {slope!r}, written as ReLU and a linear map"}
    return circuit_from_weights(
        replace(weights, tables=tables, provenance=replace(weights.provenance, said=said))
    )


def _of_tables(circuit: Circuit) -> Weights:
    if any(circuit.radius.values()):
        raise CircuitError("its tables are known within a radius only; give the circuit its stored weights")
    held = {name: np.asarray(getattr(circuit, name)) for name in TABLES}
    return Weights(
        p=circuit.p,
        neurons=circuit.neurons,
        tensors=held,
        tables={name: (Product(factors=(name,)),) for name in TABLES},
        source=circuit.source,
        family=circuit.family,
        provenance=circuit.provenance,
    )


def goes_around_neurons(weights: Weights) -> bool:
    """Say whether a product of the skip path goes into the neurons and out of them without their activation.

    Such a network is not evaluated layer by layer as these products say, so no float32 bound is about that.
    """
    through = {
        (*left.factors, *right.factors)
        for left in (*weights.tables.get("A", ()), *weights.tables.get("B", ()))
        for right in weights.tables.get("U", ())
    }
    return any(product.factors in through for name in ("S_a", "S_b") for product in weights.tables.get(name, ()))
