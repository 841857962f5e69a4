r"""The computed part of the MLP's distance from an ideal, block by block of a: ``E_z = C_z − I_z`` at every z of F.

Over c it is exact but for rounding; the largest answer of an input is ``max_c |Re Σ_z E_z e^{iωzc}|``, found where it
can decide the maximum, and bounded by ``Σ_z |E_z|`` where that would take too many looks.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.decomposition.ideals import Ideal, output_weights, real_at_half
from quadlens.rounding import gamma

LOOKS = 64
"""So many inputs of each row a may have their answers written out."""

TOGETHER = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distance:
    """``by_class (p,)`` are ``(Σ_b Σ_z λ_z |E_z|²)^½``; ``by_frequency (F,)`` is ``(Σ_{a,b} |E_z|²)^½``,
    ``of_ideal (F,)`` the same of the ideal; ``largest`` bounds the largest answer with ``more (p, p)``, axes d and b,
    added to that of each input; ``radius`` is the ideal's and what sums with it can lose, summed over z.
    """

    by_class: FloatArray
    by_frequency: FloatArray
    of_ideal: FloatArray
    largest: float
    radius: float


def distance(C: ComplexArray, frequencies: tuple[int, ...], ideal: Ideal, more: FloatArray) -> Distance:
    """Return the distance of ``C (F, p, p)``, axes d and b, from an ideal whose frequencies are among these."""
    p, kept = C.shape[1], len(frequencies)
    weights, place = output_weights(p, frequencies), [frequencies.index(z) for z in ideal.frequencies]
    square, by_frequency, of_ideal = np.zeros(p), np.zeros(kept), np.zeros(kept)
    radius, largest, b = 0.0, 0.0, np.arange(p)
    wave = np.exp(2j * np.pi / p * (np.outer(np.array(frequencies), b) % p))
    for block in ideal.blocks():
        d: IntArray = (b[block.rows, None] - b) % p
        E = C[:, d, b]
        E[place] -= block.outputs
        E = real_at_half(p, frequencies, E)
        size = np.abs(E)
        squares = size**2
        of_ideal[place] += (np.abs(real_at_half(p, ideal.frequencies, block.outputs)) ** 2).sum(axis=(1, 2))
        by_frequency += squares.sum(axis=(1, 2))
        summed = np.tensordot(weights, squares, axes=1)
        square += np.bincount(d.ravel(), weights=summed.ravel(), minlength=p)
        lost = 64 * gamma(kept + 64) * np.abs(block.outputs).max(axis=(1, 2))
        radius = max(radius, float((block.radius + lost).sum()))
        reach = size.sum(axis=0).ravel()
        largest = _largest(E.reshape(kept, -1), reach, more[d, b].ravel(), wave, largest)
    up = 1 + gamma(p * p + 4 * kept + 64)
    return Distance(
        by_class=np.sqrt(square) * up,
        by_frequency=np.sqrt(by_frequency) * up,
        of_ideal=np.sqrt(of_ideal) / up,
        largest=largest,
        radius=radius,
    )


def _largest(E: ComplexArray, reach: FloatArray, more: FloatArray, wave: ComplexArray, found: float) -> float:
    """Raise ``found`` to what a block's inputs need: written out in falling order of what they can reach."""
    p, can = wave.shape[1], reach + more
    open_ = np.flatnonzero(can > found)
    looks = min(open_.size, LOOKS * max(1, can.size // p))
    order = open_[np.argsort(-can[open_], kind="stable")]
    for start in range(0, looks, TOGETHER):
        some = order[start : min(start + TOGETHER, looks)]
        if can[some[0]] <= found:
            return found
        answers = E[:, some].real.T @ wave.real - E[:, some].imag.T @ wave.imag
        found = max(found, float((np.abs(answers).max(axis=1) + more[some]).max()))
    return max(found, float(can[order[looks]])) if looks < order.size else found
