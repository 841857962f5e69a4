"""What a network is trained with, and how its parameters lie in one vector; no torch is needed to choose them."""

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from quadlens.activations import activation_named
from quadlens.errors import OptionError
from quadlens.memory import require_memory

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each weight lies in the flat vector of one network's parameters."""

    p: int
    neurons: int
    d_model: int

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Each weight's shape, in order; a bias is a matrix with one row."""
        p, n, d = self.p, self.neurons, self.d_model
        return {
            "E": (p, d),
            "W_V": (d, d),
            "W_O": (d, d),
            "W_in": (d, n),
            "b_in": (1, n),
            "W_out": (n, d),
            "b_out": (1, d),
            "W_U": (d, p),
        }

    @property
    def size(self) -> int:
        """Number of parameters of one network."""
        return sum(rows * columns for rows, columns in self.shapes.values())

    def views(self, flat: "Tensor") -> dict[str, "Tensor"]:
        """Return each weight as a view of ``flat``, shape (networks, size): (networks, rows, columns)."""
        views, start = {}, 0
        for name, (rows, columns) in self.shapes.items():
            views[name] = flat[:, start : start + rows * columns].view(-1, rows, columns)
            start += rows * columns
        return views


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """What a network is trained with; the seed apart, two networks with equal options differ in nothing.

    There is no number of heads: under constant attention the heads' matrices side by side are one ``d_model × d_model``
    product, whatever their number.

    Raises
    ------
    OptionError
        If a value is outside its range.
    """

    p: int = 59
    neurons: int = 512
    d_model: int = 128
    activation: str = "relu"
    epochs: int = 10_000
    train_fraction: float = 0.8
    learning_rate: float = 1e-3
    weight_decay: float = 1.0
    beta_1: float = 0.9
    beta_2: float = 0.98
    warm_up: int = 10

    def __post_init__(self) -> None:
        activation_named(self.activation)
        for name, least in (("p", 3), ("neurons", 1), ("d_model", 1), ("epochs", 1), ("warm_up", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise OptionError(f"{name} must be an integer >= {least}, got {value!r}")
        for name, required, holds in (
            ("train_fraction", "> 0 and <= 1", 0 < self.train_fraction <= 1),
            ("learning_rate", "> 0 and finite", 0 < self.learning_rate < math.inf),
            ("weight_decay", ">= 0 and finite", 0 <= self.weight_decay < math.inf),
            ("beta_1", ">= 0 and < 1", 0 <= self.beta_1 < 1),
            ("beta_2", ">= 0 and < 1", 0 <= self.beta_2 < 1),
        ):
            if not holds:
                raise OptionError(f"{name} must be {required}, got {getattr(self, name)!r}")
        if self.training_pairs < 1:
            raise OptionError(
                f"train_fraction {self.train_fraction} of {self.p**2} pairs leaves none to train on; raise it"
            )

        # tables and gradients in float32, weights and their moments, and for every pair its place and weight
        tables = 3 * self.p * self.neurons + 2 * self.p**2
        needed = 8 * tables + 20 * self.layout.size + 32 * self.p**2
        require_memory(needed, f"training p = {self.p} with {self.neurons} neurons")

    @property
    def layout(self) -> Layout:
        """The parameters' shapes."""
        return Layout(p=self.p, neurons=self.neurons, d_model=self.d_model)

    @property
    def training_pairs(self) -> int:
        """Number of the p² pairs that the network is trained on."""
        return round(self.train_fraction * self.p**2)

    def as_dict(self) -> dict[str, Any]:
        """Return every option by name."""
        return asdict(self)

    def as_text(self) -> str:
        """Return every option by name, as a file's provenance says them."""
        return ", ".join(f"{name}={value}" for name, value in self.as_dict().items())
