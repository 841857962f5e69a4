"""``quadlens construct``: a network in closed form."""


import click

from quadlens.cli.model_argument import command_on
from quadlens.cli.show import explain, json_option, next_step, print_json, say
from quadlens.errors import OptionError

MOST_NUMBERS = 100_000


def whole_numbers(text: str, what: str) -> list[int]:
    """Read ``3,15,17`` or ``0-31`` or a mixture.

    Raises
    ------
    OptionError
        If the text is anything else.
    """
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise OptionError(f"{what} must be whole numbers such as 3,15,17 or 0-31, got {text!r}")
        span = range(int(first), int(last if dash else first) + 1)
        if len(numbers) + len(span) > MOST_NUMBERS:
            raise OptionError(f"{what} must be at most {MOST_NUMBERS:,} numbers, got {text!r}")
        numbers += span
    if not numbers:
        raise OptionError(f"{what} must name at least one number, got {text!r}")
    return numbers


@click.command(epilog="Example: quadlens construct --p 59 --frequencies 3,15,17 --neurons 512 -o made.safetensors")
@click.option("--p", type=int, required=True, help="Number of residues.")
@click.option("--frequencies", required=True, help="Key frequencies, such as 3,15,17.")
@click.option("--neurons", type=int, default=512, show_default=True, help="Number of neurons, shared out evenly.")
@click.option("--sigma", type=float, default=0.1375, show_default=True, help="Secondary frequency, relative.")
@click.option("--kappa", type=float, default=0.345, show_default=True, help="Bias, relative.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="Gaussian noise on every table entry.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the noise.")
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
