"""Networks with known structure, and the logits of an ideal at all inputs."""

import numpy as np

from quadlens.circuits.circuit import Circuit
from quadlens.circuits.construct import construct


def noisy(p, seed, activation="relu"):
    rng = np.random.default_rng(seed)
    base = construct(p=p, frequencies=(1, 3), neurons=40)
    noise = [0.05 * np.abs(table).max() * rng.normal(size=table.shape) for table in (base.A, base.B, base.U)]
    return Circuit(p=p, A=base.A + noise[0], B=base.B + noise[1], U=base.U + noise[2], activation=activation)


def planted(p, k, waves, n=200):
    """A network of frequency k with waves (q, l): amplitude, the same on both sides."""
    phi = 2 * np.pi * np.arange(n) / n
    a = np.arange(p)[:, None]
    A = sum(size * np.cos(2 * np.pi / p * q * a + multiple * phi) for (q, multiple), size in waves.items())
    return Circuit(p=p, A=A, B=A, U=np.cos(2 * np.pi / p * k * np.arange(p) + 2 * phi[:, None]))


def every_input(p):
    return [axis.ravel() for axis in np.meshgrid(np.arange(p), np.arange(p), indexing="ij")]


def own_logits(ideal):
    """The ideal's logits at all inputs, from its output waves."""
    p = ideal.p
    waves = ideal.waves_at(*every_input(p))
    angle = 2j * np.pi / p * np.arange(p)
    return sum((wave[:, None] * np.exp(angle * z)).real for z, wave in waves.items()).reshape(p, p, p)
