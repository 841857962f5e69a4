"""The ladder of networks that the benchmarks climb: constructed with noise, from p = 59 to p = 4999."""

from __future__ import annotations

import numpy as np

import quadlens as ql

LADDER = ((59, 512), (113, 1024), (251, 2048), (499, 4096), (1009, 8192), (2003, 16384), (4999, 32768))
"""(p, neurons). Parameters P = 3pn + 2p² grow from 1e5 to 5e8."""

NOISE = 0.02

SIGMA, KAPPA = 0.1375, 0.345
"""Those of ``construct``."""



TRIALS = 32
"""Sets of frequencies that are compared."""


def frequencies(p: int, count: int = 5) -> tuple[int, ...]:
    """Return the key frequencies, of a few random sets, with the largest margin: no two classes look alike to all of
    them, and no a − b is a blind spot of several. The seed is p.

    The margin of equally spaced phases is ``min_{d,δ} Σ_k |ĥ_2(ωkd)| (1 − cos ωkδ)`` (design of ``construct``); the
    smallest over a coarse grid of d is enough to compare.
    """
    half = (p - 1) // 2
    residue = np.arange(p)
    chord = 1 - np.cos(2 * np.pi / p * residue)
    theta = 2 * np.pi / 256 * np.arange(256)
    angle = 2 * np.pi / p * residue[:, None]
    H = np.cos(theta + angle) + np.cos(theta) - SIGMA * (np.cos(2 * theta + 2 * angle) + np.cos(2 * theta)) + KAPPA
    response = np.abs(np.maximum(H, 0.0) @ np.exp(-2j * theta)) / theta.size
    rng = np.random.default_rng(p)
    classes = residue[:: max(1, p // 256)]
    best, chosen = -1.0, ()
    for _ in range(TRIALS):
        ks = np.sort(rng.choice(np.arange(1, half + 1), min(count, half), replace=False))
        margin = (response[np.outer(classes, ks) % p] @ chord[np.outer(ks, residue[1:]) % p]).min()
        if margin > best:
            best, chosen = float(margin), tuple(int(k) for k in ks)
    return chosen


def network(p: int, neurons: int, *, noise: float = NOISE) -> ql.Circuit:
    """Return the benchmark's network of this size; the seed is p."""
    return ql.construct(p=p, frequencies=frequencies(p), neurons=neurons, noise=noise, seed=p)
