"""``python -m benchmarks.float32``: is any float32 forward pass of a random network further off than the bound?

    python -m benchmarks.float32 --networks 2000

Each network is evaluated as its family writes it, not from the products that the bound is made of, with sums in several
orders and batches of several shapes; then once more in a process where torch flushes subnormal numbers to zero. Sizes
of tensors are spread over orders of magnitude, in float32 or float64. It prints counts by family; a margin whose error
exceeds the bound is a violation.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fractions import Fraction
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch

from quadlens.certificates.record.float32 import float32_margin_error
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import logits
from quadlens.circuits.readers.transformer import Transformer, transformer_weights
from quadlens.circuits.weights import circuit_from_weights

Network = Transformer | Circuit
"""A network: as a transformer is written, or tables and nothing else."""


def random_transformer(generator: np.random.Generator, sizes: tuple[float, float] = (-3, 3)) -> Transformer:
    """Return a transformer of up to 8 heads, two or three tokens, with or without biases; ``sizes`` as powers of 10."""
    p, heads, width = (int(generator.integers(low, high)) for low, high in ((3, 8), (1, 9), (1, 9)))
    d, n, tokens = int(generator.integers(2, 17)), int(generator.integers(1, 33)), int(generator.integers(2, 4))
    dtype = generator.choice([np.float32, np.float64])

    def tensor(*shape: int) -> Any:
        size = 10.0 ** generator.uniform(*sizes)
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
        scale=1.0, activation=str(generator.choice(["relu", "abs"])), source="random", family="random",
    )  # fmt: skip


def huge_skip(generator: np.random.Generator) -> Transformer:
    """Return a transformer whose residual stream hides what the neurons add to it."""
    model = random_transformer(generator)
    size = 10.0 ** generator.uniform(3, 8)
    return replace(model, E=size * model.E, W_in=model.W_in / size, W_out=model.W_out / size)


def cancelling_columns(generator: np.random.Generator) -> Transformer:
    """Return a transformer with nearly equal columns of ``W_U``: margins are small differences of large logits."""
    model = random_transformer(generator)
    apart = 10.0 ** generator.uniform(-7, -2) * generator.standard_normal(model.W_U.shape)
    return replace(model, W_U=model.W_U[:, :1] * (1 + apart))


def subnormal(generator: np.random.Generator) -> Transformer:
    """Return a transformer whose products and logits have hardly a normal number in float32."""
    return replace(random_transformer(generator, (-20, -17.5)), b_U=None)


def tables(generator: np.random.Generator) -> Circuit:
    """Return a circuit of tables."""
    p, n = int(generator.integers(3, 8)), int(generator.integers(1, 65))
    dtype = generator.choice([np.float32, np.float64])
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    values = {
        name: (10.0 ** generator.uniform(-3, 3) * generator.standard_normal(shape)).astype(dtype).astype(np.float64)
        for name, shape in shapes.items()
    }
    return Circuit(p=p, activation=str(generator.choice(["relu", "abs"])), **values)


FAMILIES: dict[str, Callable[[np.random.Generator], Network]] = {
    "random": random_transformer,
    "huge skip path": huge_skip,
    "cancelling columns of W_U": cancelling_columns,
    "subnormal": subnormal,
    "tables": tables,
}


def sequential(left: Any, right: Any) -> Any:
    """Return the product of two float32 matrices, one term after the other."""
    total = np.zeros((len(left), right.shape[1]), np.float32)
    for j in range(len(right)):
        total = total + left[:, j : j + 1] * right[j]
    return total


def backwards(left: Any, right: Any) -> Any:
    """Return the product, from the last term to the first."""
    return sequential(left[:, ::-1], right[::-1])


def pairwise(left: Any, right: Any) -> Any:
    """Return the product, sums as sums of two halves."""
    half = len(right) // 2
    if half == 0:
        return sequential(left, right)
    return pairwise(left[:, :half], right[:half]) + pairwise(left[:, half:], right[half:])


def by_torch(left: Any, right: Any) -> Any:
    """Return torch's product of two float32 matrices."""
    return (torch.tensor(left.copy()) @ torch.tensor(right)).numpy()


def one_input_at_a_time(left: Any, right: Any) -> Any:
    """Return torch's products of single rows."""
    return np.concatenate([by_torch(row[None], right) for row in left])


def in_batches(left: Any, right: Any) -> Any:
    """Return torch's product of a tensor of three dimensions, as a batch of sequences is."""
    rows = len(left)
    three = torch.tensor(left.copy()).reshape(-1, 1 if rows % 2 else 2, left.shape[1])
    return torch.einsum("bsi,ij->bsj", three, torch.tensor(right)).reshape(rows, -1).numpy()


ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "torch": by_torch,
    "torch, one input at a time": one_input_at_a_time,
    "torch, batches": in_batches,
    "numpy": np.matmul,
    "sequential": sequential,
    "backwards": backwards,
    "pairwise": pairwise,
}


def forward(model: Network, dot: Any, *, head_by_head: bool) -> Any:
    """Return the float32 logits of all inputs, shape (p, p, p)."""
    p = model.p
    a, b = (x.ravel() for x in np.indices((p, p)))

    def activated(pre: Any) -> Any:
        return np.maximum(pre, np.float32(0)) if model.activation == "relu" else np.abs(pre)

    def single(values: Any) -> Any:
        return np.float32(0) if values is None else values.astype(np.float32)

    if isinstance(model, Circuit):
        found = dot(activated(single(model.A)[a] + single(model.B)[b]), single(model.U))
        found = found + single(model.S_a)[a] + single(model.S_b)[b]
        return found.reshape(p, p, p).astype(np.float64)
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
    hidden = activated(dot(residual, single(model.W_in)) + single(model.b_in))
    residual = residual + (dot(hidden, single(model.W_out)) + single(model.b_out))
    found = dot(residual, single(model.W_U)) + single(model.b_U)
    return found.reshape(p, p, p).astype(np.float64)


def passes(model: Network) -> list[Any]:
    """Return the float32 logits in every order, the heads' terms in one contraction or head by head."""
    return [forward(model, dot, head_by_head=apart) for dot in ORDERS.values() for apart in (False, True)]


def flush_subnormal_numbers() -> None:
    """Have this process round subnormal numbers to zero, results and operands, numpy's too."""
    torch.set_num_threads(1)
    tiny = np.full(8, 2.0**-100, np.float32)
    if not torch.set_flush_denormal(True) or (tiny * np.float32(2.0**-30)).any():
        raise SystemExit("this processor flushes no subnormal numbers to zero")


def campaign(networks: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return counts by family; ``flushed`` are the networks to which it made a difference."""
    generator = np.random.default_rng(seed)
    torch.set_num_threads(1)
    counts: dict[str, dict[str, Any]] = {
        name: {"bounded": 0, "flushed": 0, "passes": 0, "violations": 0, "closest": 0.0} for name in FAMILIES
    }
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=flush_subnormal_numbers) as flushing:
        for i in range(networks):
            name = list(FAMILIES)[i % len(FAMILIES)]
            model, count = FAMILIES[name](generator), counts[name]
            circuit = model
            if isinstance(model, Transformer):
                circuit = circuit_from_weights(transformer_weights(model, model.constant_pattern or ()))
            bound = float32_margin_error(circuit)
            if bound is None:
                continue
            away = flushing.submit(passes, model)
            exact = logits(circuit, slice(0, circuit.p))
            here, flushed = passes(model), away.result()
            count["bounded"] += 1
            count["flushed"] += any((one != other).any() for one, other in zip(here, flushed, strict=True))
            for found in [*here, *flushed]:
                off = found - exact
                error = float((off.max(axis=-1) - off.min(axis=-1)).max())
                count["passes"] += 1
                count["violations"] += not error <= bound
                count["closest"] = max(count["closest"], error / bound)
    return counts


def main() -> None:
    """Run the campaign and print its counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(campaign(given.networks, given.seed), indent=1))


if __name__ == "__main__":
    main()
