"""The method ``rectangle``: how far the fitted rule of each frequency is from the pure pizza's integral, by rectangles
and by exact arcs.

The rule is what the amplitude–phase form makes of a group (phases φ, output phases ψ, weights ``r u``): its neurons as
pure waves. The network's MLP is another thing, and may be further from the integral than any of these bounds; how far
it is, ``decompose`` measures. Cost O(n log n) after the transform of the tables. Nothing is said about inputs;
``linear`` does that.
"""

from collections.abc import Callable

from quadlens.certificates.inequality.operations import transform_operations
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.record.certificate import Certificate
from quadlens.certificates.record.words import main_rules
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.rule_errors import rule_error
from quadlens.digits import at_most
from quadlens.errors import CertificateError
from quadlens.form.amplitude_phase import fit


def certify_rectangle(circuit: Circuit, *, progress: Callable[[float], None] | None = None) -> Certificate:
    """Bound the error of every frequency's fitted rule, relative to the target's amplitude; below 1 is non-vacuous.

    The bounds are proved for the rule with the fitted nodes and weights as float64 numbers
    (``quadlens.quadrature.rectangles``, ``quadlens.quadrature.arcs``). They are no bounds on the MLP, which differs
    from the rule by the other terms of the error decomposition.

    Raises
    ------
    CertificateError
        If the activation is not ReLU, or no neuron carries a wave.
    """
    if circuit.activation != "relu":
        raise CertificateError(f"rectangle is about ReLU; the network has {circuit.activation}")
    return certificate_of("rectangle", circuit, lambda: _prove(circuit, progress or (lambda done: None)))


def _prove(circuit: Circuit, report: Callable[[float], None]) -> Proof:
    form = fit(circuit)
    groups = [group for group in form.groups if group.weight > 0]
    if not groups:
        raise CertificateError("no neuron carries a wave from input to output, so there is no rule to bound")
    frequencies = []
    operations = 3 * circuit.neurons * transform_operations(circuit.p)  # of A, B and U
    for number, group in enumerate(groups):
        found = rule_error(form, group)
        if found is not None:
            frequencies.append(found.to_dict())
            operations += found.rectangle_operations + found.arcs.operations
        report((number + 1) / len(groups))
    worst = max(main_rules(frequencies), key=lambda record: float(record["total"]))
    blame: tuple[str, ...] = ()
    if worst["total"] >= 1:
        larger = "the cells" if worst["total"] - worst["phase_mismatch"] > worst["phase_mismatch"] else "phase mismatch"
        bound = at_most(worst["total"])
        blame = (f"frequency {worst['frequency']} has a vacuous bound of {bound}, mostly from {larger}",)
    return Proof(
        arithmetic="float64 with a-priori rounding terms, rounded up, for the fitted nodes and weights",
        operations=operations,
        frequencies=tuple(frequencies),
        blame=blame,
    )
