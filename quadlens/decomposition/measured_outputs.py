"""The output waves of the network itself: over all inputs where these are few, else over inputs drawn at random."""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, IntArray
from quadlens.circuits.circuit import Circuit

ALL_INPUTS = 2**14
"""A network with no more inputs is run on all of them."""

DRAWN, FEWEST_DRAWN = 2**12, 2**9
"""Inputs drawn otherwise: the first, and fewer in a network so large that they would cost more than MOST_PRODUCTS."""

MOST_PRODUCTS = 4 * 10**10

BLOCK_BYTES = 2**26


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredOutputs:
    """``Z_z = Σ_i act(x_i) v_{i,z}`` at inputs (a, b), shape (z, input), z = 1 … (p − 1)//2.

    ``total``: the squares of all centred MLP logits at these inputs, in the units of ``Σ |Z_z|²``, which are p/2 to
    one; for even p it holds the wave at p/2, which no ideal reaches.
    """

    a: IntArray
    b: IntArray
    waves: ComplexArray
    total: float
    complete: bool


def measured_outputs(circuit: Circuit, *, draw: int = 0) -> MeasuredOutputs:
    """Run the network on all inputs, or on inputs drawn at random. Cost O(pn) with the inputs as the constant.

    ``draw`` numbers independent draws; the same draw is the same inputs.
    """
    p = circuit.p
    complete = p * p <= ALL_INPUTS
    drawn = min(DRAWN, max(FEWEST_DRAWN, MOST_PRODUCTS // (circuit.neurons * p)))
    place = np.arange(p * p) if complete else np.random.default_rng(draw).integers(0, p * p, drawn)
    a, b = place // p, place % p
    waves = np.empty(((p - 1) // 2, place.size), dtype=np.complex128)
    total = 0.0
    act = activation_named(circuit.activation).apply
    rows = max(1, BLOCK_BYTES // (8 * (circuit.neurons + p)))
    for start in range(0, place.size, rows):
        block = slice(start, start + rows)
        logits = act(circuit.A[a[block]] + circuit.B[b[block]]) @ circuit.U
        hat = np.fft.rfft(logits, axis=1) * (2 / p)
        waves[:, block] = hat[:, 1 : (p - 1) // 2 + 1].T
        total += float(np.square(np.abs(waves[:, block])).sum())
        if p % 2 == 0:
            # Σ_c of this wave is p |Z|², of the others p/2 |Z|²: Z is half of what is here
            total += float(np.square(np.abs(hat[:, p // 2])).sum()) / 2
    return MeasuredOutputs(a=a, b=b, waves=waves, total=total, complete=complete)
