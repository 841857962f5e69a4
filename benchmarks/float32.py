"""``python -m benchmarks.float32``: is any float32 forward pass of a random transformer further off than the bound?

    python -m benchmarks.float32 --networks 200

Each network is evaluated as its family writes it, not from the products that the bound is made of: by torch with all
heads in one contraction, by torch head by head, and by numpy with sums one term after the other. Sizes of tensors are
spread over orders of magnitude; some biases cancel what they are added to; some networks are stored in float64. It
prints the counts; a margin whose error exceeds the bound is a violation.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from quadlens.certificates.record.float32 import float32_margin_error
from quadlens.circuits.forward import logits
from quadlens.circuits.readers.transformer import Transformer, transformer_weights
from quadlens.circuits.weights import circuit_from_weights


def random_transformer(generator: np.random.Generator) -> Transformer:
    """Return a transformer of up to 8 heads, two or three tokens, with or without biases."""
    p, heads, width = (int(generator.integers(low, high)) for low, high in ((3, 8), (1, 9), (1, 9)))
    d, n, tokens = int(generator.integers(2, 17)), int(generator.integers(1, 33)), int(generator.integers(2, 4))
    dtype = generator.choice([np.float32, np.float64])

    def tensor(*shape: int) -> Any:
        size = 10.0 ** generator.uniform(-3, 3)
        return (size * generator.standard_normal(shape)).astype(dtype).astype(np.float64)

    E = tensor(p, d)
    pos = tensor(tokens, d)
    if generator.random() < 0.3:
        pos[0] = -E[0]
    biased = generator.random() < 0.5
    return Transformer(
        p=p, E=E, E_eq=tensor(1, d) if tokens == 3 else None, pos=pos,
        W_Q=tensor(heads, d, width), W_K=tensor(heads, d, width),
        W_V=tensor(heads, d, width), W_O=tensor(heads, width, d),
        b_V=tensor(heads, width) if biased else None, b_O=tensor(1, d) if biased else None,
        W_in=tensor(d, n), b_in=tensor(1, n), W_out=tensor(n, d), b_out=tensor(1, d), W_U=tensor(d, p),
        b_U=tensor(1, p) if biased else None,
        share=Fraction(0), uniform=Fraction(1, int(generator.choice([1, tokens]))),
        scale=1.0, activation="relu", source="random", family="random",
    )  # fmt: skip


def sequential(left: Any, right: Any) -> Any:
    """Return the product of two float32 matrices, one term after the other."""
    total = np.zeros((*left.shape[:-1], right.shape[-1]), np.float32)
    for j in range(right.shape[-2]):
        total = total + left[..., j : j + 1] * right[..., j : j + 1, :]
    return total


def by_torch(left: Any, right: Any) -> Any:
    """Return torch's product of two float32 matrices."""
    return (torch.from_numpy(np.ascontiguousarray(left)) @ torch.from_numpy(np.ascontiguousarray(right))).numpy()


def forward(model: Transformer, dot: Any, *, head_by_head: bool) -> Any:
    """Return the float32 logits of all inputs, shape (p, p, p)."""

    def single(values: Any) -> Any:
        return np.float32(0) if values is None else values.astype(np.float32)

    p = model.p
    a, b = (x.ravel() for x in np.indices((p, p)))
    E, pos = single(model.E), single(model.pos)
    tokens = [E[a] + pos[0], E[b] + pos[1]]
    if model.E_eq is not None:
        tokens.append(np.broadcast_to(single(model.E_eq) + pos[2], tokens[0].shape))
    weight = np.float32(float(model.uniform))
    b_V = np.zeros((model.heads, 1), np.float32) if model.b_V is None else single(model.b_V)
    attended = [
        np.sum([weight * (dot(x, single(model.W_V[h])) + b_V[h]) for x in tokens], axis=0, dtype=np.float32)
        for h in range(model.heads)
    ]
    if head_by_head:
        parts = [dot(z, single(model.W_O[h])) for h, z in enumerate(attended)]
        out = np.sum(parts, axis=0, dtype=np.float32)
    else:
        out = dot(np.concatenate(attended, axis=1), np.concatenate([single(W) for W in model.W_O]))
    residual = tokens[-1] + (out + single(model.b_O))
    hidden = np.maximum(dot(residual, single(model.W_in)) + single(model.b_in), np.float32(0))
    residual = residual + (dot(hidden, single(model.W_out)) + single(model.b_out))
    found = dot(residual, single(model.W_U)) + single(model.b_U)
    return found.reshape(p, p, p).astype(np.float64)


def main() -> None:
    """Run the campaign and print its counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    generator = np.random.default_rng(given.seed)
    torch.set_num_threads(1)
    bounded, passes, violations, closest = 0, 0, 0, 0.0
    for _ in range(given.networks):
        model = random_transformer(generator)
        circuit = circuit_from_weights(transformer_weights(model, model.constant_pattern or ()))
        bound = float32_margin_error(circuit)
        if bound is None:
            continue
        bounded += 1
        exact = logits(circuit, slice(0, circuit.p))
        for dot, head_by_head in ((by_torch, False), (by_torch, True), (sequential, False)):
            off = forward(model, dot, head_by_head=head_by_head) - exact
            error = float((off.max(axis=-1) - off.min(axis=-1)).max())
            passes, violations, closest = passes + 1, violations + (not error <= bound), max(closest, error / bound)
    print(json.dumps({"bounded": bounded, "passes": passes, "violations": violations, "closest": closest}))


if __name__ == "__main__":
    main()
