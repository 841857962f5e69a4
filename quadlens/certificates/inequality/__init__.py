r"""Everything that (L) and (G) need of one circuit, evaluated once: the common part of ``linear``, ``gated``,
``adaptive``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.blas_threads import one_blas_thread
from quadlens.certificates.choose import Budget, Choice, choose
from quadlens.certificates.class_bounds import ClassBounds, class_bounds
from quadlens.certificates.clusters import clusters
from quadlens.certificates.gate_sums import GateSums, gate_sums
from quadlens.certificates.input_quantities import InputQuantities, input_quantities
from quadlens.certificates.kink import negative_slope
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder, remainder
from quadlens.certificates.retained import Retained
from quadlens.certificates.rounding_term import RoundingTerm, rounding_term, too_large
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

WIDE = 0.1
"""The inputs of every class are put into clusters if in one class their spread costs this part of its ideal margin."""

ARITHMETIC = (
    "float64, with an a-priori bound on all rounding (gamma_n), itself rounded up; "
    "waveforms, levels and gates exact; no tolerance"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassInequality:
    """(L), evaluated: the plan, the class bounds before rounding, what they are made of, and what rounding can do."""

    plan: Plan
    rest: Remainder
    classes: ClassBounds
    rounding: RoundingTerm
    label: IntArray

    def lowered(self, bound: FloatArray) -> FloatArray:
        """Return lower bounds of real margins from bounds evaluated in float64."""
        rounded = np.nextafter(np.nextafter(bound - self.rounding.evaluation, -np.inf) - self.rounding.tables, -np.inf)
        return np.asarray(rounded)

    def record(self) -> dict[str, Any]:
        """Return what the prover chose, JSON values only."""
        record = self.plan.to_dict()
        if self.label.any():
            digits = np.array(list(DIGITS))
            record["clusters"] = ["".join(row) for row in digits[self.label]]
        return record


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inequality(ClassInequality):
    """(L), evaluated, and with it the quantities of each input, for (G)."""

    inputs: InputQuantities


def refusal(circuit: Circuit) -> str | None:
    """Return why no bound can be given for a circuit, or None."""
    try:
        negative_slope(circuit.activation)
    except OptionError as error:
        return f"{error}; use brute-force" + (" or exact" if circuit.activation == "square" else "")
    return too_large(circuit)


def gate_weights(plan: Plan, retained: Retained, cross: FloatArray) -> FloatArray:
    """Return ``w_i = max(|û°_i|, V_i / v_β)`` of each neuron, 0 for solo ones; ``cross`` holds ``V_i``."""
    w = np.zeros(cross.size)
    for bucket in plan.buckets:
        position, i = plan.own(bucket), bucket.members
        w[i] = cross[i] / bucket.cross
        if position is not None:
            w[i] = np.maximum(w[i], np.abs(retained.u_hat[i, position]))
    return w


class _Sums(Protocol):
    @property
    def crossings(self) -> int: ...


Sums = TypeVar("Sums", bound=_Sums)
Inputs = TypeVar("Inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages(Generic[Sums, Inputs]):
    """What one way of computing, numpy's or torch's, puts in the places of `evaluate`.

    ``over_neurons`` returns the gate sums and the remainder; it is told what to call with the fraction done.
    """

    over_neurons: Callable[[Circuit, Choice, OperationCounter, Callable[[float], None]], tuple[Sums, Remainder]]
    input_quantities: Callable[[Plan, Retained, Sums, Remainder, OperationCounter], Inputs]
    class_bounds: Callable[[Plan, Inputs, Remainder, IntArray, OperationCounter], ClassBounds]
    clusters: Callable[[Inputs, int, OperationCounter], IntArray]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated(Generic[Inputs]):
    """(L) of every class, the quantities of each input where they were computed, and the split of the output side."""

    found: ClassInequality
    inputs: Inputs
    retained: Retained

    def with_inputs(self, inputs: InputQuantities) -> Inequality:
        """Return the whole inequality, with the quantities of each input in numpy."""
        fields = {name: getattr(self.found, name) for name in ("plan", "rest", "classes", "rounding", "label")}
        return Inequality(inputs=inputs, **fields)


def evaluate(
    circuit: Circuit,
    budget: Budget,
    stages: Stages[Sums, Inputs],
    count: OperationCounter,
    progress: Callable[[float], None] | None = None,
) -> Evaluated[Inputs]:
    """Choose a plan and evaluate every term of (L); O(P) with constants from the budget."""

    def report(done: float) -> None:
        if progress is not None:
            progress(done)

    choice = choose(circuit, budget, count)
    plan, retained = choice.plan, choice.retained
    report(0.1)
    sums, rest = stages.over_neurons(circuit, choice, count, lambda done: report(0.1 + 0.7 * done))
    inputs = stages.input_quantities(plan, retained, sums, rest, count)
    crossings = sums.crossings
    # as large as the inputs' quantities, which are all that is needed from here
    del sums
    report(0.85)
    label = np.zeros((plan.p, plan.p), dtype=np.int64)
    classes = stages.class_bounds(plan, inputs, rest, label, count)
    if bool((WIDE * classes.ideal < classes.E).any()):
        label = stages.clusters(inputs, budget.clusters, count)
        report(0.9)
        classes = stages.class_bounds(plan, inputs, rest, label, count)
    rounding = rounding_term(circuit, plan, gate_weights(plan, retained, choice.cross), crossings, rest.tail_error)
    count.add(4 * circuit.p, circuit.neurons)
    report(1.0)
    found = ClassInequality(plan=plan, rest=rest, classes=classes, rounding=rounding, label=label)
    return Evaluated(found=found, inputs=inputs, retained=retained)


@one_blas_thread()
def evaluate_inequality(
    circuit: Circuit, budget: Budget, count: OperationCounter, progress: Callable[[float], None] | None = None
) -> Inequality:
    """Choose a plan and evaluate every term of (L) in numpy."""
    stages = Stages(
        over_neurons=_over_neurons,
        input_quantities=input_quantities,
        class_bounds=class_bounds,
        clusters=lambda inputs, most, count: clusters(inputs.X, most, count),
    )
    evaluated = evaluate(circuit, budget, stages, count, progress)
    return evaluated.with_inputs(evaluated.inputs)


def _over_neurons(
    circuit: Circuit, choice: Choice, count: OperationCounter, report: Callable[[float], None]
) -> tuple[GateSums, Remainder]:
    plan, retained = choice.plan, choice.retained
    sums = gate_sums(circuit, plan, retained, choice.cross, count, lambda done: report(6 / 7 * done))
    rest = remainder(circuit, plan, retained, count)
    report(1.0)
    return sums, rest
