"""``quadlens certify``: prove that a network is right on every input."""

import inspect
import textwrap
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from quadlens.cli.model_argument import LoadedModel, model_options
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import explain, json_option, next_step, print_json, print_table, say
from quadlens.untrusted_text import shell_command

if TYPE_CHECKING:
    from quadlens.certificates.record.certificate import Certificate

METHODS = ("adaptive", "linear", "smooth", "brute-force", "exact", "rectangle", "mlp", "interval")
ON_DEVICES = ("linear", "brute-force")
SHOWN = 8
"""Most misclassified inputs and blamed classes that are printed; the JSON has more."""


if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:
    _Choice = click.Choice  # click 8.1 has no type argument


class _Method(_Choice):
    """One of the methods; a mistyped one is told which comes nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        begun = [choice for choice in self.choices if value and choice.startswith(value)]
        near = begun or get_close_matches(value, self.choices, n=1)
        if value not in self.choices and near:
            self.fail(f"{value!r} is no method; did you mean {near[0]!r}?", param, ctx)
        return super().convert(value, param, ctx)


def _list_methods(command: click.Command) -> click.Command:
    """Put a line for each method into the command's help, from the one text that says what each proves."""
    from quadlens.certificates.record.words import WHAT_METHODS_DO

    help_text = inspect.cleandoc(command.help or "")
    lines = "\n".join(
        textwrap.fill(what, 76, initial_indent=f"{name:13}", subsequent_indent=13 * " ")
        for name, what in WHAT_METHODS_DO.items()
    )
    command.help = help_text.replace("METHODS", f"\b\n{lines}")
    return command


@_list_methods
@click.command(epilog="Example: quadlens certify --method linear -o certificate.json")
@model_options
@click.option(
    "--method",
    type=_Method(METHODS),
    metavar="METHOD",
    help="How to prove it: one of the above. Without it: adaptive, or what can decide every input where it cannot.",
)
@click.option("--device", help="For linear, brute-force: compute by torch on cpu, cuda or cuda:N, not by numpy.")
@click.option("-o", "--output", type=click.Path(), help="Write the certificate here, for quadlens check.")
@json_option
def command(loaded: LoadedModel, method: str | None, device: str | None, output: str | None, as_json: bool) -> int:
    """Prove on how many inputs MODEL is right, and with what margin.

    METHODS

    Exit status 0: every input is proved right (rectangle, mlp: no bound
    is vacuous); 1: not, the output says why.
    """
    from quadlens.certificates.certify import Decided, certify, decide
    from quadlens.certificates.record.file import as_data, write_certificate
    from quadlens.certificates.record.words import instead_of
    from quadlens.errors import OptionError
    from quadlens.files import check_writable

    if output is not None:
        check_writable(output)  # said before the work, not after it
    if device is not None and method not in ON_DEVICES:
        raise OptionError(f"--device is for {', '.join(ON_DEVICES)}, got {method or 'no method'}; add --method linear")
    given: dict[str, Any] = {} if device is None else {"device": device}
    with progress_bar(f"certifying ({method or 'every input'})") as report:
        if method is None:
            decided = decide(loaded.circuit, progress=report)
        else:
            certificate = certify(loaded.circuit, method, progress=report, **given)
            decided = Decided(certificate=certificate, passed_over=())
    certificate = decided.certificate
    if output is not None:
        write_certificate(certificate, output)
    if as_json:
        # the file holds the certificate alone; here the model's keys, measured and not proved, stand beside it
        passed_over = [{"method": name, "reason": reason} for name, reason in decided.passed_over]
        print_json(loaded.to_dict() | as_data(certificate) | {"passed_over": passed_over})
    else:
        say(loaded.summary)
        if decided.passed_over:
            explain(instead_of(decided.passed_over, certificate.method))
        _print(certificate)
        _suggest(loaded, certificate, method, device, output)
    return 0 if certificate.succeeded else 1


def _suggest(
    loaded: LoadedModel, certificate: "Certificate", method: str | None, device: str | None, output: str | None
) -> None:
    """Print the command that gets further from here, if there is one."""
    if certificate.refusal is not None or certificate.frequencies is not None or not certificate.decides_every_input:
        if method is not None:
            next_step(loaded.command("certify"), "decide which inputs are right")
    elif output is None:
        given = () if device is None else ("--device", device)
        options = ("--method", certificate.method, *given, "-o", "certificate.json")
        next_step(loaded.command("certify", *options), "keep the proof in a file that anyone can check")
    else:
        model = loaded.arguments or (loaded.name,)
        next_step(shell_command(["quadlens", "check", output, *model]), "check it by an independent route")


def _print(certificate: "Certificate") -> None:
    from quadlens.certificates.record import words as claims_in_words
    from quadlens.digits import signed_at_least

    explain(certificate.verdict)
    if certificate.refusal is not None:
        return
    if certificate.ideals is not None:
        _print_ideals(certificate)
    elif certificate.frequencies is not None:
        _print_frequencies(certificate.frequencies)
    if certificate.ledger:
        worst = min(certificate.classes, key=lambda bound: bound.margin_lower_bound)
        print_table(
            f"What bounds the margin at the worst class, a − b ≡ {worst.difference} mod {certificate.p}",
            ["term", "value"],
            [[_in_words(term), signed_at_least(value, 6)] for term, value in certificate.ledger],
        )
    for sentence in certificate.blame[:SHOWN]:
        explain(sentence, "  ")
    if certificate.misclassified:
        listed = ", ".join(f"({a}, {b})" for a, b in certificate.misclassified[:SHOWN])
        more = "" if len(certificate.misclassified) <= SHOWN else ", …"
        explain(f"Misclassified inputs (a, b): {listed}{more}")
    if certificate.classes:
        explain(certificate.float32)
    explain(claims_in_words.cost(certificate))


def _in_words(term: str) -> str:
    """Return a ledger's term with what it stands for, where it is one of the inequality's."""
    from quadlens.certificates.inequality.ledger import TERMS

    meaning = dict(TERMS).get(term)
    return term if meaning is None else f"{term}: {meaning}"


def _print_ideals(certificate: "Certificate") -> None:
    from quadlens.certificates.record.words import IDEALS, PARTS, TERMS
    from quadlens.digits import at_most, number

    ideals = certificate.ideals or ()
    terms = [term["term"] for term in ideals[0]["terms"]]
    print_table(
        IDEALS,
        ["compared with", "measured", "proved", "largest logit, proved"],
        [
            [
                ideal["name"],
                number(ideal["relative_error_measured"]),
                at_most(ideal["relative_error_bound"]),
                at_most(ideal["sup_error_bound"]),
            ]
            for ideal in ideals
        ],
    )
    print_table(
        TERMS,
        ["compared with", *terms],
        [[ideal["name"], *(at_most(term["value"]) for term in ideal["terms"])] for ideal in ideals],
    )
    rule = ("arcs_bound", "rectangle_bound", "actual")
    print_table(
        PARTS,
        ["k", "measured", "proved", "rule: arcs", "rule: rectangles", "rule: actual"],
        [
            [
                str(record["frequency"]),
                number(record["measured"]),
                at_most(record["bound"]),
                *("" if record[key] is None else at_most(record[key]) for key in rule[:2]),
                "" if record["actual"] is None else number(record["actual"]),
            ]
            for record in certificate.frequencies or ()
        ],
    )


def _print_frequencies(frequencies: tuple[Any, ...]) -> None:
    from quadlens.certificates.record.words import RULES
    from quadlens.digits import at_most, number

    measured, proved = ("share", "actual"), ("direct", "folded", "identity", "phase_mismatch", "total")
    costs = [sum(record.get(f"{kind}_operations", 0) for record in frequencies) for kind in ("rectangle", "arcs")]
    print_table(
        RULES,
        ["k", measured[0], *proved, "arcs", measured[1]],
        [
            [
                str(record["frequency"]),
                number(record[measured[0]]),
                *(at_most(record[key]) for key in proved),
                at_most(record["arcs_bound"]) if "arcs_bound" in record else "—",
                number(record[measured[1]]),
            ]
            for record in frequencies
        ],
    )
    if costs[1]:
        explain(f"total: by rectangles, {costs[0]:,} operations; arcs: by exact arcs, {costs[1]:,} operations.")
