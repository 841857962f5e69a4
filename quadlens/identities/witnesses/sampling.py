"""Exact random parameters of a statement: dyadic fractions in its ranges that satisfy its conditions."""

from fractions import Fraction
from typing import Any

import numpy as np
from sympy import Derivative, Expr, Indexed, Subs

from quadlens.errors import DerivationError
from quadlens.identities.conditions import Smooth
from quadlens.identities.statement import Statement, Variable

Values = dict[Any, Fraction | tuple[Fraction, ...]]
STEPS = 2**12
TRIES = 20_000


def concrete(statement: Statement, side: Expr) -> Expr:
    """Return a side with abbreviations written out and a sample function for each undefined one."""
    side = statement.expanded(side)
    for function, sample in statement.functions.items():
        side = side.replace(function, sample)
    return side.replace(lambda part: isinstance(part, Derivative | Subs), lambda part: part.doit())


def draw(statement: Statement, generator: np.random.Generator) -> Values:
    """Return values of all variables, dyadic fractions, that satisfy the conditions.

    Raises
    ------
    DerivationError
        If none is found: the ranges do not meet the conditions.
    """
    for _ in range(TRIES):
        values: Values = {variable.symbol: _one(variable, generator) for variable in statement.variables}
        if all(_holds(statement.expanded(condition), values) for condition in statement.conditions):
            return values
    raise DerivationError(f"no parameters in the ranges of {statement.name} satisfy its conditions; widen the ranges")


def _one(variable: Variable, generator: np.random.Generator) -> Fraction | tuple[Fraction, ...]:
    if variable.length is not None:
        return tuple(_number(variable, generator) for _ in range(variable.length))
    return _number(variable, generator)


def _number(variable: Variable, generator: np.random.Generator) -> Fraction:
    if variable.integer:
        return Fraction(int(generator.integers(int(variable.low), int(variable.high), endpoint=True)))
    share = Fraction(int(generator.integers(0, STEPS, endpoint=True)), STEPS)
    return Fraction(variable.low) + share * (Fraction(variable.high) - Fraction(variable.low))


def _holds(condition: Any, values: Values) -> bool:
    from quadlens.identities.witnesses.float64 import evaluate

    if isinstance(condition, Smooth):
        # The sample functions of a statement have all derivatives.
        return True
    if condition in (True, False):
        return bool(condition)
    left, right = (evaluate(side, values) for side in (condition.lhs, condition.rhs))
    comparisons = {"<=": left <= right, ">=": left >= right, "<": left < right, ">": left > right, "!=": left != right}
    return bool(comparisons[condition.rel_op])


def member(indexed: Indexed, index: int, values: Values) -> Fraction:
    """Return the value of ``w[index]``; indices run from 1."""
    family = values[indexed.base]
    if not isinstance(family, tuple):
        raise DerivationError(f"{indexed} needs a family of values")
    return family[index - 1]
