"""The fingerprint that ties a certificate to one network."""

import hashlib

import numpy as np

from quadlens.circuits.circuit import TABLES, Circuit


def network_digest(circuit: Circuit) -> str:
    """Return the SHA-256 of what the network *is*, as 64 hexadecimal digits.

    Where the circuit has stored weights, these and the expressions of the tables are hashed, not the float64 tables:
    those depend on the
    machine's order of summation. Without weights the tables and their radii are hashed. Numbers are hashed as
    little-endian float64.
    """
    digest = hashlib.sha256()

    def add(text: str) -> None:
        encoded = text.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)

    add(f"quadlens network 1; p = {circuit.p}; n = {circuit.neurons}; act = {circuit.activation}")
    weights = circuit.weights
    if weights is None:
        arrays = {name: getattr(circuit, name) for name in TABLES}
        add(";".join(f"{name}:{circuit.radius[name].hex()}" for name in TABLES))
    else:
        arrays = dict(weights.tensors)
        for table in sorted(weights.tables):
            add(table)
            for product in weights.tables[table]:
                add(f"{product.coefficient} * {' @ '.join(map(repr, product.factors))}")
    for name in sorted(arrays):
        add(f"{name}: {arrays[name].shape}")
        digest.update(np.ascontiguousarray(arrays[name], dtype="<f8").data.cast("B"))
    return digest.hexdigest()
