r"""How the prover chooses its plan: key frequencies, cells, retained outputs, groups, solo neurons.

A neuron's key frequency, phase and amplitude are those of ``quadlens.form``; its curve takes in all harmonics of the
key (``waveform_choice``). Groups are split into buckets of similar curve, the costliest first, while that pays, and
neurons far
from every other are evaluated one by one.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.certificates.operations import OperationCounter, transform_operations
from quadlens.certificates.parallel import blocks_of, in_parallel
from quadlens.certificates.plan import Plan, Waveforms
from quadlens.certificates.retained import Retained, coefficients_of, cross_oscillation, split
from quadlens.certificates.waveform_choice import (
    Coefficients,
    coefficients,
    column_energy,
    harmonics_of,
    make_bucket,
    mean_curves,
    split_buckets,
)
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

SOLO_RATIO = 9.0
"""A neuron may be solo if its mean square residual is this many times its group's median."""

FAINT = 1e-4
"""An output frequency that carries less than this fraction of the strongest is not worth retaining."""

ABOVE_NOISE = 1.5
"""Frequencies that are no neuron's key (for a bucket: not its own) are retained if they carry this many times what the
median of all such ones carries: noise, spread over many frequencies, would cost and gain nothing."""

FEW = 8
"""So many other frequencies are needed to tell noise."""

SAMPLE = 512
"""So many neurons, evenly spread, are asked for their spectra, and fewer than twice as many."""

SPECTRA = 128
"""So many spectra are taken at a time."""

CANDIDATES = 64
"""Key frequencies that neurons outside the sample may have: those that most neurons of the sample have."""

EXPLAINED = 0.25
"""A neuron is content with a candidate that carries this part of its energy, the constant aside."""

CELLS = 472
"""Least number of phase cells: finer ones were measured no better (docs/certificates.md)."""


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
    buckets: int = 12
    levels: int = 3
    solo: int = 16
    harmonics: int = 8
    clusters: int = 32

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
class Keys:
    """Key frequency, amplitude and phase of each neuron; ``sample`` are the neurons that speak for all where
    frequencies are looked for."""

    key: IntArray
    amplitude: FloatArray
    phase: FloatArray
    sample: IntArray


def keys(circuit: Circuit, energy: FloatArray, count: OperationCounter) -> Keys:
    """Return each neuron's key frequency, amplitude and phase; ``energy`` is ``column_energy``.

    The spectra of a sample of neurons say which frequencies are keys at all; every neuron is compared with these, and
    one that none of them explains has its own spectrum taken. Up to ``2 · SAMPLE`` neurons all are in the sample.
    """
    p, n = circuit.p, circuit.neurons
    sample = np.arange(0, n, max(1, n // SAMPLE))
    key = np.zeros(n, dtype=np.int64)
    wave, constant = np.zeros(n, dtype=np.complex128), np.zeros(n)

    def by_spectrum(neurons: IntArray) -> None:
        half = max(1, (p - 1) // 2)

        def work(block: slice) -> None:
            mine = neurons[block]
            hats = [np.fft.rfft(np.take(table, mine, axis=1).T, axis=1) / p for table in (circuit.A, circuit.B)]
            power = np.abs(hats[0][:, 1 : half + 1]) ** 2 + np.abs(hats[1][:, 1 : half + 1]) ** 2
            key[mine] = best = np.argmax(power, axis=1) + 1
            both = hats[0] + hats[1]
            wave[mine], constant[mine] = both[np.arange(mine.size), best], both[:, 0].real

        in_parallel(work, blocks_of(neurons.size, SPECTRA))
        count.add(2 * neurons.size, transform_operations(p))
        count.add(8 * neurons.size, half)

    by_spectrum(sample)
    if sample.size < n:
        candidates, votes = np.unique(key[sample], return_counts=True)
        candidates = np.sort(candidates[np.argsort(-votes, kind="stable")[:CANDIDATES]])
        every = np.arange(n)
        hats = [
            harmonics_of(table, every, np.concatenate([[0], candidates]), count) for table in (circuit.A, circuit.B)
        ]
        power = np.abs(hats[0][1:]) ** 2 + np.abs(hats[1][1:]) ** 2
        best = np.argmax(power, axis=0)
        both = hats[0] + hats[1]
        waves = energy.sum(axis=0) - hats[0][0].real ** 2 - hats[1][0].real ** 2
        explained = 2 * power[best, every] >= EXPLAINED * waves
        explained[sample] = True
        rest = np.delete(every, sample)
        key[rest], wave[rest], constant[rest] = candidates[best[rest]], both[1 + best[rest], rest], both[0].real[rest]
        by_spectrum(np.flatnonzero(~explained))
        count.add(8 * n, candidates.size)
    # a neuron that is nearly constant takes its scale from the constant, so that its curve stays bounded
    amplitude = np.clip(np.maximum(np.abs(wave), np.abs(constant) / 4), 0, np.finfo(np.float32).max)
    with np.errstate(under="ignore"):
        single = amplitude.astype(np.float32).astype(np.float64)
    return Keys(key=key, amplitude=single, phase=np.angle(wave), sample=sample)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The plan, the output side split at its retained frequencies, and ``V_i`` of each neuron."""

    plan: Plan
    retained: Retained
    cross: FloatArray


def choose(circuit: Circuit, budget: Budget, count: OperationCounter) -> Choice:
    """Choose a plan for a circuit within a budget; O(pn) with constants from the budget."""
    p, n = circuit.p, circuit.neurons
    energy = column_energy(circuit, count)
    found = keys(circuit, energy, count)
    frequencies, strengths = _retained(circuit, found, budget.retained, count)
    u_hat = coefficients_of(circuit.U, frequencies, count)
    grid = max(2, -(-CELLS // p))
    cells = grid * p
    cell = np.rint(found.phase * (cells / (2 * np.pi))).astype(np.int64) % cells
    own = np.full(p // 2 + 1, -1)
    own[list(frequencies)] = np.arange(len(frequencies))
    own_of = own[found.key]
    gain = np.where(own_of >= 0, np.abs(u_hat[np.arange(n), own_of]), 0.0)
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
        mine = coefficients(circuit, energy, members, k, found.amplitude, cell, cells, count)
        curves.append(mine)
        A, B = mean_curves(mine, weight[members], cells, count)
        groups.append(Waveforms(frequency=k, members=members, A=A, B=B))
        residual = mine.spread(weight[members], count)
        far = residual > SOLO_RATIO * float(np.median(residual))
        score[members] = np.where(far, weight[members] * residual, 0.0)
        lists[k] = _own_list(k, frequencies, strengths[found.key[found.sample] == k], budget.retained_by_bucket)
        mask[np.ix_(members, np.searchsorted(frequencies, lists[k]))] = True
    solo = np.argsort(-score, kind="stable")[: budget.solo]
    solo = np.sort(solo[score[solo] > 0])
    mask[solo] = True
    retained = split(circuit, frequencies, u_hat, mask, count)
    cross = cross_oscillation(retained, own_of, count)
    buckets = [
        make_bucket(part, rms, weight, gain, cross, lists[part.frequency], budget.levels)
        for part, rms in split_buckets(groups, curves, weight, solo, budget.buckets, cells, count)
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


def _retained(
    circuit: Circuit, found: Keys, most: int, count: OperationCounter
) -> tuple[tuple[int, ...], FloatArray]:
    """Return the output frequencies to retain, and ``r |Û|`` of each neuron of the sample, shape (sample, p//2 + 1)."""
    p, sample = circuit.p, found.sample
    outputs = np.empty((sample.size, p // 2 + 1))

    def work(block: slice) -> None:
        mine = sample[block]
        outputs[block] = found.amplitude[mine, None] * np.abs(np.fft.rfft(circuit.U[mine], axis=1))

    in_parallel(work, blocks_of(sample.size, SPECTRA))
    skip = sum(np.abs(np.fft.rfft(table, axis=1)).max(axis=0) for table in (circuit.S_a, circuit.S_b) if table.any())
    count.add(sample.size + 2 * p, transform_operations(p) + 5 * (p // 2 + 1))
    strength = outputs.sum(axis=0) * (circuit.neurons / sample.size) + skip
    return retained_frequencies(strength, found.key, most), outputs


def _own_list(k: int, frequencies: tuple[int, ...], strengths: FloatArray, most: int) -> tuple[int, ...]:
    """Return the frequencies that the neurons of key k retain: k itself and the strongest of the others."""
    strength = strengths.sum(axis=0)
    keyed = np.zeros(strength.size, dtype=bool)
    keyed[k] = True
    loud = _above_noise(strength, keyed)
    order = sorted(frequencies, key=lambda z: (z != k, not loud[z], -strength[z]))
    # one is always there
    return tuple(sorted(order[:1] + [z for z in order[1:most] if loud[z]]))


def retained_frequencies(strength: FloatArray, key: IntArray, most: int) -> tuple[int, ...]:
    """Return the strongest output frequencies, those that carry something, ``most`` at most, in increasing order.

    Neurons' key frequencies come before all others.
    """
    keyed = np.zeros(strength.size, dtype=bool)
    keyed[np.unique(key)] = True
    loud = _above_noise(strength, keyed) & (keyed | (strength > FAINT * float(strength.max())))
    order = np.lexsort((-strength, ~keyed))
    return tuple(sorted([int(z) for z in order if z > 0 and loud[z]][:most]))


def _above_noise(strength: FloatArray, keyed: BoolArray) -> BoolArray:
    """Say which frequencies are keys or stand out from the others."""
    others = strength[1:][~keyed[1:]]
    # of a few numbers the median says nothing
    median = float(np.median(others)) if others.size >= FEW else 0.0
    return np.asarray(keyed | (strength > ABOVE_NOISE * median))
