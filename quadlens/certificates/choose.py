r"""How the prover chooses its plan: key frequencies, cells, retained outputs, groups, solo neurons.

A neuron's key frequency, phase and amplitude are those of ``quadlens.form``; its curve takes in all harmonics of the
key (``waveform_choice``). Groups are split into buckets of similar curve, the costliest first, while that pays, and
neurons far
from every other are evaluated one by one.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.certificates.retained import Retained, cross_oscillation, spectrum, split, transform_operations
from quadlens.certificates.waveform_choice import Coefficients, coefficients, make_bucket, mean_curves, split_buckets
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

SOLO_RATIO = 9.0
"""A neuron may be solo if its mean square residual is this many times its group's median."""

FAINT = 1e-4
"""An output frequency that carries less than this fraction of the strongest is not worth retaining."""

WORTHWHILE = 0.25
"""Frequencies that are no neuron's key are retained if together they carry this part of what all such ones carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much the prover may spend: upper limits, constants that no size of circuit raises.

    ``retained`` output frequencies, ``retained_by_bucket`` of them in one bucket, ``buckets`` in all (at least one
    for each group), ``levels`` (1 … 5), ``solo``
    neurons,
    ``harmonics`` of D, ``clusters`` of each class (1 … 36).
    """

    retained: int = 14
    retained_by_bucket: int = 14
    buckets: int = 8
    levels: int = 3
    solo: int = 16
    harmonics: int = 16
    clusters: int = 16

    def __post_init__(self) -> None:
        ranges = {
            "retained": (1, 10**6),
            "retained_by_bucket": (1, 10**6),
            "buckets": (1, 10**6),
            "levels": (1, 5),
            "solo": (0, 10**6),
            "harmonics": (0, 10**6),
            "clusters": (1, 36),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise OptionError(f"{name} must be an integer in {least}..{most}, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectra:
    """Key frequency, amplitude and phase of each neuron, with the spectra ``A_hat, B_hat``, shape (p//2 + 1, n)."""

    key: IntArray
    amplitude: FloatArray
    phase: FloatArray
    A_hat: ComplexArray
    B_hat: ComplexArray


def spectra(circuit: Circuit, count: OperationCounter) -> Spectra:
    """Return the spectra of A and B over residues and what they say of each neuron."""
    p, n = circuit.p, circuit.neurons
    A_hat, B_hat = (np.fft.rfft(table, axis=0) / p for table in (circuit.A, circuit.B))
    count.add(2 * n, transform_operations(p))
    half = max(1, (p - 1) // 2)
    power = np.abs(A_hat[1 : half + 1]) ** 2 + np.abs(B_hat[1 : half + 1]) ** 2
    count.add(8 * n, half)
    key = np.argmax(power, axis=0) + 1
    wave = A_hat[key, np.arange(n)] + B_hat[key, np.arange(n)]
    # a neuron that is nearly constant takes its scale from the constant, so that its curve stays bounded
    constant = np.abs(A_hat[0].real + B_hat[0].real)
    amplitude = np.clip(np.maximum(np.abs(wave), constant / 4), 0, np.finfo(np.float32).max)
    with np.errstate(under="ignore"):
        single = amplitude.astype(np.float32).astype(np.float64)
    return Spectra(key=key, amplitude=single, phase=np.angle(wave), A_hat=A_hat, B_hat=B_hat)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The plan, the output side split at its retained frequencies, and ``V_i`` of each neuron."""

    plan: Plan
    retained: Retained
    cross: FloatArray


def choose(circuit: Circuit, budget: Budget, count: OperationCounter) -> Choice:
    """Choose a plan for a circuit within a budget; O(pn) with constants from the budget."""
    p, n = circuit.p, circuit.neurons
    found = spectra(circuit, count)
    outputs = {name: spectrum(getattr(circuit, name), count) for name in ("U", "S_a", "S_b")}
    size = np.abs(outputs["U"])
    skip = np.abs(outputs["S_a"]).max(axis=0) + np.abs(outputs["S_b"]).max(axis=0)
    frequencies = retained_frequencies(found.amplitude @ size + skip, found, budget.retained)
    count.add(5 * (n + 2 * p), size.shape[1])
    grid = max(8, -(-256 // p))
    cells = grid * p
    cell = np.rint(found.phase * (cells / (2 * np.pi))).astype(np.int64) % cells
    own = np.full(p // 2 + 1, -1)
    own[list(frequencies)] = np.arange(len(frequencies))
    own_of = own[found.key]
    gain = np.where(own_of >= 0, size[np.arange(n), found.key], 0.0) * 2 / p
    weight = found.amplitude * gain
    top = float(weight.max())
    weight = np.maximum(weight, 1e-6 * top) if top > 0 else np.ones(n)

    groups: list[Waveforms] = []
    curves: list[Coefficients] = []
    score = np.zeros(n)
    mask = np.zeros((n, len(frequencies)), dtype=bool)
    lists: dict[int, tuple[int, ...]] = {}
    for k in map(int, np.unique(found.key)):
        members = np.flatnonzero(found.key == k)
        members = members[np.argsort(cell[members], kind="stable")]
        mine = coefficients(found.A_hat, found.B_hat, members, k, found.amplitude, cell, p, cells, count)
        curves.append(mine)
        A, B = mean_curves(mine, weight[members], cells, count)
        groups.append(Waveforms(frequency=k, members=members, A=A, B=B))
        residual = mine.spread(weight[members], count)
        far = residual > SOLO_RATIO * float(np.median(residual))
        score[members] = np.where(far, weight[members] * residual, 0.0)
        lists[k] = _own_list(k, frequencies, found.amplitude[members] @ size[members], budget.retained_by_bucket)
        mask[np.ix_(members, np.searchsorted(frequencies, lists[k]))] = True
    count.add(2 * n, size.shape[1])
    solo = np.argsort(-score, kind="stable")[: budget.solo]
    solo = np.sort(solo[score[solo] > 0])
    mask[solo] = True
    retained = split(circuit, frequencies, outputs, mask, count)
    cross = cross_oscillation(retained, own_of, count)
    buckets = [
        make_bucket(
            circuit, part, found.amplitude, cell, weight, gain, cross, lists[part.frequency], budget.levels, grid, count
        )
        for part in split_buckets(groups, curves, weight, solo, budget.buckets, cells, count)
    ]
    plan = Plan(
        p=p,
        grid=grid,
        cell=cell,
        amplitude=found.amplitude,
        buckets=tuple(buckets),
        solo=solo,
        groups=tuple(groups),
        harmonics=min(budget.harmonics, (cells - 1) // 2),
        retained=frequencies,
    )
    return Choice(plan=plan, retained=retained, cross=cross)


def _own_list(k: int, frequencies: tuple[int, ...], strength: FloatArray, most: int) -> tuple[int, ...]:
    """Return the frequencies that the neurons of key k retain: k itself and the strongest of the others."""
    order = sorted(frequencies, key=lambda z: (z != k, -strength[z]))
    return tuple(sorted(order[:most]))


def retained_frequencies(strength: FloatArray, found: Spectra, most: int) -> tuple[int, ...]:
    """Return the strongest output frequencies, those that carry something, ``most`` at most, in increasing order.

    Neurons' key frequencies come before all others.
    """
    threshold = FAINT * float(strength.max())
    keys = np.zeros(strength.size, dtype=bool)
    keys[np.unique(found.key)] = True
    order = np.lexsort((-strength, ~keys))
    kept = [int(z) for z in order if z > 0 and (strength[z] > threshold or keys[z])][:most]
    extra = [z for z in kept if not keys[z]]
    if strength[extra].sum() < WORTHWHILE * strength[~keys].sum():
        # noise, spread over many frequencies: a few more of them would cost and gain nothing
        kept = [z for z in kept if keys[z]]
    return tuple(sorted(kept))
