r"""Everything that (L) and (G) need of one circuit, evaluated once: the common part of ``linear``, ``gated``,
``adaptive``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.blas_threads import one_blas_thread
from quadlens.certificates.choose import Budget, choose
from quadlens.certificates.class_bounds import ClassBounds, class_bounds
from quadlens.certificates.clusters import clusters
from quadlens.certificates.gate_sums import gate_sums
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


@one_blas_thread()
def evaluate_inequality(
    circuit: Circuit, budget: Budget, count: OperationCounter, progress: Callable[[float], None] | None = None
) -> Inequality:
    """Choose a plan and evaluate every term of (L); O(P) with constants from the budget."""

    def report(done: float) -> None:
        if progress is not None:
            progress(done)

    choice = choose(circuit, budget, count)
    plan, retained, cross = choice.plan, choice.retained, choice.cross
    report(0.1)
    sums = gate_sums(circuit, plan, retained, cross, count, lambda done: report(0.1 + 0.6 * done))
    rest = remainder(circuit, plan, retained, count)
    report(0.8)
    inputs = input_quantities(plan, retained, sums, rest, count)
    report(0.85)
    label = np.zeros((plan.p, plan.p), dtype=np.int64)
    classes = class_bounds(plan, inputs, rest, label, count)
    if bool((WIDE * classes.ideal < classes.E).any()):
        label = clusters(inputs.X, budget.clusters, count)
        report(0.9)
        classes = class_bounds(plan, inputs, rest, label, count)
    rounding = rounding_term(circuit, plan, gate_weights(plan, retained, cross), sums.crossings, rest.tail_error)
    count.add(4 * circuit.p, circuit.neurons)
    report(1.0)
    return Inequality(plan=plan, inputs=inputs, rest=rest, classes=classes, rounding=rounding, label=label)
