"""``quadlens convert``: any checkpoint into a native file."""

import os
from pathlib import Path

import click

from quadlens.cli.model_argument import LoadedModel, command_on, model_options
from quadlens.cli.show import json_option, next_step, print_json, say
from quadlens.errors import OutputError


@click.command(epilog="Example: quadlens convert model.pt mine.safetensors && quadlens report mine.safetensors")
@model_options
@click.argument("output", metavar="OUT")
@json_option
def command(loaded: LoadedModel, output: str, as_json: bool) -> None:
    """Convert MODEL, of whatever family, to a native safetensors file OUT.

    The stored weights are kept value for value, with the products that make the tables of them. The file is read back,
    and its tables compared, before it takes the place of OUT.
    """
    from quadlens.circuits.convert import convert
    from quadlens.untrusted_text import one_line

    # os.path.exists is false where the method raises: on a name that is too long
    if loaded.path is not None and os.path.exists(output) and os.path.samefile(output, loaded.path):
        raise OutputError(f"cannot write {one_line(output)}: it is the file to convert; name another")
    measured = loaded.evaluation
    found = {} if measured is None else {"accuracy": measured.accuracy, "min_margin": measured.min_margin}
    texts = {key: repr(value) for key, value in found.items()}
    digest = convert(loaded.circuit, output, original=loaded.path, measured=texts)
    size = Path(output).stat().st_size
    if as_json:
        print_json(loaded.to_dict() | {"file": output, "bytes": size, "sha256": digest})
        return
    say(loaded.summary)
    say(f"written to {one_line(output)}: {size:,} bytes\nsha256 {digest}")
    next_step(command_on("report", output, loaded.circuit.parameters), "see what it does")
