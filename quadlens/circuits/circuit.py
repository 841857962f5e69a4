r"""The circuit: the one canonical object that everything works on.

    logits(a, b)[c] = Σ_i act(A[a, i] + B[b, i]) U[i, c] + S_a[a, c] + S_b[b, c]

Constant attention makes a one-layer transformer's residual stream a sum of a function of ``a`` and a function of ``b``,
so five tables hold the whole network: ``A, B (p, n)`` the preactivations, ``U (n, p)`` the neurons' logits,
``S_a, S_b (p, p)`` the skip path; biases are in ``B`` and ``S_b``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray, read_only
from quadlens.circuits.provenance import Provenance
from quadlens.data_frame import data_frame
from quadlens.errors import CircuitError, kind_of
from quadlens.text_table import html_table

if TYPE_CHECKING:
    from quadlens.circuits.weights import Weights

TABLES = ("A", "B", "U", "S_a", "S_b")


def table_shapes(p: int, neurons: int) -> dict[str, tuple[int, int]]:
    """Return the shape of each table of a circuit with ``p`` residues and ``neurons`` neurons."""
    return {"A": (p, neurons), "B": (p, neurons), "U": (neurons, p), "S_a": (p, p), "S_b": (p, p)}


def _absent() -> FloatArray:
    return np.zeros((0, 0))


def _within(table: FloatArray, made: FloatArray, radius: float) -> bool:
    return table is made or bool((np.abs(table - made) <= radius).all())


def _of_weights(weights: Weights, source: str, family: str, provenance: Provenance) -> Circuit:
    from quadlens.circuits.weights import circuit_from_weights

    return replace(circuit_from_weights(weights), source=source, family=family, provenance=provenance)


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
    weights : the stored weights that the tables were made from, or None where the tables themselves are the network.
        They stay only while they make these tables: ``dataclasses.replace(circuit, U=…)`` has none, nor has one with
        other radii; tables that were not made from them and differ by more than rounding are refused
    provenance : what the file said, what was assumed, what was left out or frozen; its family is the circuit's

    Raises
    ------
    CircuitError
        If ``p < 3``, a shape does not fit, a value is not finite or not a float64, or the weights make other tables.
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
        object.__setattr__(self, "p", int(self.p))
        for name in TABLES:
            object.__setattr__(self, name, read_only(getattr(self, name), f"table {name}"))
        self._check_tables()
        object.__setattr__(self, "radius", MappingProxyType(self._checked_radius()))
        if self.weights is not None:
            self._agree_with_weights(self.weights)
        if self.provenance.family != self.family:
            object.__setattr__(self, "provenance", replace(self.provenance, family=self.family))

    def _check_tables(self) -> None:
        if self.A.ndim != 2:
            raise CircuitError(f"table A must have shape (p, n) = ({self.p}, n), got shape {self.A.shape}")
        shapes = table_shapes(self.p, int(self.A.shape[1]))
        if shapes["A"][1] < 1:
            raise CircuitError("a circuit needs at least one neuron; table A has no columns")
        for name in TABLES:
            table = getattr(self, name)
            if name in ("S_a", "S_b") and table.size == 0:
                table = read_only(np.zeros(shapes[name]))
                object.__setattr__(self, name, table)
            if table.shape != shapes[name]:
                raise CircuitError(f"table {name} must have shape {shapes[name]} for p = {self.p}, got {table.shape}")
            if not np.isfinite(table).all():
                bad = int((~np.isfinite(table)).sum())
                raise CircuitError(f"table {name} holds {bad} NaN or infinite values; every entry must be finite")

    def _checked_radius(self) -> dict[str, float]:
        if not isinstance(self.radius, Mapping):
            raise CircuitError(f"radius must map tables to bounds, got {type(self.radius).__name__}")
        for name, bound in self.radius.items():
            number = isinstance(bound, (int, float, np.number)) and not np.iscomplexobj(bound)
            if name not in TABLES or not number or not 0 <= bound <= sys.float_info.max:
                raise CircuitError(
                    f"radius must give each of {', '.join(TABLES)} a finite bound >= 0, got {name}: {bound}"
                )
        return {name: float(self.radius.get(name, 0.0)) for name in TABLES}

    def _agree_with_weights(self, weights: Weights) -> None:
        """Keep the weights only if they make this circuit; then its tables and radii are the ones that they make.

        Every method may then speak of the weights or of the tables, and means the same network.
        """
        if (weights.p, weights.neurons) != (self.p, self.neurons):
            raise CircuitError(
                f"the weights are of p = {weights.p} and {weights.neurons} neurons, the tables of p = {self.p} and"
                f" {self.neurons}; leave the weights out where the tables are the network"
            )
        made, radius = weights.evaluation
        far = [name for name in TABLES if not _within(getattr(self, name), made[name], radius[name])]
        if far and not any(getattr(self, name) is made[name] for name in TABLES):
            raise CircuitError(
                f"the weights do not make table {far[0]}: it is further from what they make than rounding explains"
                f" ({radius[far[0]]:.3g}); leave the weights out where the tables are the network"
            )
        given = any(self.radius.values()) and dict(self.radius) != dict(radius)
        if far or given:
            # one of several tables was replaced, or the radii were: the network is what the tables now say
            what = f"table {', '.join(far)} was replaced" if far else "the tables' radii were replaced"
            changed = (*self.provenance.changed, f"{what} in memory; the stored weights no longer make it")
            object.__setattr__(self, "provenance", replace(self.provenance, changed=changed))
            object.__setattr__(self, "weights", None)
            return
        for name in TABLES:
            object.__setattr__(self, name, made[name])
        object.__setattr__(self, "radius", MappingProxyType(dict(radius)))
        if weights.activation != self.activation:
            object.__setattr__(self, "weights", replace(weights, activation=self.activation))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.weights is not None:
            # the tables follow from the weights, on whatever machine this is read
            return partial(_of_weights, self.weights, self.source, self.family, self.provenance), ()
        return partial(Circuit, **(values | {"radius": dict(self.radius)})), ()

    def __copy__(self) -> Circuit:
        return self

    def __deepcopy__(self, memo: object) -> Circuit:
        return self

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


def require_circuit(value: Any, who: str) -> Circuit:
    """Return the value, which must be a circuit.

    Raises
    ------
    CircuitError
        If it is something else: what to do with a path, a torch module or a form is said.
    """
    if isinstance(value, Circuit):
        return value
    if isinstance(value, str | os.PathLike):
        remedy = "read the file first: quadlens.load(path)"
    elif any(base.__module__.startswith("torch.nn") for base in type(value).__mro__):
        remedy = "make a circuit of the module first: quadlens.from_module(model, p=…)"
    else:
        remedy = "make one with quadlens.load, from_module or Circuit"
    raise CircuitError(f"{who} takes a Circuit, got {kind_of(value)}; {remedy}")
