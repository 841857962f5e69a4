"""``quadlens decompose``: the ladder from the exact MLP to the pure integral."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import announce, progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, print_table, say

if TYPE_CHECKING:
    from quadlens.decomposition.group_quadrature import GroupQuadrature
    from quadlens.decomposition.ladder import ErrorDecomposition
    from quadlens.form.amplitude_phase import FrequencyGroup

COLUMNS = ("rel. L2", "bound", "ratio", "largest", "bound", "ratio")


@click.command(epilog="Example: quadlens decompose --json | jq .terms")
@model_options
@json_option
def command(loaded: LoadedModel, as_json: bool) -> None:
    """Where every bit of the difference between MODEL's MLP and the integral comes from."""
    from quadlens.activations import activation_named
    from quadlens.certificates.ladder.decompose import decompose, seconds
    from quadlens.certificates.ladder.ideal_distance import MOST_INPUTS, ideal_distance
    from quadlens.certificates.record import ideal_words
    from quadlens.certificates.record import words as claims_in_words
    from quadlens.decomposition.beyond_lens import beyond_the_lens
    from quadlens.decomposition.extended_ideal import extended_ideal
    from quadlens.decomposition.group_quadrature import group_quadrature
    from quadlens.form.amplitude_phase import fit

    with progress_bar("fitting"):
        form = fit(loaded.circuit)
    announce("decomposing", seconds(loaded.circuit, form))
    with progress_bar("decomposing") as report:
        result = decompose(loaded.circuit, form, progress=report)
    extended = proved = None
    if activation_named(loaded.circuit.activation).slope_below is not None:
        with progress_bar("extending the ideal") as report:
            extended = extended_ideal(loaded.circuit, form, progress=report)
        if loaded.circuit.p**2 <= MOST_INPUTS:
            with progress_bar("proving its distance") as report:
                proved = ideal_distance(loaded.circuit, form, extended, progress=report)
    main = list(form.main_groups)
    rules = group_quadrature(form, main)
    if as_json:
        bounds = {} if proved is None else proved.to_dict()
        better = {"extended_ideal": None if extended is None else extended.to_dict() | bounds}
        rates = {"certifying_widths": None if rules is None else rules.widths.to_dict()}
        print_json(loaded.to_dict() | result.to_dict() | better | rates)
        return
    say(loaded.summary)
    _show_ladder(result, [group.frequency for group in main])
    if rules is not None:
        _show_rules(loaded.circuit.p, rules, main)
    say("")
    quality = f"{claims_in_words.ideal_r_squared(result)}, {claims_in_words.known_how(result)}"
    explain(f"{claims_in_words.compressed(result)} ({quality}).")
    if extended is not None:
        explain(ideal_words.extended(extended, proved))
        explain(ideal_words.beyond_lens(beyond_the_lens(extended.waveforms)))
    next_step(loaded.command("certify"), "decide, with proof, which inputs the whole network answers right")


def _show_ladder(result: "ErrorDecomposition", frequencies: list[int]) -> None:
    from quadlens.certificates.record import words as claims_in_words
    from quadlens.digits import at_least, at_most, below_one, percent

    def to_exact(distance: float) -> str:
        return f"{distance:.4f}" if result.whole else at_most(distance, 4)

    def explained(share: float) -> str:
        return below_one(share) if result.whole else at_least(share, 4)

    show = _beside(3)
    bounds = "each, and beside it its proved bound and their ratio"
    if result.terms[0].bound is None:
        bounds = "no bound is proved here"
    print_table(
        f"Ladder (over all inputs and logits: norm relative to the exact MLP, and largest entry; {bounds})",
        ["rung", *COLUMNS],
        (
            [
                term.name,
                *show(term.relative_l2, None if term.bound is None else term.bound.value),
                *show(term.max_abs, None if term.max_abs_bound is None else term.max_abs_bound.value),
            ]
            for term in result.terms
        ),
        note=f"The terms sum to (exact − ideal) within {at_most(result.telescoping_error, 1)} of the largest logit.",
    )
    print_table(
        f"Rungs as models of the exact MLP, without the skip path ({claims_in_words.known_how(result)})",
        ["rung", "to exact", "R²", "accuracy"],
        (
            [s.name, to_exact(s.relative_l2_to_exact), explained(s.r_squared), percent(s.accuracy)]
            for s in result.stages
        ),
        note=claims_in_words.evaluated(result),
    )
    show = _beside(2)
    print_table(
        "The ladder of each frequency by itself",
        ["k rung", *COLUMNS],
        (
            [
                f"{part.frequency} {term.name}",
                *show(part.relative_l2, part.bound),
                *show(part.max_abs, part.max_abs_bound),
            ]
            for k in frequencies
            for term in result.terms
            for part in term.frequencies
            if part.frequency == k
        ),
    )


def _beside(digits: int) -> Callable[[float, float | None], list[str]]:
    """Return what shows a measured value, its proved bound (rounded up), and the ratio of the two."""
    from quadlens.digits import at_most, number

    def show(value: float, bound: float | None) -> list[str]:
        if bound is None:
            return [number(value, digits), "—", "—"]
        return [number(value, digits), at_most(bound, digits), number(bound / value, 2) if value > 0 else "—"]

    return show


def _show_rules(p: int, rules: "GroupQuadrature", groups: "list[FrequencyGroup]") -> None:
    from math import ceil

    from quadlens.certificates.record import words as claims_in_words
    from quadlens.digits import at_most, number
    from quadlens.quadrature.designer import design, group_flatness

    rows: list[list[Any]] = []
    for group in groups:
        k = group.frequency
        if k not in rules.trained:
            continue
        point, harmonic, widths = rules.trained[k], rules.harmonics[k], rules.widths.trained
        worst = int((harmonic.bound / harmonic.target.clip(1e-300)).argmax())
        flatness = group_flatness(p, k, group.e_A, group.e_B, group.s_A, group.s_B, group.kappa)
        rows.append(
            [
                str(k),
                str(point.width),
                number(point.error, 2),
                at_most(point.bound, 2),
                str(int(harmonic.blame[worst])),
                f"{point.even_width:,}",
                f"{point.random_width:,}",
                f"{ceil(widths[k].low):,}–{ceil(widths[k].high):,}" if k in widths else "—",
                number(flatness, 2),
            ]
        )
    print_table(
        "Groups as fitted quadrature rules, pure waves in place of neurons (error relative to the pure pizza's "
        "integral: measured, and its proved bound; m: the harmonic to blame; even, random: neurons with the same "
        "error; certifies at: the width, estimated, at which the bound lets no wrong answer of the pure pizza win; "
        "flat: smallest response over largest)",
        ["k", "n", "error", "bound", "m", "even", "random", "certifies at", "flat"],
        rows,
    )
    best = design(p)
    at = f"σ = {best.sigma:.3f}, κ = {best.kappa:.3f}"
    told = f"The flattest design found for p = {p} has {best.flatness:.3f} ({at})."
    explain(f"{claims_in_words.widths(rules.widths)} {told}")
