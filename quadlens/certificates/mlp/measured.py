"""The MLP's distance from an ideal as measured: all inputs where that is little work, else a sample of them."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import mlp_logits
from quadlens.decomposition.ideals import Ideal, output_weights, real_at_half
from quadlens.decomposition.rungs import wave_logits

WORK = 2 * 10**9
"""Multiplications that a measurement may take: p² n for each row a of inputs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Relative to the ideal's norm, over ``inputs`` of the p² inputs: of the whole, and of each of its frequencies
    relative to the ideal there.
    """

    relative_l2: float
    frequencies: tuple[float, ...]
    inputs: int


def measure(circuit: Circuit, ideals: tuple[Ideal, ...]) -> tuple[Measured, ...]:
    """Measure the distances in float64; rows a are drawn with a fixed seed where they are a sample."""
    p = circuit.p
    many = min(p, max(1, WORK // (p * p * circuit.neurons)))
    rows = np.sort(np.random.default_rng(0).choice(p, many, replace=False))
    squares = [np.zeros((2, 1 + len(ideal.frequencies))) for ideal in ideals]
    outputs = [_outputs(ideal, rows) for ideal in ideals]
    waves = [np.exp(2j * np.pi / p * (np.outer(ideal.frequencies, np.arange(p)) % p)) for ideal in ideals]
    for a in map(int, rows):
        M = mlp_logits(circuit, slice(a, a + 1))[0]
        M -= M.mean(axis=1, keepdims=True)
        for ideal, of_row, wave, total in zip(ideals, outputs, waves, squares, strict=True):
            I = of_row[a]
            answers = wave_logits(I.T, np.array(ideal.frequencies), p)
            C = wave.conj() @ M.T / output_weights(p, ideal.frequencies)[:, None]
            own = real_at_half(p, ideal.frequencies, I)
            total[0, 0] += ((M - answers) ** 2).sum()
            total[1, 0] += (answers**2).sum()
            total[0, 1:] += (np.abs(C - own) ** 2).sum(axis=1)
            total[1, 1:] += (np.abs(own) ** 2).sum(axis=1)
    out = []
    for total in squares:
        ratio = np.sqrt(total[0] / np.where(total[1] > 0, total[1], np.inf))
        out.append(Measured(relative_l2=float(ratio[0]), frequencies=tuple(ratio[1:].tolist()), inputs=many * p))
    return tuple(out)


def _outputs(ideal: Ideal, rows: IntArray) -> dict[int, ComplexArray]:
    """Return the ideal's outputs ``(z, p)`` for some rows a, and keep no more of them."""
    return {
        a: block.outputs[:, a - block.rows.start].copy()
        for block in ideal.blocks()
        for a in map(int, rows[(rows >= block.rows.start) & (rows < block.rows.stop)])
    }
