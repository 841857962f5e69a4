"""Claims in words: what a certificate, a decomposition or a check says, about which network, over which outputs.

Every sentence that states a result is made here, from the numbers themselves, and the tests hold each against networks
on which it would be false. A bound is rounded to its safe side; what is measured or estimated is called so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quadlens.circuits.provenance import ADDITION
from quadlens.digits import at_least, at_most, below_one, in_place_of, number, percent, percent_at_least

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from quadlens.certificates.check import CheckResult
    from quadlens.certificates.record.certificate import Certificate
    from quadlens.circuits.circuit import Circuit
    from quadlens.circuits.forward import Evaluation
    from quadlens.circuits.provenance import LeftOut, Provenance
    from quadlens.decomposition.ladder import ErrorDecomposition
    from quadlens.quadrature.certifying_width import CertifyingWidths

WHAT_METHODS_DO = {
    "linear": "a margin for each class a − b, from sums over the weights, in time linear in their number; ReLU and |x|",
    "adaptive": "the same, then single answers: decides every input, finds the smallest margin; ReLU and |x|",
    "smooth": "a margin for each class as linear, each neuron evaluated at each input: O(p²n); GELU, SiLU, tanh, sin",
    "brute-force": "all inputs in float64 with proved rounding; every activation",
    "exact": "all inputs in integers; ReLU, |x| and x²",
    "rectangle": "of each frequency's fitted rule, not of the MLP: its distance from the integral; ReLU",
    "mlp": "how far the MLP is from its integrals, in linear time; no input is certified; ReLU and |x|",
    "interval": "naive interval propagation, for comparison; ReLU, |x| and x²",
}
"""What each method proves, and for which activations."""

FLOAT32_EVALUATIONS = {
    "weights": "every evaluation of the stored weights layer by layer, in every order of summation,",
    "tables": "every evaluation of the tables, which are what is stored, in every order of summation,",
}
"""What the float32 line speaks of; docs/proved.md says the rest."""

RULES = (
    "Error of each frequency's fitted rule (nodes φ, output phases ψ, weights r u) against the pure pizza's integral, "
    "over the target's amplitude (predicting 0: 1). It is the rule's error, not the MLP's. Proved bounds, rounded up; "
    "share and actual are measured"
)
"""The title of ``rectangle``'s table."""

IDEALS = "The MLP's distance from its integrals over all inputs and logits, relative to their norm"
TERMS = "What the proved distance is made of"
VACUOUS = "vacuous: 0 in place of the MLP has 1"
PARTS = (
    "The MLP at each frequency, relative to the refined integral there; beside it the fitted rule's distance from the "
    "pure pizza's integral, which is not the MLP's"
)

CALLED_A_RULE, CALLED_PARTLY = 0.9, 0.5
"""From which measured R² the refined limit is said to reproduce the MLP's logits, or part of them."""


def verdict(certificate: Certificate) -> str:
    """Return the result in a line: ``certified``, ``not certified``, ``refused`` or (``mlp``) ``proved``."""
    if certificate.refusal is not None:
        return f"refused: {certificate.refusal}"
    if certificate.ideals is not None:
        return mlp(certificate)
    if certificate.frequencies is not None:
        return f"not certified: {rules(certificate.frequencies)}"
    inputs = certificate.p * certificate.p
    if certificate.certified:
        return f"certified: all {inputs} inputs are right, {margin(certificate)}{about(certificate)}"
    proved = f"not certified: {certificate.certified_inputs} of {inputs} inputs proved right"
    wrong = certificate.misclassified_count
    left = inputs - certificate.certified_inputs - (wrong or 0)
    if wrong is not None:
        proved += f", {wrong} proved wrong"
    return f"{proved}{f', {left} not decided' if left else ''}{about(certificate)}"


def margin(certificate: Certificate) -> str:
    """Return what is proved of the smallest margin of a certificate whose inputs are all right."""
    least = certificate.margin_lower_bound
    if least is None or least <= 0:
        return "every margin above 0"
    return f"margin at least {at_least(least, 6)}"


def rules(frequencies: Sequence[Mapping[str, Any]]) -> str:
    """Return what ``rectangle`` proves: of the fitted rule of each frequency, and of nothing else."""
    main = main_rules(frequencies)
    worst = max(main, key=lambda record: float(record["total"]))
    word = "non-vacuous" if worst["total"] < 1 else "vacuous: predicting 0 has 1"
    every = "the fitted rule of the one frequency" if len(main) == 1 else f"the fitted rules of {len(main)} frequencies"
    return (
        f"rectangle bounds {every}, not the MLP and no input: each within {at_most(worst['total'], 4)} of the integral,"
        f" relative to the target's amplitude ({word}){_by_arcs(main)}"
    )


def _by_arcs(main: Sequence[Mapping[str, Any]]) -> str:
    bounds = [float(record["arcs_bound"]) for record in main if "arcs_bound" in record]
    if not bounds:
        return ""
    return f"; by exact arcs, each within {at_most(max(bounds), 4)}{'' if max(bounds) < 1 else ' (vacuous)'}"


def mlp(certificate: Certificate) -> str:
    """Return what ``mlp`` proves: of the MLP without its skip path, against the refined integrals, and of no input."""
    head = "proved" if _first(certificate)["relative_error_bound"] < 1 else f"not certified ({VACUOUS})"
    claim = _distance(certificate, "the MLP's logits")
    return f"{head}: {claim}; the skip path is no part of it, and no input is certified{about(certificate)}"


def mlp_opening(name: str, certificate: Certificate) -> str:
    """Return the report's first sentence: what ``mlp`` proves of the network called ``name``, or that it is vacuous."""
    claim = f"{_distance(certificate, f'the logits of the MLP of {name}')}, the skip path left out{about(certificate)}."
    if _first(certificate)["relative_error_bound"] < 1:
        return f"From its weights, in time linear in their number, proved: {claim}"
    return f"From its weights nothing of use is proved ({VACUOUS}): {claim}"


def _first(certificate: Certificate) -> Mapping[str, Any]:
    return (certificate.ideals or ())[0]


def _distance(certificate: Certificate, logits: str) -> str:
    first, p = _first(certificate), certificate.p
    count, inputs = len(first["numbers"]), first["inputs_measured"]
    integrals = "one integral" if count == 1 else f"{count} integrals"
    over = "all of them" if inputs == p * p else f"{inputs:,} of them: all b for some a, drawn at random"
    return (
        f"{logits}, less their mean over c, are within {at_most(first['relative_error_bound'])} of "
        f"{integrals}, in L2 over all {p * p:,} inputs and {p} logits, relative to the integrals' own norm (measured "
        f"over {over}: {number(first['relative_error_measured'])})"
    )


def mlp_number(certificate: Certificate) -> tuple[str, str]:
    """Return the proved distance of the MLP from its integrals, and what it is; for a certificate of ``mlp``."""
    first = _first(certificate)
    vacuous = "" if first["relative_error_bound"] < 1 else f"; {VACUOUS}"
    return (
        at_most(first["relative_error_bound"]),
        f"of the integrals' norm: so far at most are the MLP's logits, less their mean over c and without skip path, "
        f"from {len(first['numbers'])} integral{'' if len(first['numbers']) == 1 else 's'}, L2 over all inputs (proved "
        f"from the weights in linear time{vacuous}; measured: {number(first['relative_error_measured'])})",
    )


def main_rules(frequencies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the records of the frequencies that a sentence counts, the heaviest one at least."""
    from quadlens.form.amplitude_phase import NEGLIGIBLE_SHARE

    main = [record for record in frequencies if record["share"] >= NEGLIGIBLE_SHARE]
    return main or [max(frequencies, key=lambda record: float(record["share"]))]


def about(certificate: Certificate) -> str:
    """Return, in brackets, how the certified network differs from the one in the file; nothing where it is that one."""
    parts = [] if certificate.provenance is None else departures(certificate.provenance, certificate.p)
    return f" ({'; '.join(parts)})" if parts else ""


def departures(provenance: Provenance, p: int) -> list[str]:
    """Return a phrase for each way in which a circuit is not the network in its file, over all its outputs."""
    parts = []
    if provenance.task != ADDITION:
        parts.append(f"for {provenance.task} mod {p}")
    if provenance.frozen is not None:
        parts.append("of the network with its attention frozen, not of the one in the file")
    if provenance.changed:
        parts.append("of the network as it was changed in memory, not of the one that was read")
    if provenance.left_out is not None:
        parts.append(f"over the {p} residues only: {left_out(provenance.left_out, p)}")
    return parts


def left_out(outputs: LeftOut, p: int) -> str:
    """Return which outputs of the file are no part of the claim, and on how many inputs they would win."""
    names = " and ".join(f'"{name}"' for name in outputs.names)
    is_or_are = "is" if len(outputs.names) == 1 else "are"
    if outputs.largest_on is None:
        return f"the file's output {names} {is_or_are} left out, and whether it is ever the largest was not measured"
    on = "no input" if outputs.largest_on == 0 else f"{outputs.largest_on:,} of all {p * p:,} inputs"
    return f"the file's output {names} {is_or_are} left out, largest on {on} (measured)"


def origin(circuit: Circuit) -> list[tuple[str, str]]:
    """Return (what, in words) for all that a file said, and all that was assumed, left out or frozen."""
    provenance = circuit.provenance
    facts = [(setting, said) for setting, said in provenance.said.items()]
    facts += [("assumed", sentence) for sentence in provenance.assumed]
    facts += [("changed", sentence) for sentence in provenance.changed]
    facts += [("these claims are", departure) for departure in departures(provenance, circuit.p)]
    if provenance.frozen is not None:
        frozen = provenance.frozen
        moved = frozen.attention_change
        weight = "" if moved is None else f"an attention weight by up to {at_most(moved)}, "
        facts.append(
            (
                "freezing attention moved",
                f"a logit by up to {at_most(frozen.logit_change)}, {weight}"
                f"the accuracy from {percent(frozen.accuracy_before)} to "
                f"{percent(frozen.accuracy_after)} (measured over all {frozen.inputs:,} inputs)",
            )
        )
    return facts


def float32(certificate: Certificate) -> str:
    """Return whether every float32 evaluation order gives the same predictions, in one line."""
    error, least = certificate.float32_error, certificate.margin_lower_bound
    if error is None or certificate.float32_evaluation is None:
        return "float32: not examined"
    off = f"a margin's rounding error is at most {at_most(error, 4)}"
    if not certificate.certified or least is None or not least > error:
        return f"float32: not known ({off}, which the proved margin does not exceed)"
    return f"float32: {FLOAT32_EVALUATIONS[certificate.float32_evaluation]} predicts the same, and right ({off})"


def cost(certificate: Certificate) -> str:
    """Return what a proof cost, and how its rounding was handled."""
    counted = f"{number(certificate.operations)} operations counted"
    if certificate.classes:
        counted += f", {number(certificate.operations / certificate.brute_force_operations)} of brute force"
    return f"{counted}; {certificate.seconds:.2f} s; {certificate.arithmetic}"


def checked(certificate: Certificate, result: CheckResult) -> str:
    """Return what a check found, first of all whether it accepts, and only then what the file claims."""
    if result.accepted:
        return f"accepted: {verdict(certificate)}"
    return f"refused: {result.reasons[0]}. (The file's claim, which is not accepted, was: {verdict(certificate)})"


def instead_of(passed_over: Sequence[tuple[str, str]], method: str) -> str:
    """Return why another method than the first one answers."""
    # a reason may end in advice to use what has answered here
    reasons = "; ".join(f"{name}: {reason.split('; use ')[0]}" for name, reason in passed_over)
    return f"Answered by {method}. Tried as well, without deciding every input: {reasons}."


def solves(
    name: str, circuit: Circuit, evaluation: Evaluation | None, whole: Certificate | None
) -> str:
    """Return the headline's first half: on how many inputs the network is right, and what of that is proved."""
    p, provenance, subject = circuit.p, circuit.provenance, name
    if provenance.frozen is not None:
        before = percent(provenance.frozen.accuracy_before)
        subject += f" with its attention frozen (another network than the one in the file, which is right on {before})"
    if provenance.changed:
        subject += ", as it was changed in memory (another network than the one that was read),"
    if provenance.left_out is not None:
        subject += f", over the {p} residues only ({left_out(provenance.left_out, p)}),"
    if evaluation is None:
        return f"{subject} (p = {p}) is too large to run on all {p * p:,} inputs, so its accuracy is not measured"
    if evaluation.accuracy == 1:
        proof = "" if whole is None else f"{_proved(whole)}; "
        return (
            f"{subject} {_answers(provenance.task)} modulo {p} without an error on all {evaluation.inputs:,} inputs "
            f"({proof}smallest margin measured: {number(evaluation.min_margin, 4)} logits)"
        )
    return (
        f"{subject} does not solve {_task(provenance.task)} modulo {p}: it is right on {percent(evaluation.accuracy)} "
        f"of {evaluation.inputs:,} inputs, measured (guessing: {percent(1 / p)})"
    )


def _answers(task: str) -> str:
    return "adds" if task == ADDITION else f"answers {task}"


def _task(task: str) -> str:
    return "addition" if task == ADDITION else task


def _proved(whole: Certificate) -> str:
    cheap = ""
    if whole.operations < whole.brute_force_operations:
        cheap = f" at 1/{in_place_of(whole.brute_force_operations, whole.operations)} of the operations of running them"
    return f"proved by {whole.method}{cheap}, every {margin(whole)}"


def compressed(result: ErrorDecomposition) -> str:
    """Return how far the refined limit of the main groups goes; see ``known_how``."""
    far = result.ideal_relative_l2
    error = number(far, 2) if result.whole else f"at most {at_most(far, 2)}"
    return (
        f"{result.ideal_parameters:,} numbers in place of the MLP's {result.mlp_parameters:,} give its logits, less "
        f"their mean over c, to a relative error of {error}"
    )


def known_how(result: ErrorDecomposition) -> str:
    """Return how a ladder's distances are known: measured, or proved from above."""
    return "measured over all inputs and logits" if result.whole else "proved: no less, over all inputs and logits"


def ideal_r_squared(result: ErrorDecomposition) -> str:
    """Return the R² of the refined limit of the main groups, to the nearest or from below."""
    r2 = result.ideal_r_squared
    return f"R² {r_squared(r2)}" if result.whole else f"R² at least {at_least(r2, 3)}"


def evaluated(result: ErrorDecomposition) -> str:
    """Return which numbers of a ladder are values and which are bounds."""
    half = result.p // 2
    if result.whole:
        return "Every number is the value itself, to rounding: all inputs and output frequencies are evaluated."
    counted = result.inputs_counted or result.p**2
    return (
        f"The steps after the first are evaluated on all inputs. The first, and with it every distance to the exact "
        f"MLP, is evaluated at {result.output_frequencies:,} of {half:,} output frequencies, and the rest is bounded: "
        f"terms are no smaller than shown and no larger than their bounds, distances no larger than shown. "
        f"Accuracies are those on {counted:,} inputs{'' if counted == result.p**2 else ' drawn at random'}."
    )


def reads(result: ErrorDecomposition, frequencies: str, *, solves: bool, locked: bool) -> str:
    """Return the headline's second half: how far integrals at ``frequencies`` read the MLP, measured."""
    r2, how_known = result.ideal_r_squared, "measured" if result.whole else "proved"
    fit = ideal_r_squared(result)
    if r2 >= CALLED_A_RULE and locked:
        return (
            f"{', and' if solves else '; still,'} its MLP is a quadrature rule in what is {how_known} ({fit}, at least "
            f"{CALLED_A_RULE:g}): integrals at {frequencies} with {compressed(result)}."
        )
    if r2 >= CALLED_PARTLY:
        return (
            f"{', and' if solves else ';'} its MLP is only partly a quadrature rule: integrals at {frequencies} "
            f"account for {fit} of its logits ({how_known}), and the rest is listed below."
        )
    if not result.whole:
        return f"{', but' if solves else ', and'} the quadrature reading is not shown: of integrals, {fit} is proved."
    how = "leave most of its logits unexplained" if r2 > 0 else "explain nothing of it"
    return (
        f"{', but' if solves else ', and'} the quadrature reading fails: integrals at {frequencies} {how} "
        f"({fit}, measured)."
    )


def widths(found: CertifyingWidths) -> str:
    """Return from which width a rule would do: proved for even phases, estimated for random ones; of the pure pizza."""
    if found.even is None or found.random is None:
        return "The pure pizza's integrals leave inputs undecided here: no width certifies."
    return (
        f"While every group's fitted rule is off by less than {at_least(found.tolerance, 2)}, no wrong answer of the "
        f"pure pizza wins: evenly spaced phases are proved to reach that from {found.even:,} neurons a group; 95 % of "
        f"random ones, it is estimated, from about {found.random.value:,.0f} ({found.random.low:,.0f} to "
        f"{found.random.high:,.0f})."
    )


def r_squared(value: float) -> str:
    """Return ``= 0.998``, or ``> 0.999`` where three decimals would round up to 1."""
    shown = below_one(value, 3)
    return shown if shown.startswith(">") else f"= {shown}"


def inputs_right(certificate: Certificate) -> tuple[str, str]:
    """Return the share of inputs proved right, rounded down, and what it is."""
    return percent_at_least(certificate.certified_accuracy), f"of inputs proved right ({certificate.method})"
