"""The MODEL argument that most commands share: a bundled name or a file of any family, loaded and measured."""

import os
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from quadlens.cli.progress import progress_bar
from quadlens.cli.show import WIDTH
from quadlens.digits import percent
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line, shell_command

if TYPE_CHECKING:
    from quadlens.circuits.circuit import Circuit
    from quadlens.circuits.forward import Evaluation
    from quadlens.circuits.freeze_attention import FrozenAttention
    from quadlens.circuits.provenance import Provenance

MEASURED_OPERATIONS = 10**11
"""Above this many multiplications (about five seconds) a load does not run all inputs to measure the accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A circuit with the accuracy that its load measured over all p² inputs (None where that would take too long).

    ``frozen`` is what freezing its attention changed, None where nothing was frozen; ``path`` is its file, if it has
    one; ``arguments`` are the words that name the model on a command line, none for the default one.
    """

    name: str
    circuit: "Circuit"
    evaluation: "Evaluation | None"
    frozen: "FrozenAttention | None" = None
    path: Path | None = None
    arguments: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What was loaded and what it does on all inputs: a line each, or more where 80 columns do not hold it."""
        c = self.circuit
        size = f"{c.neurons} {c.activation} neurons, {c.parameters:,} parameters"
        what = textwrap.fill(
            f"{self.name}: {c.family}, p = {c.p}, {size}", WIDTH, subsequent_indent="  ", break_long_words=False
        )
        if self.frozen is not None:
            what += f"\n{self.frozen.summary}"
        for line in conventions(c.provenance):
            what += "\n" + textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False)
        if self.evaluation is None:
            return f"{what}\naccuracy not measured (p³n = {c.p**3 * c.neurons:.1e} operations)"
        e = self.evaluation
        return f"{what}\naccuracy {percent(e.accuracy, 4)} of {e.inputs:,} inputs, minimum margin {e.min_margin:.6g}"

    def command(self, name: str, *options: str) -> str:
        """Return a command line that runs the command ``name`` on this model, ready to be copied."""
        return shell_command(["quadlens", name, *self.arguments, *options])

    def to_dict(self) -> dict[str, Any]:
        """The keys that every command's JSON carries about its model."""
        e = self.evaluation
        frozen = {} if self.frozen is None else {"frozen_attention": self.frozen.to_dict()}
        return frozen | {
            "model": self.name,
            "family": self.circuit.family,
            "p": self.circuit.p,
            "neurons": self.circuit.neurons,
            "activation": self.circuit.activation,
            "provenance": self.circuit.provenance.to_dict(),
            "accuracy": None if e is None else e.accuracy,
            "min_margin": None if e is None else e.min_margin,
        }


def command_on(name: str, file: str, parameters: int) -> str:
    """Return a command line that runs the command ``name`` on a file that was just written, ready to be copied.

    ``parameters`` are those of its tables: where they, or the file, pass the limit of a load, the limit is raised.
    """
    from quadlens.circuits.limits import MAX_BYTES

    needed = max(os.path.getsize(file), 8 * parameters)
    more = ["--max-megabytes", str(needed // 2**20 + 1)] if needed > MAX_BYTES else []
    # a name such as -x would be read as an option
    return shell_command(["quadlens", name, os.path.join(os.curdir, file) if file.startswith("-") else file, *more])


def conventions(provenance: "Provenance") -> list[str]:
    """Return a line for what was said beside the tensors, by whom, and a line for each thing that was assumed."""
    said = [f"{name}: {text}" for name, text in provenance.said.items() if name in ("activation", "attention", "task")]
    lines = ["; ".join(said)] if said else []
    if provenance.renumbered is not None:
        lines.append(f"inputs: {provenance.renumbered}")
    return lines + [f"assumed: {sentence}" for sentence in provenance.assumed]


def load_model(
    model: str | None,
    *,
    family: str | None = None,
    config: str | None = None,
    activation: str | None = None,
    map_names: str | None = None,
    task: str | None = None,
    freeze_attention: bool = False,
    max_megabytes: int | None = None,
    mapped: bool = False,
) -> LoadedModel:
    """Load a bundled network by name, or a checkpoint by path, and measure its accuracy.

    Raises
    ------
    CheckpointError
        If ``model`` is neither, naming the nearest bundled name.
    """
    from quadlens.circuits.bundled import bundled_names, bundled_path
    from quadlens.circuits.forward import evaluate
    from quadlens.circuits.input_file import STANDARD_INPUT
    from quadlens.circuits.load import load_measured

    if config is not None and not os.path.exists(config):
        raise CheckpointError(f"--config must name a JSON file; there is no file {one_line(repr(config))}")
    names, path = bundled_names(), None
    if model is None or (model in names and not os.path.exists(model)):
        file, name = bundled_path(model), model or names[0]
    elif os.path.exists(model):
        file = path = Path(model)
        name = one_line(path.name)
    elif model == STANDARD_INPUT:
        file, name = Path(model), "standard input"
    else:
        raise CheckpointError(_nothing_called(model, names))
    with progress_bar("loading") as report:
        circuit, frozen = load_measured(
            file,
            family=family,
            config=config,
            activation=activation,
            map_names=map_names,
            task=task,
            freeze_attention=freeze_attention,
            max_bytes=None if max_megabytes is None else max_megabytes * 2**20,
            mapped=mapped,
            progress=report,
        )
    # beside the multiplications: each of p³ logits is compared, and each of p²n preactivations made, which costs more
    p, n = circuit.p, circuit.neurons
    with progress_bar("running all inputs"):
        evaluation = evaluate(circuit) if p**2 * (p * n + 200 * p + 150 * n) <= MEASURED_OPERATIONS else None
    return LoadedModel(
        name=name,
        circuit=circuit,
        evaluation=evaluation,
        frozen=frozen,
        path=path,
        arguments=_arguments(
            model, family, config, activation, map_names, task, freeze_attention, max_megabytes, mapped
        ),
    )


def _nothing_called(model: str, names: Sequence[str]) -> str:
    """Say that no file and no bundled network has this name, and which one comes nearest."""
    folder = os.path.dirname(model)
    try:
        beside = [os.path.join(folder, name) for name in os.listdir(folder or os.curdir)]
    except (OSError, ValueError):
        beside = []
    if os.path.islink(model):
        return f"{one_line(repr(model))} is a link that leads to no file; name the file itself"
    context = click.get_current_context(silent=True)
    for option in context.command.params if context else ():
        if option.name == "method" and isinstance(option.type, click.Choice) and model in option.type.choices:
            return f"no file and no bundled network is called {model!r}; it is a method: --method {model}"
    near = get_close_matches(model, [*names, *beside], n=1)
    hint = f"did you mean {one_line(repr(near[0]))}?" if near else f"bundled: {', '.join(names)}"
    return f"no file and no bundled network is called {one_line(repr(model))}; {hint}"


def _arguments(
    model: str | None,
    family: str | None,
    config: str | None,
    activation: str | None,
    map_names: str | None,
    task: str | None,
    freeze_attention: bool,
    max_megabytes: int | None,
    mapped: bool,
) -> tuple[str, ...]:
    given = [] if model is None else [model]
    options = {"--family": family, "--config": config, "--activation": activation, "--map-names": map_names}
    options["--task"] = task
    options["--max-megabytes"] = None if max_megabytes is None else str(max_megabytes)
    for flag, value in options.items():
        given += [] if value is None else [flag, str(value)]
    given += ["--freeze-attention"] if freeze_attention else []
    return (*given, "--map") if mapped else tuple(given)


def complete_model(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer a shell the bundled names, and files."""
    from quadlens.circuits.bundled import bundled_names

    names = [CompletionItem(name, help="bundled") for name in bundled_names() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the MODEL argument with its options; the function gets ``loaded: LoadedModel`` instead of them."""

    @click.argument("model", required=False, shell_complete=complete_model)
    @click.option("--family", help="Checkpoint family, where it is not recognised.")
    @click.option("--config", type=click.Path(), help="The JSON file that describes the checkpoint.")
    @click.option("--activation", metavar="NAME", help="The activation, where neither the file nor its config says it.")
    @click.option("--map-names", type=click.Path(), help="A JSON file that says what each tensor is: {name: role}.")
    @click.option("--task", metavar="TASK", help="What it answers mod p: a + b, a - b, 2a + 3b …, or auto: measure it.")
    @click.option("--freeze-attention", is_flag=True, help="Take the constant part of nearly constant attention.")
    @click.option(
        "--max-megabytes",
        type=click.IntRange(1, 2**30),
        metavar="N",
        help="Largest file, and largest tables, to accept (default 128).",
    )
    @click.option("--map", "mapped", is_flag=True, help="Map a native file in place of copying its tables.")
    @wraps(function)
    def with_model(
        *,
        model: str | None,
        family: str | None,
        config: str | None,
        activation: str | None,
        map_names: str | None,
        task: str | None,
        freeze_attention: bool,
        max_megabytes: int | None,
        mapped: bool,
        **options: Any,
    ) -> Any:
        loaded = load_model(
            model,
            family=family,
            config=config,
            activation=activation,
            map_names=map_names,
            task=task,
            freeze_attention=freeze_attention,
            max_megabytes=max_megabytes,
            mapped=mapped,
        )
        return function(loaded=loaded, **options)

    return with_model
