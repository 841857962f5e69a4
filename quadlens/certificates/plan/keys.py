"""Key frequency, amplitude and phase of each neuron: those of ``quadlens.form``, in few passes over the tables."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.circuits.circuit import Circuit

SAMPLE = 512
"""So many neurons, evenly spread, are asked for their spectra, and fewer than twice as many."""

SPECTRA = 128
"""So many spectra are taken at a time."""

CANDIDATES = 64
"""Key frequencies that neurons outside the sample may have: those that most neurons of the sample have."""

EXPLAINED = 0.25
"""A neuron is content with a candidate that carries this part of its energy, the constant aside."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Keys:
    """Key frequency ``k_i``, amplitude ``r_i`` (a float32 number) and phase of each neuron, shape (n,); ``sample`` are
    the neurons that speak for all where frequencies are looked for."""

    key: IntArray
    amplitude: FloatArray
    phase: FloatArray
    sample: IntArray


def keys(circuit: Circuit) -> Keys:
    """Return each neuron's key frequency, amplitude and phase.

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
            # one transform of A + iB; where that of the columns' sum is wanted, the waves of one frequency are enough
            hat = np.fft.fft((np.take(circuit.A, mine, axis=1) + 1j * np.take(circuit.B, mine, axis=1)).T, axis=1) / p
            power = np.abs(hat) ** 2
            key[mine] = best = np.argmax(power[:, 1 : half + 1] + power[:, : -half - 1 : -1], axis=1) + 1
            at = np.arange(mine.size)
            forth, back = hat[at, best], np.conj(hat[at, -best])
            wave[mine] = (forth + back) / 2 + (forth - back) / 2j
            constant[mine] = hat[:, 0].real + hat[:, 0].imag

        in_parallel(work, blocks_of(neurons.size, SPECTRA))

    by_spectrum(sample)
    if sample.size < n:
        candidates, votes = np.unique(key[sample], return_counts=True)
        candidates = np.sort(candidates[np.argsort(-votes, kind="stable")[:CANDIDATES]])
        every = np.arange(n)
        asked = np.concatenate([[0], candidates])
        hats = [harmonics_of(table, every, asked) for table in (circuit.A, circuit.B)]
        power = np.abs(hats[0][1:]) ** 2 + np.abs(hats[1][1:]) ** 2
        best = np.argmax(power, axis=0)
        both = hats[0] + hats[1]
        waves = _energy(circuit) - hats[0][0].real ** 2 - hats[1][0].real ** 2
        explained = 2 * power[best, every] >= EXPLAINED * waves
        explained[sample] = True
        rest = np.delete(every, sample)
        key[rest], wave[rest], constant[rest] = candidates[best[rest]], both[1 + best[rest], rest], both[0].real[rest]
        by_spectrum(np.flatnonzero(~explained))
    # a neuron that is nearly constant takes its scale from the constant, so that its curve stays bounded
    amplitude = np.clip(np.maximum(np.abs(wave), np.abs(constant) / 4), 0, np.finfo(np.float32).max)
    with np.errstate(under="ignore"):
        single = amplitude.astype(np.float32).astype(np.float64)
    return Keys(key=key, amplitude=single, phase=np.angle(wave), sample=sample)


def harmonics_of(table: FloatArray, members: IntArray, frequencies: IntArray) -> ComplexArray:
    """Return ``(1/p) Σ_a table[a, i] e^{−iωqa}`` for the given q and columns i, shape (frequencies, members)."""
    p = table.shape[0]
    wave = np.exp(-2j * np.pi / p * (np.outer(frequencies, np.arange(p)) % p)) / p
    parts = np.concatenate([wave.real, wave.imag])
    out = np.empty((frequencies.size, members.size), dtype=np.complex128)

    def work(block: slice) -> None:
        found = parts @ _columns(table, members[block])
        out[:, block] = found[: frequencies.size] + 1j * found[frequencies.size :]

    in_parallel(work, blocks_of(members.size, max(64, BLOCK // p)))
    return out


def _columns(table: FloatArray, members: IntArray) -> FloatArray:
    """Return some columns of a table, without copying them where they lie side by side."""
    if members.size and members[-1] - members[0] + 1 == members.size and (np.diff(members) == 1).all():
        return table[:, members[0] : members[-1] + 1]
    return np.take(table, members, axis=1)


def _energy(circuit: Circuit) -> FloatArray:
    """Return the mean square of each neuron's column of A plus that of B, shape (n,)."""
    out = np.empty(circuit.neurons)

    def work(block: slice) -> None:
        out[block] = sum(np.einsum("ai,ai->i", table[:, block], table[:, block]) for table in (circuit.A, circuit.B))

    in_parallel(work, blocks_of(circuit.neurons, max(64, BLOCK // circuit.p)))
    return out / circuit.p
