"""A derivation is a list of named steps; each is checked as it is made, and one that does not check raises.

`Proof` collects the steps of one family; its methods are the rules of inference, functions of a `Ledger` in the modules
named below. At the end of each chain, `conclude` compares what was derived with the statement that is stored; nothing
before it looks at the store.
"""

from typing import Any

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
from quadlens.identities.theorems import Theorem

__all__ = ["Derivation", "Proof", "Result", "Step", "Verdict"]


class Proof(Ledger):
    """The steps of one family, in the making; see `Ledger` for its parameters."""

    def say(self, text: str, formula: Any | None = None) -> None:
        """Record a definition or a remark: nothing is claimed."""
        self.step(text, formula, "definition")

    def cite(self, text: str, theorem: Theorem) -> None:
        """Record a remark that rests on a textbook theorem, a record of `quadlens.identities.theorems`."""
        if not isinstance(theorem, Theorem):
            raise self.fail(text, f"a theorem is a named record with its hypotheses, got {theorem!r}")
        self.rests(str(theorem))
        self.step(text, None, str(theorem))

    equal = equalities.equal
    modulus_squared = equalities.modulus_squared
    simplified = equalities.simplified
    derivative = equalities.derivative
    equal_by_cases = equalities.equal_by_cases
    opposite = equalities.opposite
    rewritten = equalities.rewritten
    equal_squares = equalities.equal_squares
    instance = equalities.instance

    induction = sums.induction
    linear_sum = sums.linear_sum
    termwise = sums.termwise
    written_out = sums.written_out
    adjacent = sums.adjacent
    halves = sums.halves
    summed = sums.summed
    summed_bound = sums.summed_bound

    sign = integrals.sign
    split = integrals.split
    integral = integrals.integral
    integral_by_pieces = integrals.integral_by_pieces
    pieces = integrals.pieces
    fundamental = integrals.fundamental
    iterated = integrals.iterated

    periodic = periods.periodic
    over_a_period = periods.over_a_period
    shifted_torus = periods.shifted_torus
    odd = periods.odd
    even = periods.even
    linear = periods.linear
    isolated = periods.isolated
    active = periods.active
    separated = periods.separated

    at_most = comparisons.at_most
    chain = comparisons.chain
    at_most_by_cases = comparisons.at_most_by_cases
    modulus_at_most = comparisons.modulus_at_most
    integrated = comparisons.integrated
    added = comparisons.added
    multiplied = comparisons.multiplied
    given = comparisons.given
    fraction = comparisons.fraction
    bound_with = comparisons.bound_with
    holds = comparisons.holds

    mean_value = lipschitz.mean_value
    series_remainder = series.series_remainder
    by_balls = enclosures.by_balls
    numeric = numeric.numeric
    by_cases = case_analysis.by_cases
    by_sign = case_analysis.by_sign
    either = case_analysis.either

    lemma = conclusion.lemma
    conclude = conclusion.conclude
    finish = conclusion.finish
