"""Float32 forward passes of stored weights, layer by layer, in several orders of summation."""

from typing import Any

import numpy as np

import quadlens as ql
from quadlens.circuits.forward import logits

Dot = Any
"""Multiplies two float32 matrices."""


def forward(circuit: ql.Circuit, dot: Any) -> np.ndarray:
    """Return float32 logits of the products of stored weights, layer by layer; ``dot`` multiplies two matrices."""
    weights, p = circuit.weights, circuit.p
    assert weights is not None
    stored = {name: tensor.astype(np.float32) for name, tensor in weights.tensors.items()}
    a, b = (x.ravel() for x in np.indices((p, p)))

    def layer(paths: list[tuple[Any, np.float32, tuple[str, ...]]]) -> Any:
        total: Any = None
        last: dict[str, list[Any]] = {}
        for start, coefficient, names in paths:
            if names:
                last.setdefault(names[-1], []).append((start, coefficient, names[:-1]))
                continue
            term = start if coefficient == 1 else coefficient * start
            total = term if total is None else total + term
        # all matrices that end in this sum are one contraction, as all heads are
        if last:
            left = np.concatenate(
                [np.broadcast_to(layer(rest), (p * p, len(stored[n]))) for n, rest in last.items()], 1
            )
            product = dot(np.ascontiguousarray(left), np.concatenate([stored[n] for n in last]))
            total = product if total is None else total + product
        return total

    def paths(*tables: str) -> list[Any]:
        found = []
        for table in tables:
            for product in weights.tables.get(table, ()):
                rows = stored[product.factors[0]]
                start = rows if len(rows) == 1 else rows[a if table in ("A", "S_a") else b]
                found.append((start, np.float32(product.coefficient), product.factors[1:]))
        return found

    pre = layer(paths("A", "B"))
    hidden = np.maximum(pre, np.float32(0)) if circuit.activation == "relu" else np.abs(pre)
    ends = [(hidden, np.float32(product.coefficient), product.factors) for product in weights.tables["U"]]
    out = np.broadcast_to(layer([*paths("S_a", "S_b"), *ends]), (p * p, p))
    assert out.dtype == np.float32
    return out.reshape(p, p, p).astype(np.float64)


def spread(circuit: ql.Circuit, computed: np.ndarray) -> float:
    """Return the largest error of a difference of two logits."""
    off = computed - logits(circuit, slice(0, circuit.p))
    return float((off.max(axis=-1) - off.min(axis=-1)).max())


def sequential(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    total = np.zeros((len(left), right.shape[1]), np.float32)
    for j in range(len(right)):
        total += left[:, j : j + 1] * right[j]
    return total


def shuffled(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    order = np.random.default_rng(len(right)).permutation(len(right))
    return np.ascontiguousarray(left[:, order]) @ np.ascontiguousarray(right[order])


def by_torch(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    import torch

    return np.asarray(torch.from_numpy(left) @ torch.from_numpy(right).contiguous())
