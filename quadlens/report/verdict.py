"""What the report says in words: one sentence of verdict, the key numbers, and what is not explained."""

import os
from collections.abc import Sequence
from pathlib import Path

from quadlens.certificates.record import words as claims_in_words
from quadlens.digits import at_least, at_most, below_one, in_place_of, number, percent
from quadlens.form.amplitude_phase import FrequencyGroup
from quadlens.report.analysis import Analysis
from quadlens.untrusted_text import one_line

MOST_NAMED = 6


def verdict(analysis: Analysis) -> str:
    """Return the one sentence on what the network does, and what its MLP is."""
    whole = analysis.proofs.cheapest_whole
    does = claims_in_words.solves(analysis.name, analysis.circuit, analysis.evaluation, whole)
    return f"{does}{_is(analysis)}"


def opening(analysis: Analysis) -> str:
    """Return the report's first sentence: how far the MLP is from its integrals, proved; nothing where that is not had.
    """
    return "" if analysis.distance is None else claims_in_words.mlp_opening(analysis.name, analysis.distance)


def _is(analysis: Analysis) -> str:
    result = analysis.decomposition
    frequencies = frequencies_in_words(analysis)
    if result is None:
        return f"; its neurons fall into groups at {frequencies}."
    solves = analysis.evaluation is not None and analysis.evaluation.accuracy == 1
    unlocked = sum(group.weight for group in analysis.unlocked) / analysis.total_weight
    return claims_in_words.reads(result, frequencies, solves=solves, locked=unlocked < 0.5)


def frequencies_in_words(analysis: Analysis) -> str:
    """Name the key frequencies, or count them where they are many."""
    groups = [group.frequency for group in analysis.main_groups]
    if not groups:
        return "no frequency (every neuron is silent)"
    if len(groups) > MOST_NAMED:
        return f"{len(groups)} frequencies"
    return f"{'frequency' if len(groups) == 1 else 'the frequencies'} {listed(groups)}"


def listed(items: Sequence[object]) -> str:
    """Return ``1, 2 and 3``."""
    texts = [str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def source_name(source: str) -> str:
    """Return where a network comes from without the folders of this machine: a report is sent around."""
    path, bracket, rest = source.partition(" (")
    named = path if os.path.exists(path) or not os.path.exists(source) else source
    if named == source:
        path, bracket, rest = source, "", ""
    return one_line((Path(path).name if os.path.isabs(path) or os.path.exists(path) else path) + bracket + rest, 300)


def key_numbers(analysis: Analysis) -> list[tuple[str, str]]:
    """Return (value, what it is) for the numbers on top of the page; first, in linear time, the proved distance."""
    numbers = []
    if analysis.distance is not None and analysis.distance.relative_error_bound is not None:
        numbers.append(claims_in_words.mlp_number(analysis.distance))
    if analysis.evaluation is not None:
        e = analysis.evaluation
        numbers.append((percent(e.accuracy), f"of {e.inputs:,} inputs right (measured)"))
        numbers.append((number(e.min_margin, 4), "smallest margin, logits (measured)"))
    alive = [group.frequency for group in analysis.main_groups]
    numbers.append((listed(alive) if 0 < len(alive) <= 4 else str(len(alive)), "key frequencies"))
    if analysis.decomposition is not None:
        result = analysis.decomposition
        r2 = result.ideal_r_squared
        shown, how = (below_one(r2), "measured") if result.whole else (at_least(r2, 4), "at least: proved")
        numbers.append((shown, f"R² of the integrals, of the MLP's logits ({how})"))
        numbers.append((f"{result.mlp_parameters:,} → {result.ideal_parameters:,}", "numbers, MLP → integrals"))
    bounds = [analysis.rectangles[k].total for k in alive if k in analysis.rectangles]
    if bounds:
        kind = "non-vacuous" if max(bounds) < 1 else "vacuous: 1 is the error of predicting nothing"
        what = f"largest error of a key frequency's fitted rule, not of the MLP (proved by rectangles; {kind})"
        numbers.append((at_most(max(bounds)), what))
        numbers.append((at_most(max(analysis.main_arcs)), "the same error, proved by exact arcs"))
    best, whole = analysis.proofs.best, analysis.proofs.cheapest_whole
    if best is not None and best.certified and best.margin_lower_bound is not None:
        what = f"margin on every input, at least (proved; {best.method})"
        numbers.append((at_least(best.margin_lower_bound, 4), what))
    elif best is not None:
        numbers.append(claims_in_words.inputs_right(best))
    if (
        whole is not None
        and whole.margin_lower_bound is not None
        and whole.operations < whole.brute_force_operations
    ):
        margin = at_least(whole.margin_lower_bound, 4)
        share = in_place_of(whole.brute_force_operations, whole.operations)
        what = f"of brute force's operations prove all inputs right, margin at least {margin} ({whole.method})"
        numbers.append((f"1/{share}", what))
    return numbers


def unexplained(analysis: Analysis) -> list[str]:
    """Return sentences on what the lens leaves open for this network."""
    sentences = []
    result, total = analysis.decomposition, analysis.total_weight
    if result is not None:
        refined = result.stages[4]
        before = result.terms[:5]
        largest = max(before, key=lambda term: term.relative_l2)
        left, name = 100 * refined.relative_l2_to_exact**2, largest.name.replace("_", " ")
        if result.whole:
            sentences.append(
                f"The integrals leave {number(left)} % of the variance of the MLP's logits (measured); the largest of "
                f"the five steps to them is {name} (relative L2 {number(largest.relative_l2)})."
            )
        else:
            sentences.append(
                f"The integrals leave at most {at_most(left)} % of the variance of the MLP's logits (proved); of the "
                f"five steps to them {name} is at least {at_least(largest.relative_l2, 3)} (relative L2)."
            )
        counted = result.inputs_counted or result.p**2
        of = "the inputs" if counted == result.p**2 else f"{counted:,} inputs drawn at random"
        sentences.append(
            f"Without the skip path the exact MLP answers {percent(result.exact_accuracy)} of {of} right, the "
            f"integrals {percent(refined.accuracy)} (the lens has a + b built in, so that alone is no evidence for it)."
        )
    unlocked = [group for group in analysis.unlocked if group in analysis.main_groups]
    for group in unlocked[:MOST_NAMED]:
        sentences.append(
            f"The group at k = {group.frequency} ({_count(group.members.size)}, "
            f"{100 * group.weight / total:.1f} % of the weight) is not locked: {_test_in_words(analysis, group)}."
        )
    if len(unlocked) > MOST_NAMED:
        sentences.append(f"{len(unlocked) - MOST_NAMED} more groups are not locked; the table lists them.")
    small = [group for group in analysis.form.groups if group not in analysis.main_groups and group.weight > 0]
    if small:
        neurons, share = sum(group.members.size for group in small), sum(group.weight for group in small) / total
        sentences.append(
            f"{_count(neurons)} at {'one other frequency' if len(small) == 1 else f'{len(small)} other frequencies'} "
            f"(k = {listed([group.frequency for group in small])}) hold{'s' if neurons == 1 else ''} "
            f"{100 * share:.2g} % of the weight; the tables list all of them."
        )
    silent = int((analysis.form.r == 0).sum())
    if silent:
        sentences.append(f"{_count(silent)} of {analysis.circuit.neurons} are silent: no wave at any frequency.")
    main = [group.frequency for group in analysis.main_groups]
    vacuous = [k for k, bound in analysis.rectangles.items() if bound.total >= 1 and k in main]
    if vacuous:
        named = f"k = {listed(vacuous)}" if len(vacuous) <= MOST_NAMED else f"{len(vacuous)} frequencies"
        arcs = [rule.arcs.relative for rule in analysis.rules if rule.frequency in vacuous]
        sentences.append(
            f"The rectangle bound on the fitted rule is vacuous (at least 1) at {named}; by exact arcs the rule is "
            f"within {at_most(max(arcs))}."
        )
    for certificate in analysis.proofs.certificates:
        if certificate.method == "linear" and not certificate.certified and certificate.blame:
            whole = sum(bound.margin_lower_bound > 0 for bound in certificate.classes)
            sentences.append(f"The method linear certifies {whole} of {certificate.p} classes; {certificate.blame[0]}.")
    skip = analysis.skip_std
    if skip > 0:
        beside = "" if analysis.evaluation is None else f", beside {analysis.evaluation.logit_std:.3g} for all logits"
        sentences.append(
            f"The skip path is no part of the lens: it adds logits of standard deviation {skip:.3g}{beside}."
        )
    return sentences


def _test_in_words(analysis: Analysis, group: FrequencyGroup) -> str:
    """Return what the test of ψ = 2φ found for a group that fails it, without what its sentence has said already."""
    (tested,) = [tested for tested in analysis.locking.groups if tested.frequency == group.frequency]
    return tested.verdict.split(": ", 1)[1].removeprefix("not locked at ψ = 2φ, ")


def _count(neurons: int) -> str:
    return "1 neuron" if neurons == 1 else f"{neurons} neurons"
