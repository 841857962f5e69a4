r"""The method ``mlp``: how far the MLP is from its integrals, proved in time linear in the parameters.

docs/certificates.md, "The MLP's error". Nothing is said about inputs being right; ``linear`` does that.
"""

from collections.abc import Callable
from typing import Any

from quadlens.certificates.inequality.evaluate import ARITHMETIC, refusal
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.mlp.measured import Measured, measure
from quadlens.certificates.mlp.prove import MlpBound, budget_of, prove
from quadlens.certificates.record.certificate import RULE, Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.decomposition.ideals import integral_ideal
from quadlens.decomposition.rule_errors import rule_error
from quadlens.form.amplitude_phase import AmplitudePhaseForm, fit


def certify_mlp(circuit: Circuit, *, progress: Callable[[float], None] | None = None) -> Certificate:
    """Bound the distance of the MLP, without the skip path, from its refined and from its pure integrals.

    Relative to the ideal's own norm, over all p² inputs and p logits: in L2 and sup norm, by frequency and by class.
    For one kink (ReLU, |x|); refused, with the reason, for another activation.

    Raises
    ------
    CircuitError
        If no frequency carries a wave, so that there is no integral to compare with.
    """
    return certificate_of("mlp", circuit, lambda: _prove(circuit, progress or (lambda done: None)))


def _prove(circuit: Circuit, report: Callable[[float], None]) -> Proof:
    size = sizes(circuit)
    reason = refusal(circuit, size)
    if reason is not None:
        return Proof(arithmetic=ARITHMETIC, refusal=f"{reason.split('; use ')[0]}; no other method bounds the MLP")
    form = fit(circuit)
    ideals = (integral_ideal(form), integral_ideal(form, pure=True))
    found = prove(circuit, size, ideals, budget_of(circuit.p), lambda done: report(0.8 * done))
    measured = measure(circuit, ideals)
    records = tuple(_record(bound, own) for bound, own in zip(found.bounds, measured, strict=True))
    first = records[0]
    frequencies = [dict(one) | _rule(form, one["frequency"]) for one in first["frequencies"]]
    blame: tuple[str, ...] = ()
    if first["relative_error_bound"] >= 1:
        largest = max(first["terms"], key=lambda term: term["value"])
        blame = (f"the bound is vacuous, mostly from the term {largest['term']}",)
    report(1.0)
    return Proof(
        arithmetic=ARITHMETIC,
        operations=found.operations,
        prover={key: value for key, value in found.plan.to_dict().items() if key != "head"},
        frequencies=tuple(frequencies),
        ideals=records,
        blame=blame,
    )


def _record(bound: MlpBound, measured: Measured) -> dict[str, Any]:
    at = dict(zip(bound.ideal.frequencies, measured.frequencies, strict=True))
    return {
        "name": bound.ideal.name,
        "numbers": bound.ideal.numbers,
        "relative_error_bound": bound.l2,
        "sup_error_bound": bound.largest,
        "relative_error_measured": measured.relative_l2,
        "inputs_measured": measured.inputs,
        "classes": bound.classes.tolist(),
        "frequencies": [{"frequency": z, "bound": value, "measured": at[z]} for z, value in bound.frequencies],
        "terms": [{"term": name, "value": value} for name, value in bound.terms.items()],
    }


def _rule(form: AmplitudePhaseForm, frequency: int) -> dict[str, float | None]:
    """Return what is known of the frequency's fitted rule, not of the MLP."""
    (group,) = (group for group in form.groups if group.frequency == frequency)
    found = rule_error(form, group)
    beside: dict[str, float | None] = {} if found is None else found.beside()
    return {key: beside.get(key) for key in RULE}
