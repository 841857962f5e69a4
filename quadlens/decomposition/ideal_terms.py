r"""The terms that an ideal may be made of, each one number of the weights times one function of the inputs.

With ``act(x) = (1 + α)/2 x + (1 − α)/2 |x|`` and the sums T, D, L of `weight_sums` (D of what the waveforms leave), the
output wave at z is, to first order in what is left and with even phases in place of the neurons' own,

    Z_z(a, b) = Σ_k Σ_m F_{k,m}(a, b) T_{k,m,z}                    kind INTEGRAL, F_m of |H_k|
              + Σ_k Σ_m Σ_q G_{k,m}(a, b) e^{iωqa} D_{k,m,q,z}     kind FIRST_A, G_m of sgn H_k
              + Σ_q e^{iωqa} L_{q,z}                               kind LINEAR_A

and the same with b. A term is a row (kind, waveform, m, q, z). The integrals over the phase are the rule of PHASES even
phases: F_m and G_m are ``(1/N) Σ_j |H(a, b, θ_j)| e^{-imθ_j}``, and of sgn. That rule *is* the ideal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.decomposition.phase_modulation import PhaseModulation
from quadlens.decomposition.weight_sums import HIGHEST_ORDER, WeightSums

INTEGRAL, LINEAR_A, LINEAR_B, FIRST_A, FIRST_B = range(5)

PHASES = 128
OFFSET = 1 / 3
"""Of a step: with it no phase of the rule is a zero of a symmetric waveform."""

BLOCK_INPUTS = 2**14


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Harmonics:
    """``F_m`` and ``G_m`` of every waveform, m from 0 to M, at some inputs: (waveform, input, m)."""

    F: ComplexArray
    G: ComplexArray

    def of(self, kind: int, waveform: int, m: int) -> ComplexArray:
        """Return ``F_m`` or ``G_m``: |H| and sgn H are real functions of θ, so −m is the conjugate."""
        values = (self.F if kind == INTEGRAL else self.G)[waveform, :, abs(m)]
        return np.asarray(values if m >= 0 else values.conj())


def _phases() -> FloatArray:
    return np.asarray(2 * np.pi * (np.arange(PHASES) + OFFSET) / PHASES)


def values_at_phases(waveform: PhaseModulation, a: IntArray, b: IntArray) -> Iterator[tuple[slice, FloatArray]]:
    """Yield ``H(a, b, θ_j)`` at the phases of the rule, shape (input, PHASES), for a block of the inputs at a time."""
    at_a, at_b = waveform.tables(_phases())
    for start in range(0, a.size, BLOCK_INPUTS):
        rows = slice(start, start + BLOCK_INPUTS)
        yield rows, at_a[a[rows]] + at_b[b[rows]]


def harmonics(waveforms: Sequence[PhaseModulation], a: IntArray, b: IntArray) -> Harmonics:
    """Return the harmonics of |H| and sgn H at the inputs (a, b), by the rule of even phases."""
    wave = np.exp(-1j * np.outer(_phases(), np.arange(HIGHEST_ORDER + 1))) / PHASES
    pairs = wave.view(np.float64)
    F, G = (np.empty((len(waveforms), a.size, HIGHEST_ORDER + 1), dtype=np.complex128) for _ in range(2))
    for index, waveform in enumerate(waveforms):
        for rows, H in values_at_phases(waveform, a, b):
            G[index, rows] = (np.sign(H) @ pairs).view(np.complex128)
            F[index, rows] = (np.abs(H) @ pairs).view(np.complex128)
    return Harmonics(F=F, G=G)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Terms with their numbers, and the squares of each over all inputs at hand, the largest first."""

    terms: IntArray
    values: ComplexArray
    squares: FloatArray


def candidates(
    sums: WeightSums, waveforms: Sequence[PhaseModulation], found: Harmonics, *, most: int, least: float
) -> Candidates:
    """Return at most ``most`` terms whose squares are above ``least``."""
    nothing = np.zeros(1, dtype=np.int64)
    orders = np.arange(-HIGHEST_ORDER, HIGHEST_ORDER + 1)
    F2, G2 = (np.square(np.abs(values)).sum(axis=1)[:, np.abs(orders)] for values in (found.F, found.G))
    inputs = np.full(1, float(found.F.shape[1]))
    blocks = []
    for index, waveform in enumerate(waveforms):
        D = sums.first_order(index, waveform)
        blocks.append(((INTEGRAL, index), (orders, nothing), sums.sums[index][:, None], F2[index]))
        blocks += [
            ((kind, index), (orders, sums.residues[index]), D[side], G2[index])
            for side, kind in enumerate((FIRST_A, FIRST_B))
        ]
    blocks += [
        ((kind, 0), (nothing, np.arange(sums.p)), sums.L[side][None], inputs)
        for side, kind in enumerate((LINEAR_A, LINEAR_B))
    ]
    parts = []
    for (kind, index), (ms, qs), values, function in blocks:
        squares = np.square(np.abs(values)) * function[:, None, None]
        flat = np.flatnonzero(squares.ravel() > least)
        if flat.size > most:
            flat = flat[np.argpartition(-squares.ravel()[flat], most)[:most]]
        m, q, z = np.unravel_index(flat, squares.shape)
        rows = np.stack([np.full(flat.size, kind), np.full(flat.size, index), ms[m], qs[q], sums.outputs[z]], axis=1)
        parts.append((rows, values.ravel()[flat], squares.ravel()[flat]))
    terms, values, squares = (np.concatenate(part) for part in zip(*parts, strict=True))
    first = np.argsort(-squares, kind="stable")[:most]
    return Candidates(terms=terms[first], values=values[first], squares=squares[first])


def roots_of_unity(p: int) -> ComplexArray:
    """Return ``e^{iωj}`` for j = 0 … p − 1."""
    return np.asarray(np.exp(2j * np.pi / p * np.arange(p)))


def term_function(roots: ComplexArray, term: IntArray, found: Harmonics, a: IntArray, b: IntArray) -> ComplexArray:
    """Return the function of the inputs that a term's number multiplies, at every input; ``roots`` of unity, p."""
    kind, waveform, m, q, _ = term.tolist()
    if kind == INTEGRAL:
        return found.of(kind, waveform, m)
    turn = roots[q * np.arange(roots.size) % roots.size][a if kind in (LINEAR_A, FIRST_A) else b]
    return np.asarray(turn if kind in (LINEAR_A, LINEAR_B) else turn * found.of(kind, waveform, m))


def output_waves(
    p: int, terms: IntArray, values: ComplexArray, found: Harmonics, inputs: tuple[IntArray, IntArray]
) -> dict[int, ComplexArray]:
    """Return ``{z: Z_z}`` at the inputs: terms that share a function of the phase are first summed over q.

    Cost: the inputs times the pairs of a harmonic and an output.
    """
    a, b = inputs
    order = np.lexsort((terms[:, 2], terms[:, 1], terms[:, 0], terms[:, 4]))
    terms, values = terms[order], values[order]
    roots = roots_of_unity(p)
    out: dict[int, ComplexArray] = {}
    starts = np.flatnonzero((np.diff(terms[:, [0, 1, 2, 4]], axis=0, prepend=-99) != 0).any(axis=1))
    for start, stop in zip(starts, np.append(starts, len(terms))[1:], strict=True):
        kind, waveform, m, _, z = terms[start].tolist()
        total = out.setdefault(z, np.zeros(a.size, dtype=np.complex128))
        if kind == INTEGRAL:
            total += values[start] * found.of(kind, waveform, m)
            continue
        # summed directly: the rounding of a transform of prime length is not known as well
        series = (roots[np.outer(np.arange(p), terms[start:stop, 3]) % p] @ values[start:stop])[
            a if kind in (LINEAR_A, FIRST_A) else b
        ]
        total += series if kind in (LINEAR_A, LINEAR_B) else series * found.of(kind, waveform, m)
    return out
