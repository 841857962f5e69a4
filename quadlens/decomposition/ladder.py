r"""The error decomposition: a ladder of circuits from the exact MLP to the pure integral.

Each rung changes one thing, and each term is the difference of two neighbouring rungs, so the terms sum to
(exact − ideal) to rounding, for every input and logit. Logits are centred over ``c``.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.circuits.forward import row_blocks
from quadlens.circuits.number_range import require_range
from quadlens.claims import ProvedBound
from quadlens.data_frame import data_frame
from quadlens.decomposition.rung_logits import RungLogits, Totals
from quadlens.decomposition.rungs import RUNGS
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, form_of
from quadlens.text_table import html_table, text_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What one rung changes: the norm of the change over all inputs and logits, relative to the exact MLP logits.

    ``max_abs`` is its largest single entry (in logits); ``bound`` a proved bound on ``relative_l2``, ``max_abs_bound``
    one on ``max_abs``; None where it was measured by running every input. ``frequencies``: the same four numbers for
    the part of each frequency group, in the form's order.
    """

    name: str
    relative_l2: float
    max_abs: float
    bound: ProvedBound | None = None
    max_abs_bound: ProvedBound | None = None
    frequencies: tuple["TermPart", ...] = ()

    @property
    def frequency_bounds(self) -> tuple[float, ...]:
        """The proved bounds on ``relative_l2`` of the groups' parts; empty where there are none."""
        return tuple(part.bound for part in self.frequencies if part.bound is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TermPart:
    """What one rung changes in the neurons of one key frequency; bounds proved, or None."""

    frequency: int
    relative_l2: float
    max_abs: float
    bound: float | None = None
    max_abs_bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A rung as a model of the exact MLP: relative distance, ``R² = 1 − distance²``, and its own accuracy."""

    name: str
    relative_l2_to_exact: float
    r_squared: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDecomposition:
    """Terms and stages in the order of the ladder.

    ``telescoping_error`` is the largest entry of (sum of the terms) − (exact − ideal), relative to the largest logit;
    ``exact_norm`` the root of the summed squares of the exact centred MLP logits. ``ideal_parameters`` numbers make the
    refined limit of the main groups (``AmplitudePhaseForm.main_groups``), measured to be within ``ideal_relative_l2``
    of the exact MLP logits; ``parameters`` are the circuit's, ``mlp_parameters`` those of A, B and U, which they stand
    for.

    Where ``output_frequencies`` (of the p//2 there are) is given, terms are evaluated at those and the rest is bounded:
    ``relative_l2`` and ``max_abs`` of a term are then no more than the true values, to rounding, and its bounds no
    less; distances of stages are no less. Where all are, each is the value itself. ``inputs_counted`` says on how many
    inputs the accuracies were counted; None: on all.
    """

    p: int
    neurons: int
    parameters: int
    ideal_parameters: int
    ideal_relative_l2: float
    exact_norm: float
    exact_accuracy: float
    terms: tuple[Term, ...]
    stages: tuple[Stage, ...]
    telescoping_error: float
    output_frequencies: int | None = None
    inputs_counted: int | None = None

    def __getitem__(self, name: str) -> Term:
        """Return the term of a rung, by name."""
        for term in self.terms:
            if term.name == name:
                return term
        raise OptionError(f"no term is called {name!r}; there are {', '.join(term.name for term in self.terms)}")

    @property
    def whole(self) -> bool:
        """Whether every number is the value itself, to rounding: nothing was left to bound."""
        return self.output_frequencies in (None, self.p // 2)

    @property
    def mlp_parameters(self) -> int:
        """Entries of A, B and U, ``3pn``: the skip path has no part in the decomposition."""
        return 3 * self.p * self.neurons

    @property
    def ideal_r_squared(self) -> float:
        """``1 − ideal_relative_l2²``."""
        return 1 - self.ideal_relative_l2**2

    def to_dict(self) -> dict[str, Any]:
        """Return the decomposition as JSON values, with the keys ``terms``, ``stages`` and ``telescoping_error``."""
        return {
            "parameters": self.parameters,
            "mlp_parameters": self.mlp_parameters,
            "ideal_parameters": self.ideal_parameters,
            "ideal_relative_l2": self.ideal_relative_l2,
            "mlp_accuracy": self.exact_accuracy,
            "terms": [
                {
                    "name": term.name,
                    "relative_l2": term.relative_l2,
                    "max_abs": term.max_abs,
                    "bound": None if term.bound is None else term.bound.value,
                    "max_abs_bound": None if term.max_abs_bound is None else term.max_abs_bound.value,
                    "frequency_bounds": list(term.frequency_bounds),
                    "frequencies": [asdict(part) for part in term.frequencies],
                }
                for term in self.terms
            ],
            "stages": [
                {
                    "name": stage.name,
                    "relative_l2_to_exact": stage.relative_l2_to_exact,
                    "r_squared": stage.r_squared,
                    "accuracy": stage.accuracy,
                }
                for stage in self.stages
            ],
            "telescoping_error": self.telescoping_error,
            "output_frequencies": self.output_frequencies,
            "inputs_counted": self.inputs_counted,
        }

    def _table(self) -> tuple[list[str], list[list[str]]]:
        return ["rung", "term", "to exact", "R²"], [
            [term.name, f"{term.relative_l2:.4f}", f"{stage.relative_l2_to_exact:.4f}", f"{stage.r_squared:.4f}"]
            for term, stage in zip(self.terms, self.stages, strict=True)
        ]

    def __repr__(self) -> str:
        compressed = f"{self.mlp_parameters} numbers of the MLP to {self.ideal_parameters}"
        head = f"ErrorDecomposition(p={self.p}, neurons={self.neurons}, {compressed})"
        return "\n".join([head, *text_table(*self._table())])

    def _repr_html_(self) -> str:
        compressed = f"{self.mlp_parameters:,} numbers of the MLP to {self.ideal_parameters}"
        caption = f"From the exact MLP to the integral: p = {self.p}, {self.neurons} neurons, {compressed} (measured)"
        return html_table(caption, *self._table())

    def _repr_latex_(self) -> str:
        names = " + ".join(
            rf"\underbrace{{\text{{{term.name.replace('_', ' ')}}}}}_{{{term.relative_l2:.4f}}}" for term in self.terms
        )
        return rf"$\text{{exact}} = \text{{ideal}} + {names}$"

    def to_dataframe(self) -> Any:
        """Return a pandas data frame with a row for each rung: its term, and the rung as a model of the exact MLP."""
        return data_frame(
            (
                {
                    "rung": term.name,
                    "relative_l2": term.relative_l2,
                    "max_abs": term.max_abs,
                    "bound": None if term.bound is None else term.bound.value,
                    "max_abs_bound": None if term.max_abs_bound is None else term.max_abs_bound.value,
                    "frequency_bounds": list(term.frequency_bounds),
                    "relative_l2_to_exact": stage.relative_l2_to_exact,
                    "r_squared": stage.r_squared,
                    "accuracy": stage.accuracy,
                }
                for term, stage in zip(self.terms, self.stages, strict=True)
            ),
            index="rung",
        )


NUMBERS_PER_FREQUENCY = 11
"""What the refined limit stores per key frequency: k, W, κ and four complex numbers e_A, e_B, s_A, s_B."""


def refined_numbers(form: AmplitudePhaseForm) -> int:
    """Return how many real numbers make the refined limit of the main groups.

    Where the activation is not homogeneous there is no W: every neuron's own r and u enter the integral.
    """
    groups = form.main_groups
    if activation_named(form.activation).degree is not None:
        return NUMBERS_PER_FREQUENCY * len(groups)
    return sum(NUMBERS_PER_FREQUENCY - 1 + 2 * group.members.size for group in groups)


def decompose(
    circuit: Circuit,
    form: AmplitudePhaseForm | None = None,
    *,
    progress: Callable[[float], None] | None = None,
) -> ErrorDecomposition:
    """Measure every term of the ladder over all p² inputs and p logits. Cost O(p³ n), in blocks of bounded memory.

    For any activation, and the oracle of ``quadlens.certificates.ladder``, which is what users reach where it applies.

    Parameters
    ----------
    circuit : the network; only its MLP takes part, the skip path is left out
    form : its amplitude–phase form, computed where it is not given
    progress : called with the fraction done
    """
    require_range(require_circuit(circuit, "decompose"))
    form = form_of(circuit, form)
    totals = Totals(stages=len(RUNGS), groups=len(form.groups))
    rungs = RungLogits(circuit, form)
    for rows in row_blocks(circuit):
        totals.add(*rungs.block(rows), rows)
        if progress is not None:
            progress(rows.stop / circuit.p)
    return _measured(totals, circuit, form)


def _measured(totals: Totals, circuit: Circuit, form: AmplitudePhaseForm) -> ErrorDecomposition:
    # a network whose centred logits vanish has nothing to be relative to: its terms are absolute then
    norm = float(np.sqrt(totals.exact_squares))
    unit, largest = norm or 1.0, totals.exact_largest or 1.0
    inputs = circuit.p**2
    distances = np.sqrt(totals.distance_squares) / unit
    relative, part_relative = np.sqrt(totals.term_squares) / unit, np.sqrt(totals.part_squares) / unit
    return ErrorDecomposition(
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        ideal_parameters=refined_numbers(form),
        ideal_relative_l2=float(np.sqrt(totals.ideal_squares)) / unit,
        exact_norm=norm,
        exact_accuracy=float(totals.right[0]) / inputs,
        terms=tuple(
            Term(
                name=name,
                relative_l2=float(relative[index]),
                max_abs=float(totals.term_largest[index]),
                frequencies=tuple(
                    TermPart(frequency=group.frequency, relative_l2=float(size), max_abs=float(most))
                    for group, size, most in zip(
                        form.groups, part_relative[index], totals.part_largest[index], strict=True
                    )
                ),
            )
            for index, name in enumerate(RUNGS)
        ),
        stages=tuple(
            Stage(
                name=name,
                relative_l2_to_exact=float(distance),
                r_squared=1 - float(distance) ** 2,
                accuracy=float(right) / inputs,
            )
            for name, distance, right in zip(RUNGS, distances, totals.right[1:], strict=True)
        ),
        telescoping_error=totals.telescoping / largest,
    )
