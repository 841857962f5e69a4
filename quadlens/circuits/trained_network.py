"""A network leaves the trainer: as the stored weights of a circuit, or as a file from which training goes on."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from quadlens.circuits.circuit import Circuit
from quadlens.circuits.train import (
    Score,
    TrainingState,
    continue_training,
    initial_state,
    score,
)
from quadlens.circuits.training_options import TrainingOptions
from quadlens.circuits.training_tables import ATTENTION
from quadlens.circuits.weights import Product, Weights, circuit_from_weights
from quadlens.errors import CheckpointError, OptionError
from quadlens.files import read_regular, write_atomically
from quadlens.untrusted_text import one_line

FAMILY = "quadlens trainer"
_STATE_TENSORS = ("mean", "parameters", "square", "train")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetwork:
    """A network with its seed, what it was trained with and how well it does."""

    weights: Weights
    options: TrainingOptions
    seed: int
    epoch: int
    score: Score

    def circuit(self) -> Circuit:
        """Return the network's circuit."""
        return circuit_from_weights(self.weights)

    def provenance(self, command: str) -> dict[str, str]:
        """Return what a reader needs to make this network again, as texts."""
        import numpy as np

        import quadlens

        return {
            "command": command,
            "seed": str(self.seed),
            "epoch": str(self.epoch),
            "options": self.options.as_text(),
            "versions": f"quadlens {quadlens.__version__}, torch {torch.__version__}, numpy {np.__version__}",
            "accuracy": f"{self.score.accuracy:.6f}",
            "test accuracy": "none" if self.score.test_accuracy is None else f"{self.score.test_accuracy:.6f}",
            "training loss": f"{self.score.train_loss:.3e}",
        }


def weights_of(state: TrainingState, row: int = 0) -> Weights:
    """Return one network of ``state`` as stored float32 matrices with the products that make its tables."""
    options = state.options
    views = options.layout.views(state.parameters[row : row + 1].cpu())
    tensors = {name: view[0].double().numpy() for name, view in views.items()}
    attended, half = ("E", "W_V", "W_O"), Fraction(ATTENTION)
    return Weights(
        p=options.p,
        neurons=options.neurons,
        tensors=tensors,
        tables={
            "A": (Product(factors=(*attended, "W_in"), coefficient=half),),
            "B": (
                Product(factors=(*attended, "W_in"), coefficient=half),
                Product(factors=("E", "W_in")),
                Product(factors=("b_in",)),
            ),
            "U": (Product(factors=("W_out", "W_U")),),
            "S_a": (Product(factors=(*attended, "W_U"), coefficient=half),),
            "S_b": (
                Product(factors=(*attended, "W_U"), coefficient=half),
                Product(factors=("E", "W_U")),
                Product(factors=("b_out", "W_U")),
            ),
        },
        activation=options.activation,
        source=f"trained here: p={options.p}, neurons={options.neurons}, seed={state.seeds[row]}, epoch={state.epoch}",
        family=FAMILY,
    )


def train(
    options: TrainingOptions,
    seed: int = 0,
    *,
    snapshot: Callable[[TrainedNetwork], None] | None = None,
    snapshot_epochs: Sequence[int] = (),
    resume_file: str | os.PathLike[str] | None = None,
    save_every: int = 2000,
    progress: Callable[[float], None] | None = None,
) -> TrainedNetwork:
    """Train one network on the CPU.

    Parameters
    ----------
    snapshot : called with the network at each of ``snapshot_epochs``
    resume_file : where the state is saved every ``save_every`` epochs, and read from if it is there already; the result
        is bitwise that of an uninterrupted run. It is removed at the end.

    Raises
    ------
    OptionError
        If the seed is not an integer >= 0, or the training diverges.
    CheckpointError
        If ``resume_file`` is not the state of this very training.
    """
    state = initial_state(options, (seed,))
    if resume_file is not None and Path(resume_file).exists():
        state = load_state(resume_file, options, (seed,))

    def visit(state: TrainingState) -> None:
        if snapshot is not None and state.epoch in wanted:
            snapshot(trained_networks(state)[0])
        if resume_file is not None and state.epoch % save_every == 0:
            save_state(state, resume_file)

    wanted = frozenset(snapshot_epochs)
    saves = range(save_every, options.epochs, save_every) if resume_file is not None else ()
    continue_training(state, at_epoch=visit, epochs_to_visit=(*wanted, *saves), progress=progress)
    if resume_file is not None:
        Path(resume_file).unlink(missing_ok=True)
    return trained_networks(state)[0]


def trained_circuit(*, seed: int = 0, progress: Callable[[float], None] | None = None, **options: Any) -> Circuit:
    """Train one network with constant attention on ``a + b`` mod p, on the CPU, and return its circuit.

    Parameters
    ----------
    seed : chooses the pairs that are trained on, and the first weights
    progress : called with the fraction done
    options : of `TrainingOptions`, by name: ``p``, ``neurons``, ``d_model``, ``activation``, ``epochs`` …. The same
        seed gives the same bits on one machine with ``torch.set_num_threads(1)``.

    Raises
    ------
    OptionError
        If there is no such option, a value is outside its range, or the training diverges.
    """
    known = [field.name for field in fields(TrainingOptions)]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise OptionError(f"train has no option {unknown[0]!r}; it has seed, progress, {', '.join(known)}")
    return train(TrainingOptions(**options), seed, progress=progress).circuit()


def train_population(
    options: TrainingOptions,
    seeds: Sequence[int],
    *,
    device: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[TrainedNetwork, ...]:
    """Train one network for each seed in this process.

    On a CUDA device all networks are one batch. On the CPU they are trained one after the other, each bitwise as
    ``train`` trains it: a batch of networks would leave the cache, and was measured no faster.

    Parameters
    ----------
    device : ``"cpu"`` or ``"cuda"``; the latter if there is one by default

    Raises
    ------
    OptionError
        If there is no such device, a seed is not an integer >= 0, or a training diverges.
    """
    devices = ("cuda", "cpu") if torch.cuda.is_available() else ("cpu",)
    where = devices[0] if device is None else device
    if where not in devices:
        raise OptionError(f"device must be one of {', '.join(devices)} on this machine, got {device!r}")
    batches = [tuple(seeds)] if where != "cpu" else [(seed,) for seed in seeds]
    networks: list[TrainedNetwork] = []
    for done, batch in enumerate(batches):
        state = initial_state(options, batch, where)

        def report(fraction: float, done: int = done) -> None:
            if progress is not None:
                progress((done + fraction) / len(batches))

        continue_training(state, progress=report)
        networks += trained_networks(state)
    return tuple(networks)


def trained_networks(state: TrainingState) -> tuple[TrainedNetwork, ...]:
    """Return the networks of ``state`` as they are now."""
    return tuple(
        TrainedNetwork(
            weights=weights_of(state, row), options=state.options, seed=seed, epoch=state.epoch, score=network_score
        )
        for row, (seed, network_score) in enumerate(zip(state.seeds, score(state), strict=True))
    )


def save_state(state: TrainingState, path: str | os.PathLike[str]) -> None:
    """Write ``state`` to ``path`` (safetensors), whole or not at all."""
    tensors = {name: getattr(state, name).cpu().contiguous() for name in _STATE_TENSORS}
    write_atomically(path, save(tensors, {"training": json.dumps(_identity(state.options, state.seeds, state.epoch))}))


def load_state(path: str | os.PathLike[str], options: TrainingOptions, seeds: Sequence[int]) -> TrainingState:
    """Read the state that ``save_state`` wrote of the training with these options and seeds.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or is the state of another training.
    """
    where, remedy = one_line(path), "remove the file to train from the start"
    try:
        # three float32 for each parameter, a truth value for each pair, and the header
        most = len(seeds) * (12 * options.layout.size + options.p**2) + 2**20
        content = read_regular(path, most)
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        found: dict[str, Any] = json.loads(header["__metadata__"]["training"])
        epoch = found["epoch"]
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise CheckpointError(f"{where} is not a saved training state ({one_line(error)}); {remedy}") from None
    expected = _identity(options, seeds, epoch)
    if found != expected or type(epoch) is not int or not 0 <= epoch <= options.epochs:
        differs = sorted(key for key in expected if found.get(key) != expected[key]) or ["epoch"]
        raise CheckpointError(
            f"{where} is the state of another training (it differs in {', '.join(differs)}); {remedy}"
        )
    shapes = dict.fromkeys(("mean", "parameters", "square"), (len(seeds), options.layout.size))
    shapes["train"] = (len(seeds), options.p**2)
    for name, shape in shapes.items():
        dtype = torch.bool if name == "train" else torch.float32
        given = tensors.get(name)
        if given is None or tuple(given.shape) != shape or given.dtype != dtype or not torch.isfinite(given).all():
            raise CheckpointError(f"{where}: tensor {name!r} must be finite {dtype} of shape {shape}; {remedy}")
    return TrainingState(
        options=options, seeds=tuple(seeds), epoch=epoch, **{name: tensors[name] for name in _STATE_TENSORS}
    )


def _identity(options: TrainingOptions, seeds: Sequence[int], epoch: Any) -> dict[str, Any]:
    return options.as_dict() | {"seeds": list(seeds), "epoch": epoch}

