"""The method ``rectangle``: how far each frequency group's sum over neurons is from the integral, by rectangles.

The paper's kind of bound. It looks at the amplitude–phase form only (phases φ, output phases ψ, weights ``r u``), costs
O(n log n) after the transform of the tables, and says nothing about single inputs; ``linear`` does.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict

from quadlens.certificates.certificate import Certificate
from quadlens.certificates.digest import network_digest
from quadlens.certificates.operations import brute_force_operations, transform_operations
from quadlens.circuits.circuit import Circuit
from quadlens.errors import CertificateError
from quadlens.form.amplitude_phase import fit
from quadlens.quadrature.rectangles import rectangle_bounds


def certify_rectangle(circuit: Circuit, *, progress: Callable[[float], None] | None = None) -> Certificate:
    """Bound every group's error against the integral, relative to the target's amplitude; below 1 is non-vacuous.

    The bounds are proved for the rule with the fitted nodes and weights as float64 numbers
    (``quadlens.quadrature.rectangles``);
    that the MLP is this rule, up to the terms of the error decomposition, is measured and not part of the proof.

    Raises
    ------
    CertificateError
        If the activation is not ReLU, or no neuron carries a wave.
    """
    if circuit.activation != "relu":
        raise CertificateError(f"rectangle is about ReLU; the network has {circuit.activation}")
    start = time.perf_counter()
    form = fit(circuit)
    groups = [group for group in form.groups if group.weight > 0]
    if not groups:
        raise CertificateError("no neuron carries a wave from input to output, so there is no rule to bound")
    weight = sum(group.weight for group in groups)
    frequencies = []
    operations = 3 * circuit.neurons * transform_operations(circuit.p)  # of A, B and U
    for number, group in enumerate(groups):
        members = group.members
        bounds = rectangle_bounds(form.phi[members], form.psi[members], form.weights[members])
        share = float(group.weight / weight)
        frequencies.append({"frequency": group.frequency, "share": share, **asdict(bounds)})
        # four sorts of at most 2n numbers, and about forty operations on each neuron
        operations += members.size * (40 + 8 * math.ceil(math.log2(2 * members.size)))
        if progress is not None:
            progress((number + 1) / len(groups))
    worst = max(frequencies, key=lambda record: record["total"])
    blame: tuple[str, ...] = ()
    if worst["total"] >= 1:
        larger = "the cells" if worst["total"] - worst["phase_mismatch"] > worst["phase_mismatch"] else "phase mismatch"
        blame = (f"frequency {worst['frequency']} has a vacuous bound of {worst['total']:.3g}, mostly from {larger}",)
    return Certificate(
        method="rectangle",
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=network_digest(circuit),
        arithmetic="float64 with a-priori rounding terms, rounded up, for the fitted nodes and weights",
        operations=operations,
        brute_force_operations=brute_force_operations(circuit),
        seconds=time.perf_counter() - start,
        frequencies=tuple(frequencies),
        blame=blame,
    )
