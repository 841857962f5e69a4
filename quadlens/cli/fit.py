"""``quadlens fit``: the amplitude–phase form."""

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, print_table, say

AT_ONCE = 10**6
"""Entries of A up to which the MLP's proved distance is found with the form: beyond, `certify --method mlp` does it."""


@click.command(epilog="Example: quadlens fit --json > form.json")
@model_options
@click.option("--per-neuron", is_flag=True, help="List every neuron, not only the frequencies.")
@json_option
def command(loaded: LoadedModel, per_neuron: bool, as_json: bool) -> None:
    """Amplitude–phase form of MODEL, per frequency and per neuron."""
    import numpy as np

    from quadlens.certificates.record.words import RULES
    from quadlens.decomposition.rule_errors import rule_errors
    from quadlens.digits import at_most, number
    from quadlens.form.amplitude_phase import NEGLIGIBLE_SHARE, fit
    from quadlens.form.phase_locking import phase_locking, r_squared_shown

    with progress_bar("fitting"):
        form = fit(loaded.circuit)
    # the bootstrap is seeded: the same network gives the same interval
    locking = phase_locking(form, np.random.default_rng(0))
    rules = rule_errors(form)
    if as_json:
        from quadlens.report.mlp_distance import distance_data, mlp_distance

        fitted = form.to_dict(per_neuron=per_neuron)
        errors = {rule.frequency: rule.beside() for rule in rules}
        fitted["frequencies"] = [one | errors.get(one["frequency"], {}) for one in fitted["frequencies"]]
        distance = mlp_distance(loaded.circuit) if loaded.circuit.A.size <= AT_ONCE else None
        mlp = None if distance is None else distance_data(distance)
        print_json(loaded.to_dict() | fitted | {"phase_locking": locking.to_dict(), "mlp": mlp})
        return
    say(loaded.summary)
    print_table(
        "Frequency groups (means weighted by r u; angles in radians)",
        ["k", "neurons", "W", "|e_A|", "|e_B|", "s_A", "s_B", "κ", "ψ−2φ rms"],
        (
            [
                str(group.frequency),
                str(group.members.size),
                f"{group.weight:.4g}",
                f"{abs(group.e_A):.3f}",
                f"{abs(group.e_B):.3f}",
                f"{group.s_A.real:+.3f}",
                f"{group.s_B.real:+.3f}",
                f"{group.kappa:+.3f}",
                f"{group.phase_mismatch_rms:.4f}",
            ]
            for group in form.groups
        ),
    )
    print_table(
        "Phase evenness |Σ w e^{imφ}| / Σ w (chance: √(Σ w²) / Σ w, what independent random phases give, rms)",
        ["k", *(f"m = {m}" for m in range(1, 7)), "chance"],
        (
            [str(g.frequency), *(f"{value:.4f}" for value in g.exponential_sums), f"{g.chance:.3f}"]
            for g in form.groups
        ),
    )
    if rules:
        print_table(
            RULES,
            ["k", "share", "rectangles", "operations", "arcs", "operations", "actual"],
            (
                [
                    str(rule.frequency),
                    number(rule.share),
                    "—" if rule.rectangles is None else at_most(rule.rectangles.total),
                    "—" if rule.rectangles is None else f"{rule.rectangle_operations:,}",
                    at_most(rule.arcs.relative),
                    f"{rule.arcs.operations:,}",
                    number(rule.actual),
                ]
                for rule in rules
            ),
        )
    print_table(
        f"ψ = 2φ, neuron by neuron (R² with its 95 % bootstrap interval; breakers are off by more than "
        f"{locking.tolerance:g} rad)",
        ["k", "R²", "from", "to", "breakers", "worst neurons"],
        (
            [
                str(group.frequency),
                *r_squared_shown(group.r_squared),
                f"{group.breakers.size} of {group.members.size}",
                " ".join(str(i) for i in group.breakers[:6]) or "—",
            ]
            for group in locking.groups
        ),
        note=f"{locking.verdict[0].upper()}{locking.verdict[1:]}.",
    )
    for group in locking.groups:
        if not group.locked and group.share >= NEGLIGIBLE_SHARE:
            explain(f"{group.verdict[0].upper()}{group.verdict[1:]}.")
    if per_neuron:
        print_table(
            "Neurons",
            ["i", "k", "r", "φ", "u", "ψ", "ψ−2φ", "|s_A|", "|s_B|", "κ"],
            (
                [
                    str(i),
                    str(form.frequency[i]),
                    *(f"{x[i]:.3g}" for x in (form.r, form.phi, form.u, form.psi, form.mismatch)),
                    *(f"{abs(x[i]):.3g}" for x in (form.s_A, form.s_B)),
                    f"{form.kappa[i]:.3g}",
                ]
                for i in range(form.neurons)
            ),
        )
    next_step(loaded.command("decompose"), "see how far the integral explains it")
