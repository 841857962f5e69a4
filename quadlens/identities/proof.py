"""A derivation is a list of named steps; each is checked as it is made, and one that does not check raises.

`Proof` collects the steps of one family; its methods are the rules of inference, functions of a `Ledger` in the modules
named below. At the end of each chain, `conclude` compares what was derived with the statement that is stored; nothing
before it looks at the store.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sympy import Expr

from quadlens.identities import (
    case_analysis,
    comparisons,
    conclusion,
    enclosures,
    equalities,
    integrals,
    lipschitz,
    numeric,
    periods,
    series,
    sums,
)
from quadlens.identities.derivation import Derivation, Result, Step, Verdict
from quadlens.identities.ledger import Ledger
from quadlens.identities.statement import Statement
from quadlens.identities.theorems import Theorem

__all__ = ["Derivation", "Proof", "Result", "Step", "Verdict"]


P = ParamSpec("P")
R = TypeVar("R")


def _face(rule: Callable[Concatenate[Ledger, P], R]) -> Callable[Concatenate["Proof", P], R]:
    @wraps(rule)
    def method(self: "Proof", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return rule(self._ledger, *args, **kwargs)

    return method


class Proof:
    """The steps of one family, in the making: only rules add facts. Its parameters are those of `Ledger`."""

    def __init__(self, family: str, title: str, stored: Iterable[Statement] | None = None) -> None:
        self._ledger = Ledger(family, title, stored)

    def known(self, expression: Any, assuming: Iterable[Any] = ()) -> Expr:
        """Return ``expression`` with what the steps have evaluated replaced by its value."""
        return self._ledger.known(expression, assuming)

    def say(self, text: str, formula: Any | None = None) -> None:
        """Record a definition or a remark: nothing is claimed."""
        self._ledger.step(text, formula, "definition")

    def cite(self, text: str, theorem: Theorem) -> None:
        """Record a remark that rests on a textbook theorem, a record of `quadlens.identities.theorems`."""
        if not isinstance(theorem, Theorem):
            raise self._ledger.fail(text, f"a theorem is a named record with its hypotheses, got {theorem!r}")
        self._ledger.rests(str(theorem))
        self._ledger.step(text, None, str(theorem))

    equal = _face(equalities.equal)
    modulus_squared = _face(equalities.modulus_squared)
    simplified = _face(equalities.simplified)
    derivative = _face(equalities.derivative)
    equal_by_cases = _face(equalities.equal_by_cases)
    opposite = _face(equalities.opposite)
    rewritten = _face(equalities.rewritten)
    equal_squares = _face(equalities.equal_squares)
    instance = _face(equalities.instance)

    induction = _face(sums.induction)
    linear_sum = _face(sums.linear_sum)
    termwise = _face(sums.termwise)
    written_out = _face(sums.written_out)
    peeled = _face(sums.peeled)
    adjacent = _face(sums.adjacent)
    halves = _face(sums.halves)
    summed = _face(sums.summed)
    summed_bound = _face(sums.summed_bound)

    sign = _face(integrals.sign)
    split = _face(integrals.split)
    integral = _face(integrals.integral)
    integral_by_pieces = _face(integrals.integral_by_pieces)
    pieces = _face(integrals.pieces)
    fundamental = _face(integrals.fundamental)
    iterated = _face(integrals.iterated)

    periodic = _face(periods.periodic)
    over_a_period = _face(periods.over_a_period)
    shifted_torus = _face(periods.shifted_torus)
    odd = _face(periods.odd)
    even = _face(periods.even)
    linear = _face(periods.linear)
    isolated = _face(periods.isolated)
    active = _face(periods.active)
    separated = _face(periods.separated)

    at_most = _face(comparisons.at_most)
    chain = _face(comparisons.chain)
    at_most_by_cases = _face(comparisons.at_most_by_cases)
    modulus_at_most = _face(comparisons.modulus_at_most)
    integrated = _face(comparisons.integrated)
    added = _face(comparisons.added)
    triangle = _face(comparisons.triangle)
    multiplied = _face(comparisons.multiplied)
    given = _face(comparisons.given)
    fraction = _face(comparisons.fraction)
    bound_with = _face(comparisons.bound_with)
    holds = _face(comparisons.holds)

    mean_value = _face(lipschitz.mean_value)
    bessel = _face(series.bessel)
    series_remainder = _face(series.series_remainder)
    by_balls = _face(enclosures.by_balls)
    numeric = _face(numeric.numeric)
    by_cases = _face(case_analysis.by_cases)
    by_sign = _face(case_analysis.by_sign)
    either = _face(case_analysis.either)

    lemma = _face(conclusion.lemma)
    conclude = _face(conclusion.conclude)
    finish = _face(conclusion.finish)
