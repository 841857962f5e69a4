r"""The waveform that neurons of one frequency share, every wave with a phase multiple of its own.

A wave at frequency q need not turn with the neuron's phase as its frequency does: with ``φ`` the phase of the key wave,

    x_i(a, b) / r_i  ≈  H(a, b, φ_i),     H(a, b, θ) = Re Σ_{(q, l)} (A_{q,l} e^{iωqa} + B_{q,l} e^{iωqb}) e^{ilθ}.

The lens keeps (k, 1), (2k, 2) and (0, 0): those are functions of d = a − b and θ + ωkb. The others are not: another
group's key at l = ±1, a bias at l = −3. The pairs (q, l) are chosen by weighted orthogonal matching: at each q the
multiple l that explains most of the neurons' waves, all coefficients of that q refitted, until the next would explain
less than ``stop`` of a neuron's unit amplitude squared. Cost O(pn) to correlate, with the 2·HIGHEST_MULTIPLE + 1
multiples as the constant.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.form.amplitude_phase import AmplitudePhaseForm

HIGHEST_MULTIPLE = 12
MOST_MULTIPLES = 8  # at one frequency


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseModulation:
    """The waveform of the neurons with key frequency ``frequency``.

    ``waves``: rows (q, l), 0 ≤ q ≤ p/2; ``A, B``: their coefficients, relative to r. At q = 0 the sides cannot be told
    apart: A holds both and B is 0; there, and at q = p/2, l ≥ 0.
    """

    p: int
    frequency: int
    waves: IntArray
    A: ComplexArray
    B: ComplexArray

    @property
    def numbers(self) -> int:
        """How many real numbers it holds."""
        return int(number_places(self.p, self.waves).sum())

    def tables(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the two halves of ``H(a, b, θ)``, of a and of b, shape (p, θ) each."""
        residue = np.outer(np.arange(self.p), self.waves[:, 0]) % self.p
        turn = np.exp(2j * np.pi / self.p * residue)
        phase = np.exp(1j * np.outer(self.waves[:, 1], theta))
        return ((turn * self.A) @ phase).real, ((turn * self.B) @ phase).real


def number_places(p: int, waves: IntArray) -> np.ndarray:
    """Return which of ``Re A, Im A, Re B, Im B`` each wave stores, shape (wave, 4), booleans.

    At q = 0 there is one side; where neither the residue nor the phase turns, a coefficient is real.
    """
    places = np.ones((len(waves), 4), dtype=bool)
    places[waves[:, 0] == 0, 2:] = False
    still = (2 * waves[:, 0] % p == 0) & (waves[:, 1] == 0)
    places[still, 1] = places[still, 3] = False
    return places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseCorrelations:
    """What orthogonal matching needs of the neurons ``members`` with one key frequency, weighted by r u.

    ``gram (l, l')``: mean of ``e^{i(l' − l)φ}``; ``correlation (q, l, side)``: mean of a side's wave at q, relative to
    r, times ``e^{-ilφ}``; ``energy (q,)``: mean square of the waves at q, both sides.
    """

    p: int
    frequency: int
    members: IntArray
    gram: ComplexArray
    correlation: ComplexArray
    energy: FloatArray


def phase_correlations(
    tables: tuple[ComplexArray, ComplexArray], form: AmplitudePhaseForm, frequency: int, members: IntArray
) -> PhaseCorrelations:
    """Return the correlations of neurons that are not silent.

    ``tables``: Fourier coefficients of A and B at q = 0 … p//2, shape (q, n) each.
    """
    p = form.p
    share = form.weights[members] / form.weights[members].sum()
    phases = np.exp(1j * np.outer(form.phi[members], np.arange(-HIGHEST_MULTIPLE, HIGHEST_MULTIPLE + 1)))
    unit = phases.conj() * share[:, None]
    sides = np.stack([table[:, members] for table in tables]) / form.r[members]
    # a real wave is a pair of conjugate coefficients, but at 0 and p/2
    sides[:, 1 : (p - 1) // 2 + 1] *= 2
    # at q = 0 both sides are one number of a neuron
    sides[0, 0] += sides[1, 0]
    sides[1, 0] = 0
    return PhaseCorrelations(
        p=p,
        frequency=frequency,
        members=members,
        gram=unit.T @ phases,
        correlation=np.moveaxis(sides @ unit, 0, -1),
        energy=(np.square(np.abs(sides)) @ share).sum(axis=0),
    )


def phase_modulation(found: PhaseCorrelations, stop: float) -> PhaseModulation:
    """Return the waveform whose waves explain at least ``stop`` each of the neurons' waves, of unit amplitude."""
    waves: list[tuple[int, int]] = []
    coefficients: list[ComplexArray] = []
    for q in np.flatnonzero(found.energy >= stop).tolist():
        matching = _real_matching if 2 * q % found.p == 0 else _matching
        chosen, pairs = matching(found.gram, found.correlation[q], stop)
        waves += [(q, place - HIGHEST_MULTIPLE) for place in chosen]
        coefficients += list(pairs)
    A, B = np.array(coefficients, dtype=np.complex128).reshape(-1, 2).T
    rows = np.array(waves, dtype=np.int64).reshape(-1, 2)
    return PhaseModulation(p=found.p, frequency=found.frequency, waves=rows, A=A, B=B)


def _matching(gram: ComplexArray, correlation: ComplexArray, stop: float) -> tuple[list[int], ComplexArray]:
    """Choose columns by orthogonal matching from their Gram matrix and their correlations with both sides."""
    chosen: list[int] = []
    coefficients: ComplexArray = np.zeros((0, correlation.shape[1]), dtype=np.complex128)
    explained = 0.0
    while len(chosen) < MOST_MULTIPLES:
        left = np.square(np.abs(correlation - gram[:, chosen] @ coefficients)).sum(axis=1)
        left[chosen] = -1
        tried = [*chosen, int(np.argmax(left))]
        fitted = np.asarray(np.linalg.lstsq(gram[np.ix_(tried, tried)], correlation[tried], rcond=1e-10)[0])
        now = float((correlation[tried].conj() * fitted).real.sum())
        if now - explained < stop:
            break
        chosen, coefficients, explained = tried, fitted, now
    return chosen, coefficients


def _real_matching(gram: ComplexArray, correlation: ComplexArray, stop: float) -> tuple[list[int], ComplexArray]:
    """Choose multiples l ≥ 0 for waves that are real numbers of every neuron: cos lφ and sin lφ together."""
    middle = HIGHEST_MULTIPLE
    chosen: list[int] = []
    coefficients: ComplexArray = np.zeros((0, correlation.shape[1]), dtype=np.complex128)
    explained = 0.0
    while len(chosen) < MOST_MULTIPLES:
        best = -1
        fit: tuple[float, ComplexArray] = (explained, coefficients)
        for place in range(middle, 2 * middle + 1):
            if place in chosen:
                continue
            rows, target = _real_system(gram, correlation, [*chosen, place])
            solved = np.linalg.lstsq(rows, target, rcond=1e-10)[0]
            now = float((target * solved).sum())
            if now > fit[0]:
                best, fit = place, (now, solved[0::2] - 1j * solved[1::2])
        if best < 0 or fit[0] - explained < stop:
            break
        chosen = [*chosen, best]
        explained, coefficients = fit
    return chosen, coefficients


def _real_system(
    gram: ComplexArray, correlation: ComplexArray, places: list[int]
) -> tuple[FloatArray, FloatArray]:
    """Return the normal equations over cos lφ, sin lφ for every place in turn."""
    middle = HIGHEST_MULTIPLE
    size = 2 * len(places)
    rows, target = np.zeros((size, size)), np.zeros((size, correlation.shape[1]))
    for i, first in enumerate(places):
        # Σ share x e^{-ilφ} = Σ share x cos lφ − i Σ share x sin lφ for real x
        target[2 * i], target[2 * i + 1] = correlation[first].real, -correlation[first].imag
        for j, second in enumerate(places):
            # gram[l, l'] = Σ share e^{i(l' − l)φ}
            difference = gram[first, second]
            total = gram[2 * middle - first, second]
            rows[2 * i, 2 * j] = (difference + total).real / 2
            rows[2 * i + 1, 2 * j + 1] = (difference - total).real / 2
            rows[2 * i, 2 * j + 1] = (difference + total).imag / 2
            rows[2 * i + 1, 2 * j] = (total - difference).imag / 2
    return rows, target
