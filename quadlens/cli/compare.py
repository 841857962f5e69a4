"""``quadlens compare``: one input and one logit, the finite sums beside their integrals."""

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import WHOLE, explain, json_option, next_step, print_json, print_table, say


@click.command(epilog="Example: quadlens compare --a 7 --b 20 --c 27")
@model_options
@click.option("--a", type=WHOLE, required=True, help="First summand, taken mod p.")
@click.option("--b", type=WHOLE, required=True, help="Second summand, taken mod p.")
@click.option("--c", type=WHOLE, help="Logit, taken mod p; the right answer a + b where it is left out.")
@json_option
def command(loaded: LoadedModel, a: int, b: int, c: int | None, as_json: bool) -> None:
    """Finite sum and integral of every frequency of MODEL at one input and logit.

    The integral is computed in closed form, by scipy, by mpmath and in balls.
    """
    from quadlens.report.comparison import compare

    with progress_bar("integrating"):
        found = compare(loaded.circuit, a, b, c)
    if as_json:
        print_json(loaded.to_dict() | found.to_dict())
        return
    say(loaded.summary)
    print_table(
        f"{found.heading} (all in logits)",
        *found.table(),
        note=(
            "finite sum: the group's neurons, measured in float64. closed form, scipy, mpmath: the integral that they "
            "approximate, for the fitted wave. ball ±: half the width of an interval proved to contain that integral. "
            "difference: finite sum less integral."
        ),
    )
    explain(
        f"The rest of the logit, {found.rest:+.6g}, is in no row: the skip path, silent neurons, and output weights "
        "away from their group's frequency."
    )
    next_step(loaded.command("decompose"), "see where the differences come from, over all inputs")
