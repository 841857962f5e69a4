"""One network of a population: what it is trained with and what is asked of it, and the names of its files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from quadlens.certificates.record.certificate import METHODS
from quadlens.circuits.training_options import TrainingOptions
from quadlens.errors import OptionError

RESULT_VERSION = 2
"""Changed when the result file of a network changes its meaning, so that old ones are made again."""

DEFAULT_METHODS = ("rectangle", "linear", "adaptive")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepItem:
    """One network: training options, seed, the methods that shall certify it, and the epochs to keep a snapshot of.

    Raises
    ------
    OptionError
        If the seed, a method or an epoch is out of range.
    """

    options: TrainingOptions
    seed: int
    methods: tuple[str, ...] = DEFAULT_METHODS
    snapshot_epochs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise OptionError(f"seed must be an integer >= 0, got {self.seed!r}")
        unknown = [method for method in self.methods if method not in METHODS]
        if unknown or len(set(self.methods)) != len(self.methods):
            raise OptionError(f"methods must be different ones of {', '.join(METHODS)}; got {', '.join(self.methods)}")
        if any(not 0 <= epoch <= self.options.epochs for epoch in self.snapshot_epochs):
            raise OptionError(f"snapshot epochs must be in 0..{self.options.epochs}, got {list(self.snapshot_epochs)}")

    @property
    def network(self) -> str:
        """Name of the trained network: readable, then a digest of everything its training depends on."""
        o = self.options
        return f"p{o.p}-n{o.neurons}-{o.activation}-seed{self.seed}-{_digest(o.as_dict() | {'seed': self.seed})}"

    @property
    def name(self) -> str:
        """Name of the result: the network's and a digest of what is asked of it."""
        asked = {"version": RESULT_VERSION, "methods": self.methods, "snapshot_epochs": self.snapshot_epochs}
        return f"{self.network}-{_digest(asked)}"

    def network_file(self, folder: Path) -> Path:
        """Where the trained network lies."""
        return folder / "networks" / f"{self.network}.safetensors"

    def state_file(self, folder: Path) -> Path:
        """Where a training that is not finished lies; its snapshots up to there are those of this very item."""
        asked = _digest({"snapshot_epochs": self.snapshot_epochs})
        return folder / "networks" / f"{self.network}-{asked}.state"

    def snapshot_file(self, folder: Path, epoch: int) -> Path:
        """Where the network as it was at ``epoch`` lies."""
        return folder / "snapshots" / self.network / f"{epoch:06d}.safetensors"

    def result_file(self, folder: Path) -> Path:
        """Where the result lies once everything is done."""
        return folder / "results" / f"{self.name}.json"

    def to_dict(self) -> dict[str, Any]:
        """Return the item as JSON values, for another process."""
        return {
            "options": self.options.as_dict(),
            "seed": self.seed,
            "methods": list(self.methods),
            "snapshot_epochs": list(self.snapshot_epochs),
        }


def item_from_dict(given: Mapping[str, Any]) -> SweepItem:
    """Return the item that ``to_dict`` described."""
    return SweepItem(
        options=TrainingOptions(**given["options"]),
        seed=given["seed"],
        methods=tuple(given["methods"]),
        snapshot_epochs=tuple(given["snapshot_epochs"]),
    )


def sweep_items(
    *,
    p: Sequence[int],
    neurons: Sequence[int],
    activation: Sequence[str],
    seeds: Sequence[int],
    methods: Sequence[str] = DEFAULT_METHODS,
    snapshot_epochs: Sequence[int] = (),
    **training: Any,
) -> tuple[SweepItem, ...]:
    """Return one item for each combination, seeds running slowest, so that a sweep cut short has few of everything.

    ``training`` are the remaining fields of ``TrainingOptions``.
    """
    return tuple(
        SweepItem(
            options=TrainingOptions(p=each_p, neurons=each_n, activation=each_activation, **training),
            seed=seed,
            methods=tuple(methods),
            snapshot_epochs=tuple(snapshot_epochs),
        )
        for seed, each_p, each_n, each_activation in product(seeds, p, neurons, activation)
    )


def log_spaced_epochs(last: int, per_decade: int = 8) -> tuple[int, ...]:
    """Return 0 and epochs evenly spaced in the logarithm, ending with ``last``.

    >>> log_spaced_epochs(100, per_decade=2)
    (0, 1, 3, 10, 32, 100)
    """
    epochs, index = {0, last}, 0
    while (epoch := round(10 ** (index / per_decade))) < last:
        epochs.add(epoch)
        index += 1
    return tuple(sorted(epochs))


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
