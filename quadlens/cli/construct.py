"""``quadlens construct``: a network in closed form."""


import click

from quadlens.cli.model_argument import command_on
from quadlens.cli.show import WHOLE, explain, json_option, next_step, print_json, say
from quadlens.errors import OptionError
from quadlens.untrusted_text import one_line

MOST_NUMBERS = 100_000
MOST_DIGITS = 15


def whole_numbers(text: str, what: str) -> list[int]:
    """Read ``3,15,17`` or ``0-31`` or a mixture.

    Raises
    ------
    OptionError
        If the text is anything else.
    """
    numbers: list[int] = []
    given = one_line(repr(text), 60)
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not all(end.isascii() and end.isdecimal() and len(end) <= MOST_DIGITS for end in (first, last or first)):
            raise OptionError(
                f"{what} must be whole numbers of at most {MOST_DIGITS} digits, such as 3,15,17 or 0-31, got {given}"
            )
        if dash and not last:
            raise OptionError(f"{what} must be whole numbers such as 3,15,17 or 0-31, got {given}")
        low, high = int(first), int(last or first)
        if len(numbers) + high + 1 - low > MOST_NUMBERS:
            raise OptionError(f"{what} must be at most {MOST_NUMBERS:,} numbers, got {given}")
        numbers += range(low, high + 1)
    if not numbers:
        raise OptionError(f"{what} must name at least one number, got {given}")
    return numbers


@click.command(epilog="Example: quadlens construct --p 59 --frequencies 3,15,17 --neurons 512 -o made.safetensors")
@click.option("--p", type=WHOLE, required=True, help="Number of residues.")
@click.option("--frequencies", required=True, help="Key frequencies, such as 3,15,17.")
@click.option("--neurons", type=WHOLE, default=512, show_default=True, help="Number of neurons, shared out evenly.")
@click.option("--sigma", type=float, default=0.1375, show_default=True, help="Secondary frequency, relative.")
@click.option("--kappa", type=float, default=0.345, show_default=True, help="Bias, relative.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="Gaussian noise on every table entry.")
@click.option("--seed", type=WHOLE, default=0, show_default=True, help="Seed of the noise.")
@click.option("--activation", default="relu", show_default=True, help="relu, abs, square, gelu, …")
@click.option("-o", "--output", required=True, type=click.Path(), help="File to write (native safetensors).")
@json_option
def command(
    p: int,
    frequencies: str,
    neurons: int,
    sigma: float,
    kappa: float,
    noise: float,
    seed: int,
    activation: str,
    output: str,
    as_json: bool,
) -> None:
    """Build a network with equally spaced phases, in closed form, and write it to a file."""
    from quadlens.circuits.construct import construct
    from quadlens.circuits.native import write

    if seed < 0:
        raise OptionError(f"seed must be >= 0, got {seed}")
    circuit = construct(
        p=p,
        frequencies=whole_numbers(frequencies, "frequencies"),
        neurons=neurons,
        sigma=sigma,
        kappa=kappa,
        noise=noise,
        seed=seed,
        activation=activation,
    )
    write(circuit, output, provenance={"command": circuit.source})
    if as_json:
        print_json({"file": output, "p": p, "neurons": neurons, "parameters": circuit.parameters})
        return
    say(f"{output}: p = {p}, {neurons} neurons, {circuit.parameters:,} parameters")
    explain(circuit.source)
    next_step(command_on("certify", output, circuit.parameters), "prove on how many inputs it is right")
