"""Exact random parameters of a statement: dyadic fractions in its ranges that satisfy its conditions."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from sympy import Derivative, Expr, Indexed, Subs

from quadlens.errors import DerivationError
from quadlens.identities.conditions import Smooth
from quadlens.identities.grammar import kind_of
from quadlens.identities.statement import Statement, Variable

Values = dict[Any, Fraction | tuple[Fraction, ...]]
STEPS = 2**12
TRIES = 20_000
FAR = 8
"""How many times further than its sample a real number is drawn."""
FURTHER = 3
"""How far beyond its sample an integer is drawn."""


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


def points(statement: Statement, generator: np.random.Generator, number: int) -> list[Values]:
    """Return that many points of a statement's domain: its edges, draws from the sample, and draws from far beyond.

    Beyond the sample a real number is up to `FAR` times as large and an integer up to `FURTHER` away, of the sign that
    its symbol has; families, and the counts of their members, stay in the sample.

    Raises
    ------
    DerivationError
        If the ranges do not meet the conditions.
    """
    found: list[Values] = []
    for share in (Fraction(0), Fraction(1), Fraction(1, 2)):
        values: Values = {variable.symbol: _at(variable, share) for variable in statement.variables}
        if all(_holds(statement.expanded(condition), values) for condition in statement.conditions):
            found.append(values)
    while len(found) < number:
        values = draw(statement, generator)
        moved = _moved(statement, values, generator, len(found) % 4)
        inside = all(_holds(statement.expanded(condition), moved) for condition in statement.conditions)
        found.append(moved if inside else values)
    return found[:number]


def _moved(statement: Statement, values: Values, generator: np.random.Generator, how: int) -> Values:
    """Return values of which one, or all, go far beyond the sample, or one to an edge; the conditions decide later."""
    if not statement.variables:
        return values
    families = any(variable.length is not None for variable in statement.variables)
    chosen = statement.variables[int(generator.integers(len(statement.variables)))]
    if how == 1 or how == 2:
        far = [variable for variable in statement.variables if not (families and variable.integer)]
        far = far if how == 2 else [variable for variable in far if variable is chosen]
        return values | {variable.symbol: _far(variable, values[variable.symbol], generator) for variable in far}
    return values | {chosen.symbol: _at(chosen, Fraction(int(generator.integers(2))))} if how == 3 else values


def _at(variable: Variable, share: Fraction) -> Fraction | tuple[Fraction, ...]:
    value = Fraction(variable.low) + share * (Fraction(variable.high) - Fraction(variable.low))
    value = Fraction(math.floor(value)) if variable.integer else value
    return value if variable.length is None else (value,) * variable.length


def _far(
    variable: Variable, value: Fraction | tuple[Fraction, ...], generator: np.random.Generator
) -> Fraction | tuple[Fraction, ...]:
    if isinstance(value, tuple):
        return value
    far = value + int(generator.integers(-FURTHER, FURTHER + 1)) if variable.integer else value * FAR
    kind = kind_of(variable.symbol)
    allowed = (
        (kind.get("positive") and far > 0)
        or (kind.get("negative") and far < 0)
        or (kind.get("nonnegative") and far >= 0)
        or not {"positive", "negative", "nonnegative"} & set(kind)
    )
    return far if allowed else value


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
