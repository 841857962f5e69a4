"""``quadlens decompose``: the ladder from the exact MLP to the pure integral."""

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, print_table, say


@click.command(epilog="Example: quadlens decompose --json | jq .terms")
@model_options
@json_option
def command(loaded: LoadedModel, as_json: bool) -> None:
    """Where every bit of the difference between MODEL's MLP and the integral comes from."""
    from quadlens.decomposition.extended_ideal import extended_ideal
    from quadlens.decomposition.ladder import decompose
    from quadlens.form.amplitude_phase import fit

    form = fit(loaded.circuit)
    with progress_bar("decomposing") as report:
        result = decompose(loaded.circuit, form, progress=report)
    extended = None
    if loaded.circuit.activation in ("relu", "abs"):
        with progress_bar("extending the ideal") as report:
            extended = extended_ideal(loaded.circuit, form, progress=report)
    if as_json:
        better = {"extended_ideal": None if extended is None else extended.to_dict()}
        print_json(loaded.to_dict() | result.to_dict() | better)
        return
    say(loaded.summary)
    print_table(
        "Ladder (relative L2 over all inputs and logits: the term measured, its bound proved)",
        ["rung", "term", "largest", "bound", "to exact", "R²", "accuracy"],
        (
            [
                term.name,
                f"{term.relative_l2:.4f}",
                f"{term.max_abs:.3g}",
                "—" if term.bound is None else f"{term.bound.value:.3g}",
                f"{stage.relative_l2_to_exact:.4f}",
                f"{stage.r_squared:.4f}",
                f"{stage.accuracy:.2%}",
            ]
            for term, stage in zip(result.terms, result.stages, strict=True)
        ),
        note=f"The terms sum to (exact − ideal) within {result.telescoping_error:.0e} of the largest logit.",
    )
    refined = result.stages[4]
    say(
        f"{result.parameters:,} parameters compress to {result.ideal_parameters} numbers "
        f"at relative error {refined.relative_l2_to_exact:.3f} (R² = {refined.r_squared:.4f})."
    )
    if extended is not None:
        explain(
            f"With {extended.parameters} numbers ({len(extended.waves)} waveforms, {len(extended.sums)} exponential "
            f"sums, {len(extended.identity)} terms of the identity half) the extended ideal is at "
            f"{extended.relative_l2:.3f} "
            f"(R² = {extended.r_squared:.4f}); a function of a − b and a + b − c alone could come no closer than "
            f"{extended.curve.invariant_floor:.3f}."
        )
    next_step(loaded.command("certify"), "prove that the whole network is right")
