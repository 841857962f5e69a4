r"""The outputs of an extended ideal for every input, block by block of a, and how far rounding can have moved them.

The ideal is an exact function of its numbers (`ideal_numbers`): cosines, absolute values and signs of sums at PHASES
even phases. With ``E`` a bound on the error of H and s the size of H's coefficients,

    |error of F_m| ≤ E + s ε,        |error of G_m| ≤ ε + (2/N) · (phases with |H| ≤ E),

ε the rounding of the rule's own N weighted phases; then every term adds |value| times this, and its share of the
rounding of the sum. A cosine or exponential is trusted to its argument's rounding and 4 u of its own.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.decomposition.extended_ideal import ExtendedIdeal
from quadlens.decomposition.ideal_terms import (
    FIRST_A,
    FIRST_B,
    INTEGRAL,
    PHASES,
    harmonics,
    output_waves,
    values_at_phases,
)
from quadlens.decomposition.phase_modulation import PhaseModulation
from quadlens.decomposition.weight_sums import HIGHEST_ORDER
from quadlens.rounding import UNIT_ROUNDOFF, gamma, up

BLOCK_BYTES = 2**27


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IdealBlock:
    """``Z_z(a, b)`` for a in ``rows``: (z, rows, p); ``radius``: proved distance from exact of each z, (z,)."""

    rows: slice
    outputs: ComplexArray
    radius: FloatArray


def ideal_blocks(ideal: ExtendedIdeal) -> Iterator[IdealBlock]:
    """Yield the ideal's outputs at ``ideal.frequencies`` for all inputs.

    Cost: p² times (PHASES for every waveform, and the pairs of a harmonic and an output that have terms).
    """
    p = ideal.p
    at = {z: place for place, z in enumerate(ideal.frequencies)}
    bytes_a_row = 16 * p * (1 + 2 * (HIGHEST_ORDER + 1) * len(ideal.waveforms) + 2 * len(at))
    step = max(1, BLOCK_BYTES // bytes_a_row)
    for start in range(0, p, step):
        rows = slice(start, min(start + step, p))
        a, b = (axis.ravel() for axis in np.meshgrid(np.arange(p)[rows], np.arange(p), indexing="ij"))
        found = harmonics(ideal.waveforms, a, b)
        waves = output_waves(p, ideal.terms, ideal.values, found, (a, b))
        outputs = np.empty((len(at), rows.stop - start, p), dtype=np.complex128)
        for z, place in at.items():
            outputs[place] = waves[z].reshape(-1, p)
        undecided = np.array([most_undecided(waveform, a, b) for waveform in ideal.waveforms], dtype=np.float64)
        yield IdealBlock(rows=rows, outputs=outputs, radius=output_radius(ideal, undecided))


def waveform_error(waveform: PhaseModulation) -> float:
    """Bound the error of a computed H(a, b, θ): its coefficients times that of two exponentials and of the sum."""
    size = np.abs(waveform.A) + np.abs(waveform.B)
    # the arguments are at most 2π and 2π|l|, after at most four roundings each
    argument = 2 * math.pi * 4 * UNIT_ROUNDOFF * (1 + np.abs(waveform.waves[:, 1]))
    each = size * (argument + 16 * UNIT_ROUNDOFF + 2 * gamma(2 * len(waveform.waves) + 8))
    return float(up(each.sum(), len(waveform.waves) + 16))


def output_radius(ideal: ExtendedIdeal, undecided: FloatArray) -> FloatArray:
    """Return the radius of every output; ``undecided``: most phases of one input at which sgn H is not known.

    Shape (waveform,) to (z,).
    """
    rule = 2 * math.pi * 4 * UNIT_ROUNDOFF * (1 + HIGHEST_ORDER) + 16 * UNIT_ROUNDOFF + 2 * gamma(2 * PHASES + 8)
    sizes = np.array([float((np.abs(w.A) + np.abs(w.B)).sum()) for w in ideal.waveforms])
    errors = np.array([waveform_error(w) for w in ideal.waveforms])
    kind, waveform = ideal.terms[:, 0], ideal.terms[:, 1]
    integral, first = kind == INTEGRAL, (kind == FIRST_A) | (kind == FIRST_B)
    size, error = np.ones(len(kind)), np.full(len(kind), 64 * UNIT_ROUNDOFF)
    own = waveform[integral]
    size[integral] = sizes[own]
    error[integral] = errors[own] + sizes[own] * rule
    error[first] += rule + 2 / PHASES * undecided[waveform[first]]
    radius = np.empty(len(ideal.frequencies))
    for place, z in enumerate(ideal.frequencies):
        mine = ideal.terms[:, 4] == z
        summed = 2 * gamma(2 * int(mine.sum()) + 16)
        radius[place] = (np.abs(ideal.values[mine]) * (error[mine] + (size[mine] + error[mine]) * summed)).sum()
    return up(radius, len(kind) + 64)


def most_undecided(waveform: PhaseModulation, a: IntArray, b: IntArray) -> int:
    """Return at how many of the rule's phases, at most, rounding may have decided the sign of H at one input."""
    least = waveform_error(waveform)
    return max(int((np.abs(H) <= least).sum(axis=1).max()) for _, H in values_at_phases(waveform, a, b))
