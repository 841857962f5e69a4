r"""Everything that (L) and (G′) need of one circuit, evaluated once: the common part of ``linear`` and ``adaptive``."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.activations import negative_slope
from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.blas_threads import one_blas_thread
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.exact.activation_enclosure import ENCLOSED
from quadlens.certificates.inequality.class_bounds import ClassBounds, class_bounds
from quadlens.certificates.inequality.inputs import inputs
from quadlens.certificates.inequality.one_pass import one_pass
from quadlens.certificates.inequality.operations import Operations, operations
from quadlens.certificates.inequality.pair_bounds import PairBounds
from quadlens.certificates.inequality.remainder import Remainder, remainder
from quadlens.certificates.inequality.rounding import RoundingTerm, Sizes, rounding_term, too_large
from quadlens.certificates.inequality.split import Split, split_outputs
from quadlens.certificates.plan.choose import Budget, choose
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

ARITHMETIC = (
    "float64, with an a-priori bound on all rounding (gamma_n), itself rounded up; "
    "curves, levels and gates exact; no tolerance"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inequality:
    """(L) of every pair, what (G′) of any pair needs, and what rounding can do to both."""

    plan: Plan
    split: Split
    rest: Remainder
    classes: ClassBounds
    pairs: PairBounds
    rounding: RoundingTerm
    operations: Operations

    @property
    def zero(self) -> float:
        """A bound above this, before the rounding term, is above 0 after it."""
        return float(np.nextafter(2 * (self.rounding.evaluation + self.rounding.tables), np.inf))

    def least_of_pairs(self, d: IntArray, delta: IntArray) -> FloatArray:
        """Return ``min_b (G′)`` of pairs, without the rounding term."""
        return np.asarray(self.pairs.of_pairs(d, delta).bound.min(axis=1))


def refusal(circuit: Circuit, size: Sizes) -> str | None:
    """Return why no bound can be given for a circuit, or None."""
    try:
        negative_slope(circuit.activation)
    except OptionError as error:
        if circuit.activation not in ENCLOSED:
            return str(error)
        return f"{error}; use brute-force" + (" or exact" if circuit.activation == "square" else "")
    return too_large(size)


def evaluate(
    circuit: Circuit, size: Sizes, budget: Budget, at: Namespace, report: Callable[[float], None]
) -> Inequality:
    """Choose a plan, in numpy, and evaluate (L) where ``at`` computes; O(P) with constants from the budget."""
    with one_blas_thread():
        return _evaluate(circuit, size, budget, at, report)


def _evaluate(
    circuit: Circuit, size: Sizes, budget: Budget, at: Namespace, report: Callable[[float], None]
) -> Inequality:
    choice = choose(circuit, budget)
    plan, slope = choice.plan, negative_slope(circuit.activation)
    report(0.2)
    split = split_outputs(at, circuit, plan)
    report(0.3)
    sums = one_pass(at, circuit, choice, split)
    report(0.7)
    rest = remainder(at, at.array(circuit.U), plan, split, lambda y: at.xp.maximum(y, slope * y))
    report(0.85)
    crossings, counted = sums.crossings, operations(plan, sums)
    every = inputs(at, plan, split, sums)
    # as large as the inputs' quantities, which are all that is needed from here
    del sums
    classes = class_bounds(at, plan, every, rest)
    rounding = rounding_term(circuit, size, plan, crossings, rest.tail_error)
    pairs = PairBounds.of(at, plan, every, rest, split)
    report(1.0)
    return Inequality(
        plan=plan, split=split, rest=rest, classes=classes, pairs=pairs, rounding=rounding, operations=counted
    )
