"""The waveform that neurons of one frequency share, with its higher waves, and the split into clusters of like
waveforms.
"""

from dataclasses import dataclass
from math import gcd

import numpy as np

from quadlens.arrays import ComplexArray, IntArray
from quadlens.circuits.circuit import Circuit
from quadlens.form.amplitude_phase import AmplitudePhaseForm, secondary_wave_factor

SMALLEST_WAVE = 0.02  # a higher wave is kept where its amplitude relative to r is at least this
KMEANS_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupWaves:
    """A waveform that neurons of one frequency share: ``A (D + 1,)`` and ``B (D + 1,)`` hold the locked waves at 0, k,
    2k, …, Dk, relative to r.
    """

    frequency: int
    A: ComplexArray
    B: ComplexArray

    def coefficients(self, p: int) -> ComplexArray:
        """Return the waveform ``(p, D + 1)`` for every d."""
        j = np.arange(self.A.size)
        turn = np.exp(2j * np.pi / p * (np.outer(np.arange(p), j * self.frequency) % p))
        return np.asarray(self.A * turn + self.B)

    @property
    def parameters(self) -> int:
        """How many real numbers it holds, with the frequency: κ, and two complex numbers for every wave that is
        kept.
        """
        return 2 + 4 * int(((self.A[1:] != 0) | (self.B[1:] != 0)).sum())


def waveform_clusters(form: AmplitudePhaseForm, members: IntArray, count: int) -> list[IntArray]:
    """Split neurons into at most ``count`` clusters of similar waveform (e_A, e_B, s_A, s_B, κ), weighted k-means.

    Deterministic: it starts from the weighted mean and then the neuron worst served, one after another. Silent neurons
    are left out.
    """
    members = members[form.weights[members] > 0]
    w = form.weights[members]
    numbers = [form.e_A, form.e_B, form.s_A, form.s_B, form.kappa.astype(np.complex128)]
    points = np.stack([part for x in numbers for part in (x[members].real, x[members].imag)], axis=1)
    centres = (w @ points / w.sum())[None, :]
    label = np.zeros(members.size, dtype=np.int64)
    for _ in range(count - 1):
        cost = w * ((points - centres[label]) ** 2).sum(axis=1)
        centres = np.concatenate([centres, points[np.argmax(cost)][None, :]])
        for _ in range(KMEANS_STEPS):
            label = ((points[:, None, :] - centres) ** 2).sum(axis=2).argmin(axis=1)
            for cluster in np.unique(label):
                mine = label == cluster
                centres[cluster] = w[mine] @ points[mine] / w[mine].sum()
    return [members[label == cluster] for cluster in np.unique(label)]


def group_waves(
    circuit: Circuit, form: AmplitudePhaseForm, k: int, members: IntArray, degree: int
) -> GroupWaves:
    """Return the weighted mean waveform of neurons with key frequency k, its waves locked at φ, 2φ, …, Dφ."""
    p = circuit.p
    # beyond half of the order of k the waves repeat
    degree = min(degree, (p // gcd(p, k) - 1) // 2)
    share = form.weights[members] / form.weights[members].sum()
    waves = np.zeros((2, max(degree, 1) + 1), dtype=np.complex128)
    waves[1, 0] = share @ form.kappa[members]
    waves[:, 1] = share @ form.e_A[members], share @ form.e_B[members]
    share = share / form.r[members]
    for j in range(2, degree + 1):
        unlock = share * np.exp(-1j * j * form.phi[members])
        factor = float(secondary_wave_factor(p, np.array([k]))[0]) if j == 2 else 2.0
        row = np.exp(-2j * np.pi / p * (np.arange(p) * j * k % p)) / p
        pair = [factor * (row @ table[:, members]) @ unlock for table in (circuit.A, circuit.B)]
        if np.hypot(*np.abs(pair)) >= SMALLEST_WAVE:
            waves[:, j] = pair
    return GroupWaves(frequency=k, A=waves[0], B=waves[1])
