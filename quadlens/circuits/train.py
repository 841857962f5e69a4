r"""Training: a constant-attention one-layer network learns ``a + b mod p``, full batch, by AdamW.

Float32 weights, float64 softmax; warm-up over ten epochs; ``N(0, 0.8/√d_model)`` weights and zero biases. The seed
chooses the training pairs and the weights. One seed gives the same bits every time on one machine with one thread;
another machine's matrix products may round otherwise.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quadlens.circuits.training_options import TrainingOptions
from quadlens.circuits.training_tables import GradientOfTables
from quadlens.errors import OptionError

INITIAL_SCALE = 0.8
EPSILON = 1e-8


@dataclass(slots=True, kw_only=True)
class TrainingState:
    """Networks in the middle of their training: everything that the next epoch depends on.

    ``parameters``, ``mean`` and ``square`` (Adam's running moments) have shape (networks, layout.size); ``train`` is
    bool, shape (networks, p²).
    """

    options: TrainingOptions
    seeds: tuple[int, ...]
    epoch: int
    parameters: Tensor
    mean: Tensor
    square: Tensor
    train: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One network's loss (mean cross-entropy) and accuracy: on the training pairs, those left out (or None), all."""

    train_loss: float
    train_accuracy: float
    test_loss: float | None
    test_accuracy: float | None
    accuracy: float


def initial_state(options: TrainingOptions, seeds: Sequence[int], device: str = "cpu") -> TrainingState:
    """Return untrained networks, one for each seed."""
    if not seeds or any(isinstance(seed, bool) or not isinstance(seed, int) or seed < 0 for seed in seeds):
        raise OptionError(f"seeds must be one or more integers >= 0, got {list(seeds)}")
    layout = options.layout
    parameters = torch.zeros(len(seeds), layout.size)
    train = torch.zeros(len(seeds), options.p**2, dtype=torch.bool)
    for row, seed in enumerate(seeds):
        generator = np.random.default_rng(seed)
        train[row, torch.from_numpy(generator.permutation(options.p**2)[: options.training_pairs])] = True
        views = layout.views(parameters[row : row + 1])
        for name, shape in layout.shapes.items():
            if not name.startswith("b_"):
                values = INITIAL_SCALE / math.sqrt(options.d_model) * generator.standard_normal(shape)
                views[name].copy_(torch.from_numpy(values.astype(np.float32)))
    parameters, train = parameters.to(device), train.to(device)
    return TrainingState(
        options=options,
        seeds=tuple(seeds),
        epoch=0,
        parameters=parameters,
        mean=torch.zeros_like(parameters),
        square=torch.zeros_like(parameters),
        train=train,
    )


def continue_training(
    state: TrainingState,
    *,
    until: int | None = None,
    at_epoch: Callable[[TrainingState], None] | None = None,
    epochs_to_visit: Sequence[int] = (),
    progress: Callable[[float], None] | None = None,
) -> None:
    """Train ``state`` in place up to epoch ``until`` (default: its options' last), bitwise as if never stopped.

    Parameters
    ----------
    at_epoch : called with the state at each of ``epochs_to_visit`` that is reached
    progress : called with the fraction of all epochs done
    """
    options, visits = state.options, frozenset(epochs_to_visit)
    last = options.epochs if until is None else until
    gradient_of = GradientOfTables(options.layout, options.activation, state.train)
    gradient = torch.empty_like(state.parameters)
    every = max(1, options.epochs // 200)
    while True:
        if at_epoch is not None and state.epoch in visits:
            at_epoch(state)
        if state.epoch >= last:
            break
        next_report = (state.epoch // every + 1) * every
        stop = min([last, next_report, *(visit for visit in visits if visit > state.epoch)])
        with torch.no_grad(), _subnormals_flushed():
            while state.epoch < stop:
                gradient_of(state.parameters, gradient)
                state.epoch += 1
                _adamw(state, gradient)
        if progress is not None:
            progress(state.epoch / options.epochs)
    if not torch.isfinite(state.parameters).all():
        raise OptionError(
            f"training diverged to NaN or infinite weights by epoch {state.epoch}; "
            f"lower the learning rate (it was {options.learning_rate})"
        )


@contextlib.contextmanager
def _subnormals_flushed() -> Iterator[None]:
    """Round float32 results below 1.2e-38 to zero, in this thread: what a wrong answer's probability is after a while.

    The processor computes with them a hundred times more slowly than with other numbers, and learns nothing from them.
    """
    already = bool(torch.tensor(1e-40) * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


def _adamw(state: TrainingState, gradient: Tensor) -> None:
    """One step of AdamW (decoupled weight decay), with linear warm-up."""
    options = state.options
    rate = options.learning_rate * min(1.0, state.epoch / options.warm_up)
    state.mean.lerp_(gradient, 1 - options.beta_1)
    state.square.mul_(options.beta_2).addcmul_(gradient, gradient, value=1 - options.beta_2)
    spread = (state.square / (1 - options.beta_2**state.epoch)).sqrt_().add_(EPSILON)
    state.parameters.mul_(1 - rate * options.weight_decay)
    state.parameters.addcdiv_(state.mean, spread, value=-rate / (1 - options.beta_1**state.epoch))


def score(state: TrainingState) -> tuple[Score, ...]:
    """Return each network's loss and accuracy, evaluated from its float32 tables."""
    options = state.options
    with torch.no_grad():
        losses, rights = GradientOfTables(options.layout, options.activation, state.train).measure(state.parameters)
    scores = []
    for loss, right, train in zip(losses.cpu(), rights.cpu().double(), state.train.cpu(), strict=True):
        tested = bool((~train).any())
        scores.append(
            Score(
                train_loss=float(loss[train].mean()),
                train_accuracy=float(right[train].mean()),
                test_loss=float(loss[~train].mean()) if tested else None,
                test_accuracy=float(right[~train].mean()) if tested else None,
                accuracy=float(right.mean()),
            )
        )
    return tuple(scores)
