r"""The circuit: the one canonical object that everything works on.

    logits(a, b)[c] = Σ_i act(A[a, i] + B[b, i]) U[i, c] + S_a[a, c] + S_b[b, c]

Constant attention makes a one-layer transformer's residual stream a sum of a function of ``a`` and a function of ``b``,
so five tables hold the whole network: ``A, B (p, n)`` the preactivations, ``U (n, p)`` the neurons' logits,
``S_a, S_b (p, p)`` the skip path; biases are in ``B`` and ``S_b``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray, read_only
from quadlens.circuits.provenance import Provenance
from quadlens.data_frame import data_frame
from quadlens.errors import CircuitError
from quadlens.text_table import html_table

if TYPE_CHECKING:
    from quadlens.circuits.weights import Weights

TABLES = ("A", "B", "U", "S_a", "S_b")


def table_shapes(p: int, neurons: int) -> dict[str, tuple[int, int]]:
    """Return the shape of each table of a circuit with ``p`` residues and ``neurons`` neurons."""
    return {"A": (p, neurons), "B": (p, neurons), "U": (neurons, p), "S_a": (p, p), "S_b": (p, p)}


def _absent() -> FloatArray:
    return np.zeros((0, 0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circuit:
    """The canonical tables of a constant-attention one-layer network, in float64, read-only.

    Parameters
    ----------
    p : number of residues, at least 3
    A, B : array, shape (p, n); the preactivation of neuron ``i`` is ``A[a, i] + B[b, i]``
    U : array, shape (n, p)
    S_a, S_b : array, shape (p, p), optional (zero)
    activation : a name in ``quadlens.activations.ACTIVATIONS``
    source, family : where the tables come from, in words
    radius : for each table, a proved bound on the difference between any entry and its exact value; 0 where exact
    weights : the stored weights that the tables were made from, or None where the tables themselves are the network
    provenance : what the file said, what was assumed, what was left out or frozen; its family is the circuit's

    Raises
    ------
    CircuitError
        If ``p < 3``, a shape does not fit, or a value is not finite.
    """

    p: int
    A: FloatArray
    B: FloatArray
    U: FloatArray
    S_a: FloatArray = field(default_factory=_absent)
    S_b: FloatArray = field(default_factory=_absent)
    activation: str = "relu"
    source: str = "memory"
    family: str = "tables"
    radius: Mapping[str, float] = field(default_factory=dict)
    weights: Weights | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if isinstance(self.p, bool) or not isinstance(self.p, (int, np.integer)) or self.p < 3:
            raise CircuitError(f"a circuit needs p >= 3 residues (an integer), got p = {self.p!r}")
        activation_named(self.activation)
        if np.ndim(self.A) != 2:
            raise CircuitError(f"table A must have shape (p, n) = ({self.p}, n), got shape {np.shape(self.A)}")
        shapes = table_shapes(int(self.p), int(np.shape(self.A)[1]))
        if shapes["A"][1] < 1:
            raise CircuitError("a circuit needs at least one neuron; table A has no columns")
        object.__setattr__(self, "p", int(self.p))
        for name in TABLES:
            table = getattr(self, name)
            if name in ("S_a", "S_b") and np.size(table) == 0:
                table = np.zeros(shapes[name])
            if np.iscomplexobj(table):
                raise CircuitError(f"table {name} must be real, got {np.asarray(table).dtype}")
            if np.shape(table) != shapes[name]:
                raise CircuitError(
                    f"table {name} must have shape {shapes[name]} for p = {self.p}, got {np.shape(table)}"
                )
            table = read_only(table)
            if not np.isfinite(table).all():
                bad = int((~np.isfinite(table)).sum())
                raise CircuitError(f"table {name} holds {bad} NaN or infinite values; every entry must be finite")
            object.__setattr__(self, name, table)
        for name, bound in self.radius.items():
            if name not in TABLES or not (np.isfinite(bound) and bound >= 0):
                raise CircuitError(
                    f"radius must give each of {', '.join(TABLES)} a finite bound >= 0, got {name}: {bound}"
                )
        radius = {name: float(self.radius.get(name, 0.0)) for name in TABLES}
        object.__setattr__(self, "radius", MappingProxyType(radius))
        if self.provenance.family != self.family:
            object.__setattr__(self, "provenance", replace(self.provenance, family=self.family))

    @property
    def neurons(self) -> int:
        """Number of neurons ``n``."""
        return int(self.A.shape[1])

    @property
    def parameters(self) -> int:
        """Number of parameters of the tables, ``P = 3pn + 2p²``."""
        return 3 * self.p * self.neurons + 2 * self.p * self.p

    @property
    def omega(self) -> float:
        """``ω = 2π/p``, radians."""
        return 2 * np.pi / self.p

    def __repr__(self) -> str:
        return (
            f"Circuit(p={self.p}, neurons={self.neurons}, activation={self.activation!r}, "
            f"parameters={self.parameters}, family={self.family!r}, source={self.source!r})"
        )

    def _repr_latex_(self) -> str:
        return (
            rf"$\operatorname{{logits}}(a, b)[c] = \sum_{{i=1}}^{{{self.neurons}}} "
            rf"\operatorname{{{self.activation.replace('_', ' ')}}}(A_{{a,i}} + B_{{b,i}})\, U_{{i,c}} "
            rf"+ S^a_{{a,c}} + S^b_{{b,c}} \qquad a, b, c \in \{{0, \dots, {self.p - 1}\}}$"
        )

    def _repr_html_(self) -> str:
        tables = [(name, getattr(self, name)) for name in TABLES]
        caption = (
            f"Circuit: p = {self.p}, {self.neurons} neurons, {self.activation}, {self.parameters:,} parameters, "
            f"{self.family}"
        )
        rows = [
            [name, f"{table.shape[0]} × {table.shape[1]}", f"{np.sqrt(np.square(table).mean()):.4g}"]
            for name, table in tables
        ]
        return html_table(caption, ["table", "shape", "rms"], rows)

    def to_dataframe(self) -> Any:
        """Return a pandas data frame with a row for each table: its shape, size, and proved distance from exact."""
        return data_frame(
            (
                {
                    "table": name,
                    "rows": table.shape[0],
                    "columns": table.shape[1],
                    "rms": float(np.sqrt(np.square(table).mean())),
                    "largest": float(np.abs(table).max()),
                    "radius": self.radius[name],
                }
                for name, table in ((name, getattr(self, name)) for name in TABLES)
            ),
            index="table",
        )
