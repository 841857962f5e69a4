"""The ladder of networks that the benchmarks climb: constructed with noise, from p = 59 to p = 4999."""

from __future__ import annotations

import quadlens as ql

LADDER = ((59, 512), (113, 1024), (251, 2048), (499, 4096), (1009, 8192), (2003, 16384), (4999, 32768))
"""(p, neurons). Parameters P = 3pn + 2p² grow from 1e5 to 5e8."""

NOISE = 0.02


def frequencies(p: int, count: int = 5) -> tuple[int, ...]:
    """Return key frequencies spread by the golden ratio, so that no two classes look alike to all of them."""
    half = (p - 1) // 2
    chosen = sorted({1 + int(half * ((j + 1) * 0.6180339887498949 % 1)) for j in range(count)})
    return tuple(k for k in chosen if k <= half)


def network(p: int, neurons: int, *, noise: float = NOISE) -> ql.Circuit:
    """Return the benchmark's network of this size; the seed is p."""
    return ql.construct(p=p, frequencies=frequencies(p), neurons=neurons, noise=noise, seed=p)
