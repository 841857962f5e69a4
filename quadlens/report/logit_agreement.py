"""Every logit of the network's MLP beside the same logit of a limit, counted on a grid: no number is sampled away."""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import row_blocks
from quadlens.decomposition.rungs import exact_hidden, ideal_response, ideal_sum, wave_logits
from quadlens.form.amplitude_phase import AmplitudePhaseForm

BINS = 150


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogitAgreement:
    """Counts of (predicted, actual) over all inputs and logits, and the mean over the right answers alone.

    ``edges (BINS + 1,)`` serve both axes, in logits centred over c. ``counts[name] (BINS, BINS)`` has the prediction
    along its first axis; ``right[name]`` holds the same for the logit of ``a + b`` only.
    """

    edges: FloatArray
    counts: dict[str, FloatArray]
    right: dict[str, FloatArray]


def logit_agreement(circuit: Circuit, form: AmplitudePhaseForm) -> LogitAgreement:
    """Count over all p² inputs and p logits. Cost O(p³ n)."""
    p = circuit.p
    frequencies = np.array([group.frequency for group in form.groups])
    responses = {
        name: np.stack([ideal_response(form, group, pure=pure) for group in form.groups])
        for name, pure in (("refined limit", False), ("pure pizza limit", True))
    }
    blocks = []
    for rows in row_blocks(circuit):
        exact = exact_hidden(circuit, rows) @ circuit.U
        exact -= exact.mean(axis=-1, keepdims=True)
        a = np.arange(p)[rows]
        right = np.broadcast_to(((a[:, None] + np.arange(p)) % p)[..., None] == np.arange(p), exact.shape)
        predicted = {name: wave_logits(ideal_sum(z, form, rows), frequencies, p) for name, z in responses.items()}
        blocks.append((exact, right, predicted))
    low = min(float(min(exact.min(), *(x.min() for x in made.values()))) for exact, _, made in blocks)
    high = max(float(max(exact.max(), *(x.max() for x in made.values()))) for exact, _, made in blocks)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    counts = {name: np.zeros((BINS, BINS)) for name in responses}
    rights = {name: np.zeros((BINS, BINS)) for name in responses}
    for exact, right, predicted in blocks:
        for name, values in predicted.items():
            counts[name] += np.histogram2d(values.ravel(), exact.ravel(), bins=[edges, edges])[0]
            rights[name] += np.histogram2d(values[right], exact[right], bins=[edges, edges])[0]
    return LogitAgreement(edges=edges, counts=counts, right=rights)
