r"""A group's amplitude for each d = a − b: measured in the network, and in the two limits.

The network's own is the modulus of ``z_k(a, b) = Σ_{i in k} act(A[a, i] + B[b, i]) u_i e^{iψ_i}``, the group's wave in
the logits, turned to its place: in the limit ``z_k e^{2iωkb}`` depends on d alone, so its spread over b is the
network's own deviation from the lens.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import row_blocks
from quadlens.decomposition.rungs import exact_hidden, ideal_response, project
from quadlens.form.amplitude_phase import AmplitudePhaseForm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupAmplitude:
    """Amplitudes in logits for d = 0 … p − 1, each of shape (p,).

    ``mean`` is the modulus of the mean over b of the turned wave, ``smallest`` and ``largest`` are over b; ``refined``
    and ``pure`` are the two limits.
    """

    p: int
    frequency: int
    mean: FloatArray
    smallest: FloatArray
    largest: FloatArray
    refined: FloatArray
    pure: FloatArray


def group_amplitudes(circuit: Circuit, form: AmplitudePhaseForm, frequencies: tuple[int, ...]) -> list[GroupAmplitude]:
    """Measure the groups with these key frequencies over all p² inputs. Cost O(p² n) for each."""
    p, b = circuit.p, np.arange(circuit.p)
    groups = [group for group in form.groups if group.frequency in frequencies]
    places = [index for index, group in enumerate(form.groups) if group.frequency in frequencies]
    v = form.u * np.exp(1j * form.psi)
    total = np.zeros((len(groups), p), dtype=np.complex128)
    smallest, largest = np.full((len(groups), p), np.inf), np.zeros((len(groups), p))
    for rows in row_blocks(circuit):
        z = project(exact_hidden(circuit, rows), v, form)[..., places]
        d = (np.arange(p)[rows, None] - b) % p
        for index, group in enumerate(groups):
            turned = z[..., index] * np.exp(2j * form.omega * (group.frequency * b % p))
            np.add.at(total[index], d, turned)
            np.minimum.at(smallest[index], d, np.abs(turned))
            np.maximum.at(largest[index], d, np.abs(turned))
    return [
        GroupAmplitude(
            p=p,
            frequency=group.frequency,
            mean=np.abs(total[index]) / p,
            smallest=smallest[index],
            largest=largest[index],
            refined=np.abs(ideal_response(form, group)),
            pure=np.abs(ideal_response(form, group, pure=True)),
        )
        for index, group in enumerate(groups)
    ]
