"""What a statement assumes: its conditions, what its symbols are, and the divisors that these keep from 0."""

from collections.abc import Iterable, Sequence
from typing import Any

from sympy import Expr, S, diff, expand
from sympy.core.relational import GreaterThan, LessThan

from quadlens.identities.signs import known_nonnegative

ASSUMED = ("real", "integer", "positive", "negative", "nonnegative", "nonpositive", "nonzero", "odd", "even")

Conditions = frozenset[Any]


def as_conditions(relations: Iterable[Any]) -> Conditions:
    """Return a set of conditions in which an inequality counts as the difference that is not negative."""
    return frozenset(
        expand(relation.gts - relation.lts) if isinstance(relation, GreaterThan | LessThan) else relation
        for relation in relations
        if relation != S.true
    )


def met(needed: Conditions, given: Conditions) -> bool:
    """Return True when every condition needed is given, or is an inequality that follows from those given."""
    if needed <= given:
        return True
    inequalities = [condition for condition in given if isinstance(condition, Expr)]
    return all(
        isinstance(condition, Expr) and known_nonnegative(condition, inequalities) for condition in needed - given
    )


def is_known(expression: Any, assumption: str) -> bool:
    """Return True when the expression is known to be ``real``, ``positive`` and so on."""
    if getattr(expression, f"is_{assumption}", None) is True:
        return True
    return assumption == "nonnegative" and isinstance(expression, Expr) and known_nonnegative(expression)


def kept_from_zero(divisor: Expr, conditions: Sequence[Any]) -> bool:
    """Return True when ``divisor``, linear in a symbol, is not 0.

    By a condition, or because its root is no integer and must be.
    """
    if divisor.is_nonzero:
        return True
    for symbol in divisor.free_symbols:
        slope = diff(divisor, symbol)
        if slope.has(symbol) or not slope.is_nonzero:
            continue
        root = expand(symbol - divisor / slope)
        if symbol.is_integer and root.is_integer is False:
            return True
        if any(condition.subs(symbol, root) == S.false for condition in conditions):
            return True
    return False
