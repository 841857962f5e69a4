"""``quadlens train``: one network, from a seed to a file."""

from typing import Any

import click

from quadlens.cli.model_argument import command_on
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import WHOLE, explain, json_option, next_step, print_json, say
from quadlens.digits import percent
from quadlens.errors import OptionError
from quadlens.untrusted_text import shell_command

OPTION_NAMES = {
    "neurons": "--neurons",
    "d_model": "--d-model",
    "activation": "--activation",
    "epochs": "--epochs",
    "train_fraction": "--train-fraction",
    "learning_rate": "--learning-rate",
    "weight_decay": "--weight-decay",
    "beta_1": "--beta-1",
    "beta_2": "--beta-2",
    "warm_up": "--warm-up",
}


def training_options(function: Any) -> Any:
    """Give a command the options of training, with the trainer's own defaults."""
    for option in reversed(
        (
            click.option("--p", type=WHOLE, default=59, show_default=True, help="Number of residues."),
            click.option("--neurons", type=WHOLE, default=512, show_default=True, help="Number of neurons."),
            click.option("--d-model", type=WHOLE, default=128, show_default=True, help="Width of the residual stream."),
            click.option("--activation", default="relu", show_default=True, help="relu, abs, square, gelu, …"),
            click.option("--epochs", type=WHOLE, default=10_000, show_default=True, help="Full-batch steps."),
            click.option("--train-fraction", type=float, default=0.8, show_default=True, help="Share of pairs seen."),
            click.option("--learning-rate", type=float, default=1e-3, show_default=True, help="Of AdamW."),
            click.option("--weight-decay", type=float, default=1.0, show_default=True, help="Of AdamW."),
            click.option("--beta-1", type=float, default=0.9, show_default=True, help="Of AdamW."),
            click.option("--beta-2", type=float, default=0.98, show_default=True, help="Of AdamW."),
            click.option("--warm-up", type=WHOLE, default=10, show_default=True, help="Epochs of linear warm-up."),
        )
    ):
        function = option(function)
    return function


def command_line(p: int, seed: int, given: dict[str, Any], output: str) -> str:
    """Return the shortest command that trains the same network."""
    from quadlens.circuits.training_options import TrainingOptions

    defaults = TrainingOptions().as_dict()
    words = ["quadlens", "train", "--p", str(p), "--seed", str(seed)]
    for name, flag in OPTION_NAMES.items():
        if given[name] != defaults[name]:
            words += [flag, str(given[name])]
    return shell_command([*words, "-o", output])


@click.command(epilog="Example: quadlens train --p 59 --seed 0 -o mine.safetensors && quadlens report mine.safetensors")
@training_options
@click.option("--seed", type=WHOLE, default=0, show_default=True, help="Chooses the pairs seen and the first weights.")
@click.option("-o", "--output", required=True, type=click.Path(), help="File to write (native safetensors).")
@json_option
def command(p: int, seed: int, output: str, as_json: bool, **given: Any) -> None:
    """Train one network with constant attention on a + b mod p."""
    from dataclasses import asdict
    from pathlib import Path

    from quadlens.circuits.training_options import TrainingOptions
    from quadlens.files import check_writable

    options = TrainingOptions(p=p, **given)
    if seed < 0:
        raise OptionError(f"seed must be an integer >= 0, got {seed}")
    check_writable(output)  # said before the minutes of training, not after them

    import torch

    from quadlens.certificates.record.digest import network_digest
    from quadlens.circuits.native import write
    from quadlens.circuits.trained_network import train

    torch.set_num_threads(1)  # one thread, one order of summation: the same bits every time
    with progress_bar("training") as report:
        network = train(options, seed, progress=report)
    provenance = network.provenance(command_line(p, seed, given, Path(output).name))
    provenance["sha256"] = network_digest(network.circuit())
    write(network.weights, output, provenance=provenance)
    if as_json:
        found = asdict(network.score)
        print_json({"file": output, "seed": seed, "epoch": network.epoch, **found, "provenance": provenance})
        return
    score = network.score
    tested = "no pair" if score.test_accuracy is None else f"{percent(score.test_accuracy, 4)} of the pairs"
    say(f"{output}: {network.epoch:,} epochs, training loss {score.train_loss:.2e}")
    explain(
        f"accuracy {percent(score.accuracy, 4)} of {p**2:,} inputs ({percent(score.train_accuracy, 4)} of those "
        f"trained on, {tested} left out)"
    )
    parameters = 3 * p * options.neurons + 2 * p * p
    next_step(command_on("report", output, parameters), "see what it has learned")
