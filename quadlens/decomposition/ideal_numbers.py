"""An extended ideal as what it is counted by: real numbers, and the integers that say where each of them belongs."""

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray, IntArray
from quadlens.decomposition.extended_ideal import ExtendedIdeal
from quadlens.decomposition.phase_modulation import PhaseModulation, number_places


def ideal_numbers(ideal: ExtendedIdeal) -> tuple[IntArray, FloatArray]:
    """Return the ideal's ``indices`` integers and its ``parameters`` real numbers.

    Integers: for every waveform its frequency and its pairs (q, l), then the rows of the terms. How many of each there
    are goes in front and is not counted: p, the waveforms, the waves of each.
    """
    head = [ideal.p, len(ideal.waveforms), *(len(waveform.waves) for waveform in ideal.waveforms)]
    integers = [np.array(head, dtype=np.int64)]
    reals = []
    for waveform in ideal.waveforms:
        integers += [np.array([waveform.frequency]), waveform.waves.ravel()]
        sides = np.stack([waveform.A.real, waveform.A.imag, waveform.B.real, waveform.B.imag], axis=1)
        reals.append(sides[number_places(ideal.p, waveform.waves)])
    reals.append(np.ascontiguousarray(ideal.values).view(np.float64))
    return np.concatenate([*integers, ideal.terms.ravel()]), np.concatenate(reals)


def from_numbers(
    integers: IntArray, reals: FloatArray
) -> tuple[tuple[PhaseModulation, ...], IntArray, ComplexArray]:
    """Return the waveforms, terms and values that the numbers make: all that an ideal's outputs depend on."""
    p, count = integers[:2].tolist()
    sizes, at, used = integers[2 : 2 + count].tolist(), 2 + count, 0
    waveforms = []
    for size in sizes:
        waves = integers[at + 1 : at + 1 + 2 * size].reshape(size, 2)
        places = number_places(p, waves)
        sides = np.zeros((size, 4))
        stored = int(places.sum())
        sides[places] = reals[used : used + stored]
        A, B = sides[:, 0] + 1j * sides[:, 1], sides[:, 2] + 1j * sides[:, 3]
        waveforms.append(PhaseModulation(p=p, frequency=int(integers[at]), waves=waves, A=A, B=B))
        at, used = at + 1 + 2 * size, used + stored
    values = np.ascontiguousarray(reals[used:]).view(np.complex128)
    return tuple(waveforms), integers[at:].reshape(-1, 5), values
