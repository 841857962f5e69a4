"""``quadlens certify``: prove that a network is right on every input."""

import shlex
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, print_table, say

if TYPE_CHECKING:
    from quadlens.certificates.certificate import Certificate

METHODS = ("adaptive", "linear", "gated", "brute-force", "exact", "rectangle", "interval")
SHOWN = 8
"""Most misclassified inputs and blamed classes that are printed; the JSON has more."""


if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # click 8.1 has no type argument


class _Method(_Choice):
    """One of the methods; a mistyped one is told which comes nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        near = get_close_matches(value, self.choices, n=1)
        if value not in self.choices and near:
            self.fail(f"{value!r} is no method; did you mean {near[0]!r}?", param, ctx)
        return super().convert(value, param, ctx)


@click.command(epilog="Example: quadlens certify --method linear -o certificate.json")
@model_options
@click.option(
    "--method",
    type=_Method(METHODS),
    metavar="METHOD",
    default="adaptive",
    show_default=True,
    help="How to prove it: one of the above.",
)
@click.option("--device", help="For linear, gated, brute-force: compute by torch on cpu, cuda or cuda:N, not by numpy.")
@click.option("-o", "--output", type=click.Path(), help="Write the certificate here, for quadlens check.")
@json_option
def command(loaded: LoadedModel, method: str, device: str | None, output: str | None, as_json: bool) -> int:
    """Prove that MODEL is right on every input.

    \b
    linear       from sums over the weights, in time linear in their number
    gated        the same for every input, tighter
    adaptive     linear, gated, then single answers: always the exact accuracy
    brute-force  all inputs in float64 with proved rounding
    exact        all inputs in integers
    rectangle    the paper's kind of bound: the MLP against the integral
    interval     naive interval propagation, for comparison

    Exit status 0: certified; 1: not certified (the output says why).
    """
    from quadlens.certificates.certificate_file import as_data, write_certificate
    from quadlens.certificates.certify import certify
    from quadlens.files import check_writable

    if output is not None:
        check_writable(output)  # said before the work, not after it
    given: dict[str, Any] = {} if device is None else {"device": device}
    with progress_bar(f"certifying ({method})") as report:
        certificate = certify(loaded.circuit, method, progress=report, **given)
    if output is not None:
        write_certificate(certificate, output)
    if as_json:
        # the file holds the certificate alone; here the model's keys, measured and not proved, stand beside it
        print_json(loaded.to_dict() | as_data(certificate))
    else:
        say(loaded.summary)
        _print(certificate)
        if method == "rectangle":
            next_step(loaded.command("certify", "--method", "linear"), "prove that its answers are right")
        elif not certificate.certified and method not in ("adaptive", "exact"):
            next_step(loaded.command("certify"), "decide every input that this method leaves open")
        elif output is None:
            options = ("--method", method, "-o", "certificate.json")
            next_step(loaded.command("certify", *options), "keep the proof in a file that anyone can check")
        else:
            model = loaded.arguments or (loaded.name,)
            next_step(shlex.join(["quadlens", "check", output, *model]), "check it by an independent route")
    return 0 if certificate.succeeded else 1


def _print(certificate: "Certificate") -> None:
    explain(certificate.verdict)
    if certificate.frequencies is not None:
        _print_frequencies(certificate.frequencies)
    if certificate.ledger:
        worst = min(certificate.classes, key=lambda bound: bound.margin_lower_bound)
        print_table(
            f"Margin at the worst class, a − b ≡ {worst.difference} mod {certificate.p}",
            ["term", "value"],
            [[_in_words(term), f"{value:+.6g}"] for term, value in certificate.ledger],
        )
    for sentence in certificate.blame[:SHOWN]:
        explain(sentence, "  ")
    if certificate.misclassified:
        listed = ", ".join(f"({a}, {b})" for a, b in certificate.misclassified[:SHOWN])
        more = "" if len(certificate.misclassified) <= SHOWN else ", …"
        explain(f"Misclassified inputs (a, b): {listed}{more}")
    explain(certificate.float32)
    share = certificate.operations / certificate.brute_force_operations
    explain(
        f"{certificate.operations:.3g} operations, {share:.3g} of brute force; {certificate.seconds:.2f} s;"
        f" {certificate.arithmetic}"
    )


def _in_words(term: str) -> str:
    """Return a ledger's term with what it stands for, where it is one of the inequality's."""
    from quadlens.certificates.ledger import TERMS

    meaning = dict(TERMS).get(term)
    return term if meaning is None else f"{term}: {meaning}"


def _print_frequencies(frequencies: tuple[Any, ...]) -> None:
    from quadlens.report.digits import at_most, number

    measured, proved = ("share", "actual"), ("direct", "folded", "identity", "phase_mismatch", "total")
    print_table(
        "Error of the MLP against the integral, over the target's amplitude (0 has 1): "
        "proved bounds, rounded up, and what is measured",
        ["k", measured[0], *proved, measured[1]],
        [
            [
                str(record["frequency"]),
                number(record[measured[0]]),
                *(at_most(record[key]) for key in proved),
                number(record[measured[1]]),
            ]
            for record in frequencies
        ],
    )
