"""The MODEL argument that most commands share: a bundled name or a file of any family, loaded and measured."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quadlens.cli.progress import progress_bar
from quadlens.errors import CheckpointError
from quadlens.untrusted_text import one_line

if TYPE_CHECKING:
    from quadlens.circuits.circuit import Circuit
    from quadlens.circuits.forward import Evaluation
    from quadlens.circuits.freeze_attention import FrozenAttention

MEASURED_OPERATIONS = 3 * 10**11
"""Above this many multiplications (p³ n, about ten seconds) a load does not run all inputs to measure the accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A circuit with the accuracy that its load measured over all p² inputs (None where that would take too long).

    ``frozen`` is what freezing its attention changed, None where nothing was frozen; ``path`` is its file, if it has
    one.
    """

    name: str
    circuit: "Circuit"
    evaluation: "Evaluation | None"
    frozen: "FrozenAttention | None" = None
    path: Path | None = None

    @property
    def summary(self) -> str:
        """What was loaded, in one line."""
        c = self.circuit
        what = f"{self.name}: {c.family}, p = {c.p}, {c.neurons} {c.activation} neurons, {c.parameters:,} parameters"
        if self.frozen is not None:
            what += f"; {self.frozen.summary}"
        if self.evaluation is None:
            return f"{what}; accuracy not measured (p³n = {c.p**3 * c.neurons:.1e} operations)"
        e = self.evaluation
        return f"{what}; accuracy {e.accuracy:.4%} of {e.inputs:,} inputs, minimum margin {e.min_margin:.6g}"

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
            "accuracy": None if e is None else e.accuracy,
            "min_margin": None if e is None else e.min_margin,
        }


def load_model(
    model: str | None,
    *,
    family: str | None = None,
    config: str | None = None,
    freeze_attention: bool = False,
    max_megabytes: int | None = None,
) -> LoadedModel:
    """Load a bundled network by name, or a checkpoint by path, and measure its accuracy.

    Raises
    ------
    CheckpointError
        If ``model`` is neither, naming the nearest bundled name.
    """
    from quadlens.circuits.bundled import bundled, bundled_names
    from quadlens.circuits.forward import evaluate
    from quadlens.circuits.load import load_measured

    names = bundled_names()
    frozen, path = None, None
    if model is None or (model in names and not os.path.exists(model)):
        circuit = bundled(model)
        name = model or names[0]
    else:
        if not os.path.exists(model) and Path(model).name == model and not Path(model).suffix:
            near = get_close_matches(model, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"bundled: {', '.join(names)}"
            raise CheckpointError(f"no file and no bundled network is called {model!r}; {hint}")
        with progress_bar("loading") as report:
            circuit, frozen = load_measured(
                model,
                family=family,
                config=config,
                freeze_attention=freeze_attention,
                max_bytes=None if max_megabytes is None else max_megabytes * 2**20,
                progress=report,
            )
        path = Path(model)
        name = one_line(path.name)
    measured = circuit.p**3 * circuit.neurons <= MEASURED_OPERATIONS
    evaluation = evaluate(circuit) if measured else None
    return LoadedModel(name=name, circuit=circuit, evaluation=evaluation, frozen=frozen, path=path)


def model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the MODEL argument with its options; the function gets ``loaded: LoadedModel`` instead of them."""

    @click.argument("model", required=False)
    @click.option("--family", help="Checkpoint family, where it is not recognised.")
    @click.option("--config", type=click.Path(), help="The JSON file that describes the checkpoint.")
    @click.option("--freeze-attention", is_flag=True, help="Take the constant part of nearly constant attention.")
    @click.option(
        "--max-megabytes", type=click.IntRange(min=1), help="Largest file, and largest tables, to accept (default 128)."
    )
    @wraps(function)
    def with_model(
        *,
        model: str | None,
        family: str | None,
        config: str | None,
        freeze_attention: bool,
        max_megabytes: int | None,
        **options: Any,
    ) -> Any:
        loaded = load_model(
            model, family=family, config=config, freeze_attention=freeze_attention, max_megabytes=max_megabytes
        )
        return function(loaded=loaded, **options)

    return with_model
