r"""Circuits in closed form: equally spaced phases, one waveform per frequency, so that the margin is known.

    A[a, i] = cos(ωka + φ_i) − σ cos(2(ωka + φ_i)),   B[b, i] = the same of b, plus κ,   U[i, c] = cos(ωkc + 2φ_i)
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from quadlens.arrays import wrap_angle
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.number_range import require_range
from quadlens.errors import OptionError
from quadlens.memory import require_memory


def construct(
    *,
    p: int,
    frequencies: Sequence[int],
    neurons: int,
    sigma: float = 0.1375,
    kappa: float = 0.345,
    noise: float = 0.0,
    seed: int = 0,
    activation: str = "relu",
) -> Circuit:
    """Build a circuit whose neurons have equally spaced phases at the given key frequencies.

    Parameters
    ----------
    p : number of residues, at least 3
    frequencies : distinct integers in 1 … (p − 1)/2; the neurons are shared out evenly
    neurons : number of neurons ``n``, at least one for each frequency
    sigma, kappa : secondary frequency (locked at phase 2φ + π) and bias, relative to each wave's amplitude 1
    noise : standard deviation of independent Gaussian noise added to every entry of A, B and U
    seed : of the noise

    Raises
    ------
    OptionError
        If a frequency is out of range or repeated, or there are too few neurons, or a number is not finite.
    CircuitError
        If sigma, kappa or noise make tables so large that a logit's square could overflow.
    """
    for name, value in (("p", p), ("neurons", neurons), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise OptionError(f"{name} must be a whole number, got {value!r:.60}")
    listed: object = frequencies
    if not isinstance(listed, Iterable) or isinstance(listed, str | bytes):
        raise OptionError(f"frequencies must be a sequence of whole numbers, such as (3, 15), got {frequencies!r:.60}")
    if p < 3:
        raise OptionError(f"a circuit needs p >= 3 residues, got p = {p}")
    chosen = [int(k) for k in frequencies]
    if not chosen or len(set(chosen)) != len(chosen) or min(chosen) < 1 or max(chosen) > (p - 1) // 2:
        raise OptionError(f"frequencies must be distinct integers in 1..{(p - 1) // 2} for p = {p}, got {chosen}")
    if neurons < len(chosen):
        raise OptionError(f"needs at least one neuron for each of {len(chosen)} frequencies, got {neurons}")
    if not all(math.isfinite(x) for x in (sigma, kappa, noise)) or noise < 0:
        raise OptionError(f"sigma, kappa and noise must be finite and noise >= 0, got {sigma}, {kappa}, {noise}")
    # the five tables, and as much again for the angles and the noise they are made of
    require_memory(16 * (3 * p * neurons + 2 * p * p), f"a circuit with p = {p} and {neurons} neurons")
    key, phase = [], []
    for index, k in enumerate(chosen):
        count = neurons // len(chosen) + (index < neurons % len(chosen))
        key += [k] * count
        phase += [2 * math.pi * j / count for j in range(count)]
    k_i, phi = np.array(key), wrap_angle(np.array(phase))
    # the residue k·a mod p is an exact integer, so the angle keeps full accuracy at any p
    theta = 2 * math.pi / p * (np.arange(p)[:, None] * k_i % p)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is refused below
        A = np.cos(theta + phi) - sigma * np.cos(2 * (theta + phi))
        B = A + kappa
        U = np.cos(theta + 2 * phi).T
        if noise:
            generator = np.random.default_rng(seed)
            A, B, U = (table + noise * generator.standard_normal(table.shape) for table in (A, B, U))
    circuit = Circuit(
        p=p,
        A=A,
        B=B,
        U=U,
        activation=activation,
        source=f"construct(p={p}, frequencies={tuple(chosen)}, neurons={neurons}, sigma={sigma}, kappa={kappa}, "
        f"noise={noise}, seed={seed})",
        family="constructed",
    )
    require_range(circuit)
    return circuit
